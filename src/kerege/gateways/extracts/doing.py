"""Doing what somebody asked to import: the file is opened, read, and written about."""

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from kerege.gateways.extracts.errors import FilesShared
from kerege.gateways.extracts.importer import Importer, Progress, Summary
from kerege.gateways.extracts.outcomes import OutcomesFile
from kerege.gateways.extracts.profile import Profile, read_profile
from kerege.gateways.extracts.reader import Extract, open_extract
from kerege.gateways.extracts.report import ReportFile
from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Verdict
from kerege.gateways.extracts.wanted import Wanted

Texts = Mapping[str, Mapping[str, str]]
"""Texts of the nation by language and id."""


def open_wanted(wanted: Wanted, profiles: Sequence[Profile]) -> Extract:
    """The file with its form found out; raises `ExtractError`, and before anything is read where files are shared."""
    check_files(wanted)
    known = profiles if wanted.profile is None else (read_profile(wanted.profile),)
    return open_extract(wanted.file, known, encoding=wanted.encoding, delimiter=wanted.delimiter)


def check_files(wanted: Wanted) -> None:
    """Nothing that is read is written over, nothing is written twice; raises `FilesShared`."""
    places = {"file": wanted.file, "profile": wanted.profile, "outcomes": wanted.outcomes, "report": wanted.report}
    named = [(name, place) for name, place in places.items() if place is not None]
    for (name, place), (other, same) in combinations(named, 2):
        if _are_one(place, same):
            raise FilesShared(**{name: place, other: same})


def _are_one(place: Path, other: Path) -> bool:
    """Whether two paths mean one file: by its inode where it exists, by its name behind all links where not yet."""
    try:
        return os.path.realpath(place) == os.path.realpath(other) or place.samefile(other)
    except (OSError, ValueError):  # one of them does not exist, or is no path: opening it will say so
        return False


def run_import(importer: Importer, extract: Extract, texts: Texts, wanted: Wanted, progress: Progress) -> Summary:
    """Import, and write what was asked for: outcomes and report appear whole or not at all."""
    if wanted.report is None:
        return _with_outcomes(importer, extract, wanted, _nothing, progress)
    rows = extract.count()
    with ReportFile(wanted.report, extract.layout, texts, rows=rows, with_values=wanted.with_values) as report:
        return _with_outcomes(importer, extract, wanted, report.write, progress)


def _with_outcomes(
    importer: Importer, extract: Extract, wanted: Wanted, on_row: Callable[[Row, Verdict], None], progress: Progress
) -> Summary:
    if wanted.outcomes is None:
        return importer.run(extract, on_row, progress, set_aside=wanted.set_aside)
    with OutcomesFile(wanted.outcomes) as outcomes:

        def both(row: Row, verdict: Verdict) -> None:
            outcomes.write(row.number, verdict)
            on_row(row, verdict)

        return importer.run(extract, both, progress, set_aside=wanted.set_aside)


def _nothing(_row: Row, _verdict: Verdict) -> None:
    """No report is written."""
