"""The shared extracts, imported in their order, end as their truth files say, byte for byte."""

import csv

import pytest

from kerege.gateways.extracts.comparing import MemoryKnown
from kerege.gateways.extracts.outcomes import OutcomesFile
from kerege.gateways.extracts.reader import open_extract
from kerege.gateways.extracts.rules import Outcome, judge
from tests.gateways.extracts.support import PROFILES, SHARED, TODAY


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
def test_outcomes_of_both_shared_extracts_are_the_truth(tmp_path):
    with (SHARED / "soate.csv").open(encoding="utf-8", newline="") as stream:
        territory = frozenset(cells["code"] for cells in csv.DictReader(stream))
    known = MemoryKnown()
    for name, encoding in (("births-utf8", "utf-8"), ("births-cp1251", "cp1251")):
        extract = open_extract(SHARED / "civil" / f"{name}.csv", PROFILES)
        assert (extract.encoding, extract.delimiter) == (encoding, ";")
        known.begin_file()
        with OutcomesFile(tmp_path / name) as outcomes:
            for row in extract.rows():
                verdict = judge(row, known, territory, TODAY)
                if verdict.outcome is Outcome.ACCEPTED:
                    known.accept(row)
                outcomes.write(row.number, verdict)
        assert (tmp_path / name).read_bytes() == (SHARED / "civil" / f"{name}.truth.csv").read_bytes()
