"""The outcomes of a file, a row each: `row,outcome,detail`, UTF-8, line feeds."""

from pathlib import Path
from types import TracebackType
from typing import Self

from kerege.gateways.extracts.rules import Verdict
from kerege.gateways.extracts.writing import Replacement


class OutcomesFile:
    """Writes the outcomes of one import. The file appears under its name when all are written, or not at all."""

    def __init__(self, path: Path) -> None:
        self._replacement = Replacement(path)

    def __enter__(self) -> Self:
        self._write = self._replacement.open().write
        self._write(b"row,outcome,detail\n")
        return self

    def write(self, number: int, verdict: Verdict) -> None:
        """The outcome of one row. Details need no quotes: they are the rules' own words."""
        self._write(f"{number},{verdict.outcome},{verdict.detail}\n".encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._replacement.close(keep=kind is None)
