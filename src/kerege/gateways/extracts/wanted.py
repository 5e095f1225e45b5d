"""One import as somebody asked for it: which file, read how, and what to write about it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asked to import."""

    file: Path
    profile: Path | None = None
    """Form of the file; None: recognised by its header among the nation's."""
    encoding: str | None = None
    delimiter: str | None = None
    outcomes: Path | None = None
    """Where the CSV with the outcome of every row goes."""
    report: Path | None = None
    """Where the XLSX with every finding goes."""
    with_values: bool = False
    """Whether the report shows the cells: the only clear copy that an import writes."""
    set_aside: bool = False
    """Whether an unfinished import of another file is ended first with the rows it has."""
