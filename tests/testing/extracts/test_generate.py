"""Extracts are as asked for, the same for the same seed, and hold what they promise."""

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import date
from itertools import islice

import pytest

from kerege.testing.extracts import UNDAMAGED, Book, Damage, Shares, generate
from kerege.testing.extracts.chance import Chance, Deck
from kerege.testing.extracts.columns import BORN, GIVEN_NAME, MOTHER, NUMBER, OFFICE, PIN, PLACE, SURNAME
from kerege.testing.extracts.days import DOTTED, place_of, years_before
from kerege.testing.extracts.places import territory
from tests.testing.extracts.support import TODAY

HARD = Shares(duplicate=0.2, review=0.2, rejected=0.2)
DETAILS = {
    *("pin", "surname", "given_name", "sex", "birth_date", "place_code", "registered_on"),
    *("pin-held", "pin-sex", "pin-birth-date", "mother-pin", "father-pin", "act-number"),
}


def _list(size=2_000, seed=1, **given):
    return list(generate(size, seed, **({"damage": UNDAMAGED} | given)))


def _truth(rows):
    return [(outcome, detail) for _, outcome, detail in rows]


@pytest.mark.parametrize(
    ("size", "shares", "expected"),
    [
        (2_000, HARD, (800, 400, 400, 400)),
        (1_000, Shares(), (948, 25, 12, 15)),
        (333, Shares(duplicate=0.1, review=0, rejected=0), (300, 33, 0, 0)),
        (10, Shares(duplicate=0.9, review=0, rejected=0), (1, 9, 0, 0)),
        (50, Shares(duplicate=0, review=1, rejected=0), (0, 0, 50, 0)),
        (50, Shares(duplicate=0, review=0, rejected=1), (0, 0, 0, 50)),
        (1, Shares(), (1, 0, 0, 0)),
        (0, Shares(), (0, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_shares_are_as_asked(size, shares, expected, seed):
    counts = Counter(outcome for _, outcome, _ in generate(size, seed, shares=shares))
    assert tuple(counts[outcome] for outcome in ("accepted", "duplicate", "review", "rejected")) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"form": "xml"},
        {"encoding": "latin-1"},
        {"shares": Shares(duplicate=0.6, review=0.6)},
        {"shares": Shares(duplicate=-0.1)},
        {"shares": Shares(duplicate=0.5, review=0.3, rejected=0.2)},
        {"today": date(2025, 12, 31)},
        {"today": date(2039, 12, 31)},
    ],
)
def test_what_cannot_be_made_is_refused_before_the_first_row(given):
    with pytest.raises(ValueError, match=r"."):
        generate(10, 1, **given)


def test_a_book_with_acts_lets_a_file_be_of_repeats_alone():
    book = Book()
    _list(5, shares=Shares(duplicate=0, review=0, rejected=0), earlier=book)
    repeats = _list(20, seed=2, shares=Shares(duplicate=1, review=0, rejected=0), earlier=book)
    assert _truth(repeats) == [("duplicate", "file")] * 20


def test_people_and_truth_follow_from_the_seed_in_every_form_encoding_and_damage():
    plain = _list(shares=HARD, today=TODAY)
    assert plain == _list(shares=HARD, today=TODAY)
    for given in ({"form": "russian"}, {"encoding": "cp866"}, {"damage": Damage(spaces=0.5, breaks=0.5)}):
        assert _truth(_list(shares=HARD, today=TODAY, **given)) == _truth(plain)
    assert _truth(_list(shares=HARD, today=TODAY, seed=2)) != _truth(plain)


def test_files_do_not_depend_on_the_process(tmp_path):
    arguments = ("--rows", "500", "--seed", "3", "--after", "1", "2:100", "--review", "0.2")
    contents = set()
    for hash_seed in ("0", "1", "4242"):
        out, truth = tmp_path / "f", tmp_path / "t"
        subprocess.run(
            [sys.executable, "-m", "kerege.testing.extracts", *arguments, "--out", out, "--truth", truth],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        )
        contents.add((out.read_bytes(), truth.read_bytes()))
    assert len(contents) == 1


def test_chance_is_the_same_on_every_python():
    chance = Chance(7)
    assert [chance.below(1_000) for _ in range(5)] == [323, 150, 650, 72, 535]
    assert chance.shuffled(range(8)) == [5, 7, 4, 1, 6, 3, 0, 2]
    assert Counter(islice(Deck({"a": 2, "b": 1}, chance).deal(), 9)) == {"a": 6, "b": 3}


@pytest.mark.parametrize("seed", range(4))
def test_every_detail_comes_up_in_a_small_file(seed):
    details = Counter(
        detail for _, outcome, detail in generate(500, seed, shares=HARD) if outcome in {"review", "rejected"}
    )
    assert set(details) == DETAILS


def test_only_accepted_rows_hold_and_repeats_name_them():
    book, held, numbers = Book(), {}, set()
    for seed in range(3):
        rows = _list(seed=seed, shares=HARD, earlier=book)
        here = {}
        for place, (cells, outcome, detail) in enumerate(rows, start=1):
            pin, act = cells[PIN].strip(), (cells[OFFICE].strip(), cells[NUMBER].strip())
            if outcome == "accepted":
                assert pin not in held
                assert act not in numbers
                held[pin] = here[pin] = (place, act, cells[BORN])
                numbers.add(act)
            elif outcome == "duplicate":
                assert held[pin][1:] == (act, cells[BORN].strip())
                assert detail == (f"row {here[pin][0]}" if pin in here else "file")
            elif detail == "pin-held":
                assert pin in held
            elif detail == "act-number":
                assert act in numbers
            elif outcome == "review":
                assert pin not in held


def test_births_that_look_suspicious_are_there():
    rows = _list(20_000, shares=HARD, today=TODAY)
    accepted = [cells for cells, outcome, _ in rows if outcome == "accepted"]
    others = [cells for cells, outcome, _ in rows if outcome in {"review", "rejected"}]
    names = Counter((cells[SURNAME], cells[GIVEN_NAME], cells[BORN]) for cells in accepted)
    assert max(names.values()) > 1
    twins = Counter((cells[SURNAME], cells[BORN], cells[MOTHER]) for cells in accepted if cells[MOTHER])
    assert max(twins.values()) > 1
    twelve = {f"1{DOTTED[years_before(place, 12)].replace('.', '')}": DOTTED[place] for place in _leap_and_other_days()}
    assert any(twelve.get(cells[MOTHER][:9]) == cells[BORN] for cells in accepted)
    assert any(cells[BORN].startswith("29.02.") for cells in accepted)
    assert any(cells[10] == f"{TODAY:%d.%m.%Y}" for cells in accepted)
    assert any(cells[10] == "22.11.2026" for cells in others)
    for ending in (" уулу", " кызы", " тегин", "ёв"):
        assert any(cells[SURNAME].endswith(ending) for cells in accepted)
    assert any("?" in cells[SURNAME] for cells in accepted)
    assert any(not cells[MOTHER] and not cells[9] for cells in accepted)
    assert {cells[PIN] for cells in accepted} & {cells[PIN] for cells in others}
    assert {cells[PIN] for cells in accepted} & {cells[MOTHER] for cells in accepted}
    assert {cells[PLACE] for cells in accepted} < territory().codes


def _leap_and_other_days():
    return range(place_of(date(2000, 1, 1)), place_of(date(2025, 1, 1)))


def test_rows_that_hold_nothing_come_again_with_the_same_outcome():
    seen = Counter(
        (tuple(cells), outcome, detail)
        for cells, outcome, detail in _list(shares=HARD)
        if outcome in {"review", "rejected"}
    )
    assert {outcome for (_, outcome, _), times in seen.items() if times > 1} == {"review", "rejected"}


def test_the_book_stays_small():
    book = Book()
    tracemalloc.start()
    for _ in generate(30_000, 1, earlier=book):
        pass
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / len(book.acts) < 1_000
