"""The generator and the rules of the import were written apart from the same words: they agree on every row."""

import pytest

from kerege.gateways.extracts.comparing import MemoryKnown
from kerege.testing.extracts import Book, Shares, write
from tests.testing.extracts.support import TODAY, judged, truth_of

HARD = Shares(duplicate=0.2, review=0.2, rejected=0.2)


@pytest.mark.parametrize("form", ["codes", "russian"])
@pytest.mark.parametrize("seed", range(24))
def test_the_rules_say_what_each_row_was_made_for(tmp_path, seed, form):
    write(tmp_path / "f", tmp_path / "t", 2_000, seed, form=form, shares=HARD, today=TODAY)
    assert judged(tmp_path / "f") == truth_of(tmp_path / "t")


@pytest.mark.parametrize("seed", range(6))
def test_files_one_after_the_other_repeat_and_contradict_each_other(tmp_path, seed):
    known, book = MemoryKnown(), Book()
    forms = ("codes", "russian", "russian", "codes")
    for place, form in enumerate(forms):
        write(tmp_path / "f", tmp_path / "t", 1_000, 4 * seed + place, form=form, shares=HARD, earlier=book)
        truth = truth_of(tmp_path / "t")
        assert judged(tmp_path / "f", known) == truth
        assert (("duplicate", "file") in truth) == (place > 0)
