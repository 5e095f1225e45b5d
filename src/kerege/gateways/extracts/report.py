"""The report of an import: one line per finding, and a summary that shows whether every row has its outcome."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from kerege.gateways.extracts.errors import ExtractError
from kerege.gateways.extracts.profile import Layout
from kerege.gateways.extracts.row import LOST, Row
from kerege.gateways.extracts.rules import Outcome, Verdict
from kerege.gateways.extracts.texts import Texts, facts, text_id
from kerege.gateways.extracts.writing import Replacement
from kerege.gateways.extracts.xlsx import FOREIGN, HEAD, MAXIMUM_ROWS, PLAIN, Cell, Sheet, Workbook, column_letters

_FIELD_OF = {
    "pin-held": "pin",
    "pin-sex": "pin",
    "pin-birth-date": "pin",
    "mother-pin": "mother_pin",
    "father-pin": "father_pin",
    "act-number": "act_number",
}
"""The field to look at first, where the detail is not its name."""

_WIDTHS = (10, 10, 24)
_WIDE = 80


class _Finding(Struct, frozen=True):
    place: int
    """Column of the cell in the extract, from 0."""
    code: str
    facts: dict[str, str]


class ReportFile:
    """Writes the XLSX of one import. It appears under its name when it is complete, or not at all.

    `rows`: how many rows the file has, counted before they were judged, so that the summary compares two counts.
    `texts`: sentences by id for each language, in the order of their columns. `with_values`: what stands in the cell
    of a finding is written too; else the report holds nothing of any person.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        texts: Mapping[str, Texts],
        *,
        rows: int,
        with_values: bool = False,
        sheet_rows: int = MAXIMUM_ROWS,
    ) -> None:
        self._replacement = Replacement(path)
        self._layout = layout
        self._texts = texts
        self._rows = rows
        self._with_values = with_values
        self._sheet_rows = sheet_rows
        self._codes: Counter[str] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        self._sheets = 0
        self._opened: AbstractContextManager[Sheet] | None = None

    def __enter__(self) -> Self:
        self._book = Workbook(self._replacement.open())
        self._begin_sheet()
        return self

    def write(self, row: Row, verdict: Verdict) -> None:
        """The outcome of one row, accepted ones too: they are counted, and their damage is told."""
        self._outcomes[verdict.outcome] += 1
        for finding in self._findings(row, verdict):
            self._codes[finding.code] += 1
            if self._left == 0:
                self._end_sheet()
                self._begin_sheet()
            self._left -= 1
            self._sheet.row(*self._line(row, finding))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keep = False
        try:
            if kind is None:
                self._end_sheet()
                self._write_summary()
                self._book.close(order=(self._sheets, *range(self._sheets)))
                keep = True
        finally:
            if not keep:
                with suppress(OSError, ValueError, ExtractError):
                    self._end_sheet()
                self._book.abandon()
            self._replacement.close(keep=keep)

    def _findings(self, row: Row, verdict: Verdict) -> Iterator[_Finding]:
        if verdict.outcome is not Outcome.ACCEPTED:
            field = "pin" if verdict.outcome is Outcome.DUPLICATE else _FIELD_OF.get(verdict.detail, verdict.detail)
            place = self._layout.place(field) or 0
            yield _Finding(place, text_id(verdict).removeprefix("import."), facts(verdict))
        if row.damaged:
            place = next((place for place, cell in enumerate(row.raw) if LOST in cell), 0)
            yield _Finding(place, "note.damaged", {})
        if row.cells:
            counts = {"found": str(row.cells), "expected": str(self._layout.width)}
            yield _Finding(min(row.cells, self._layout.width), "note.cells", counts)

    def _line(self, row: Row, finding: _Finding) -> tuple[list[Cell], Sequence[int]]:
        cells: list[Cell] = [row.number, f"{column_letters(finding.place)}{row.number + 1}", finding.code]
        cells += [texts[f"import.{finding.code}"].format(**finding.facts) for texts in self._texts.values()]
        styles = [PLAIN] * len(cells)
        if self._with_values:
            cells.append(row.raw[finding.place] if finding.place < len(row.raw) else "")
            styles.append(FOREIGN)
        return cells, styles

    def _heads(self, *names: str) -> list[Cell]:
        first = next(iter(self._texts.values()))
        return [first[f"import.head.{name}"] for name in names]

    def _begin_sheet(self) -> None:
        heads = self._heads("row", "cell", "code")
        heads += [texts["import.head.message"] for texts in self._texts.values()]
        if self._with_values:
            heads += self._heads("value")
        name = str(self._heads("findings")[0])
        self._opened = self._book.sheet(name, (*_WIDTHS, *[_WIDE] * (len(heads) - len(_WIDTHS))))
        self._sheet = self._opened.__enter__()
        self._sheet.row(heads, [HEAD] * len(heads))
        self._left = self._sheet_rows - 1
        self._sheets += 1

    def _end_sheet(self) -> None:
        if self._opened is not None:
            self._opened.__exit__(None, None, None)
            self._opened = None

    def _write_summary(self) -> None:
        every = list(self._texts.values())
        total = sum(self._outcomes.values())
        answer = "agrees" if total == self._rows else "disagrees"
        with self._book.sheet(str(self._heads("summary")[0]), (24, 12, *[_WIDE] * len(every))) as sheet:
            heads = ["", "", *(texts["import.head.summary"] for texts in every)]
            sheet.row(heads, [HEAD] * len(heads))
            sheet.row(["rows", self._rows, *(texts["import.head.rows"] for texts in every)])
            for outcome in Outcome:
                told = [texts[f"import.outcome.{outcome.value}"] for texts in every]
                sheet.row([outcome.value, self._outcomes[outcome], *told])
            sheet.row(["sum", total, *(texts["import.head.sum"] for texts in every)])
            sheet.row(["", "", *(texts[f"import.head.{answer}"] for texts in every)], [HEAD] * (2 + len(every)))
            for code in sorted(self._codes):
                sheet.row([code, self._codes[code]])
