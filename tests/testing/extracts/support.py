"""Judges what the generator made with the rules of the import."""

from datetime import date
from pathlib import Path

from kerege.gateways.extracts.comparing import MemoryKnown
from kerege.gateways.extracts.profile import read_profiles
from kerege.gateways.extracts.reader import open_extract
from kerege.gateways.extracts.rules import Outcome, judge
from kerege.testing.extracts.places import territory

PROFILES = read_profiles(Path(__file__).parents[3] / "src/kerege/nations/kg/extracts")
TODAY = date(2026, 11, 21)


def judged(path, known=None):
    """(outcome, detail) of each row of a file as the rules see it, in order; what is accepted is known then."""
    known = known or MemoryKnown()
    known.begin_file()
    found = []
    for row in open_extract(path, PROFILES).rows():
        verdict = judge(row, known, territory().codes, TODAY)
        if verdict.outcome is Outcome.ACCEPTED:
            known.accept(row)
        found.append((verdict.outcome.value, verdict.detail))
    return found


def truth_of(path):
    """(outcome, detail) of each row as the generator says."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "row,outcome,detail"
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, len(lines)))
    return [tuple(line.split(",")[1:]) for line in lines[1:]]
