"""What an import writes down: complete or absent, no formulas, no values but asked for."""

import gc
import resource
import tracemalloc

import openpyxl
import pytest

from kerege.gateways.extracts.errors import OutputUnwritable, SheetFull
from kerege.gateways.extracts.outcomes import OutcomesFile
from kerege.gateways.extracts.profile import recognise
from kerege.gateways.extracts.report import ReportFile
from kerege.gateways.extracts.row import row_maker
from kerege.gateways.extracts.rules import REJECTED, REVIEW, Outcome, Verdict
from kerege.gateways.extracts.texts import needed_texts, sentence
from kerege.gateways.extracts.xlsx import Workbook, column_letters
from kerege.node.pack import nation_folder, read_pack
from tests.gateways.extracts.support import PROFILES, WHOLE

PACK = read_pack(nation_folder("kg"))
ACCEPTED = Verdict(Outcome.ACCEPTED)
EVERY = (
    ACCEPTED,
    Verdict(Outcome.DUPLICATE, "file"),
    Verdict(Outcome.DUPLICATE, "row 17"),
    *(Verdict(Outcome.REJECTED, detail) for detail in REJECTED),
    *(Verdict(Outcome.REVIEW, detail) for detail in REVIEW),
)


def _layout():
    layout = recognise(list(PROFILES[0].columns), PROFILES)
    assert layout is not None
    return layout


LAYOUT = _layout()
MAKE = row_maker(LAYOUT)


def _row(number=1, *more, **changed):
    return MAKE(number, [*(WHOLE | changed).values(), *more])


def _open_report(path):
    return ReportFile(path, LAYOUT, PACK.texts, rows=1)


def _report(path, judged, **given):
    """The report on (row, verdict) pairs, as sheets of values by name."""
    rows = given.pop("rows", len(judged))
    with ReportFile(path, LAYOUT, PACK.texts, rows=rows, **given) as report:
        for row, verdict in judged:
            report.write(row, verdict)
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_every_outcome_has_its_sentence_in_every_language():
    for language in PACK.nation.languages:
        told = [sentence(verdict, PACK.texts[language]) for verdict in EVERY]
        assert len(set(told)) == len(EVERY)
        assert not [one for one in told if "{" in one]
        assert "17" in told[2]
        ids = {key for key in PACK.texts[language] if key.startswith("import.")}
        assert set(needed_texts()) <= ids


def test_a_line_per_finding_with_its_cell_and_no_value(tmp_path):
    judged = [(_row(number), verdict) for number, verdict in enumerate(EVERY, 1)]
    sheets = _report(tmp_path / "r.xlsx", judged)
    assert list(sheets) == ["Жыйынтык", "Эскертүүлөр"]
    lines = sheets["Эскертүүлөр"][1:]
    assert [found[:3] for found in lines] == [
        (2, "A3", "duplicate.file"),
        (3, "A4", "duplicate.row"),
        (4, "A5", "rejected.pin"),
        (5, "B6", "rejected.surname"),
        (6, "C7", "rejected.given_name"),
        (7, "E8", "rejected.sex"),
        (8, "F9", "rejected.birth_date"),
        (9, "G10", "rejected.place_code"),
        (10, "K11", "rejected.registered_on"),
        (11, "A12", "review.pin-held"),
        (12, "A13", "review.pin-sex"),
        (13, "A14", "review.pin-birth-date"),
        (14, "I15", "review.mother-pin"),
        (15, "J16", "review.father-pin"),
        (16, "L17", "review.act-number"),
    ]
    for place, language in enumerate(PACK.nation.languages, 3):
        assert [found[place] for found in lines] == [sentence(verdict, PACK.texts[language]) for verdict in EVERY[1:]]
    everything = repr(sheets)
    assert not [cell for cell in WHOLE.values() if len(cell) > 1 and cell in everything]


def test_the_summary_compares_the_rows_with_their_outcomes(tmp_path):
    judged = [(_row(number), verdict) for number, verdict in enumerate(EVERY, 1)]
    for rows, answer in ((len(EVERY), "agrees"), (len(EVERY) + 1, "disagrees")):
        summary = _report(tmp_path / "r.xlsx", judged, rows=rows)["Жыйынтык"]
        assert {found[0]: found[1] for found in summary if found[1]} | {"rows": 0} == {
            "rows": 0,
            "accepted": 1,
            "duplicate": 2,
            "review": len(REVIEW),
            "rejected": len(REJECTED),
            "sum": len(EVERY),
            **dict.fromkeys(("duplicate.file", "duplicate.row"), 1),
            **{f"rejected.{detail}": 1 for detail in REJECTED},
            **{f"review.{detail}": 1 for detail in REVIEW},
        }
        assert summary[1][1] == rows
        assert PACK.texts["en"][f"import.head.{answer}"] in [found[-1] for found in summary]


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@a", '=HYPERLINK("http://x")', "\t=1", "</t><x>&amp;", "1e5"])
def test_a_value_is_text_whatever_it_begins_with(tmp_path, value):
    _report(tmp_path / "r.xlsx", [(_row(pin=value), EVERY[3])], with_values=True)
    cell = openpyxl.load_workbook(tmp_path / "r.xlsx")["Эскертүүлөр"]["G2"]
    assert (cell.value, cell.data_type) == (value, "s")
    assert cell.quotePrefix


def test_what_xml_cannot_hold_is_written_as_the_format_says(tmp_path):
    sheets = _report(tmp_path / "r.xlsx", [(_row(pin="a\x00\x1b\rb\ufffe_x0041_"), EVERY[3])], with_values=True)
    shown = sheets["Эскертүүлөр"][1][6]
    assert shown in {"a\x00\x1b\rb\ufffe_x0041_", "a_x0000__x001B__x000D_b_xFFFE__x005F_x0041_"}


def test_damage_is_told_of_accepted_rows_too(tmp_path):
    judged = [
        (_row(1, office="\ufffd"), ACCEPTED),
        (_row(2, "further"), ACCEPTED),
        (MAKE(3, ["x"]), EVERY[3]),
        (_row(4, "", ""), ACCEPTED),
    ]
    lines = _report(tmp_path / "r.xlsx", judged, with_values=True)["Эскертүүлөр"][1:]
    assert [(*found[:3], found[-1]) for found in lines] == [
        (1, "M2", "note.damaged", "\ufffd"),
        (2, "N3", "note.cells", "further"),
        (3, "A4", "rejected.pin", "x"),
        (3, "B4", "note.cells", ""),
    ]
    assert "14" in lines[1][5]
    assert "13" in lines[1][5]


def test_more_findings_than_a_sheet_holds_go_to_further_sheets(tmp_path):
    judged = [(_row(number), EVERY[3]) for number in range(1, 8)]
    sheets = _report(tmp_path / "r.xlsx", judged, sheet_rows=4)
    assert {name: [found[0] for found in rows[1:]] for name, rows in list(sheets.items())[1:]} == {
        "Эскертүүлөр": [1, 2, 3],
        "Эскертүүлөр 2": [4, 5, 6],
        "Эскертүүлөр 3": [7],
    }
    assert sheets["Эскертүүлөр 3"][0] == sheets["Эскертүүлөр"][0]


def test_equal_findings_make_equal_bytes(tmp_path):
    for name in ("a", "b"):
        _report(tmp_path / f"{name}.xlsx", [(_row(), verdict) for verdict in EVERY])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_memory_does_not_grow_with_the_report(tmp_path):
    row = _row()
    peaks = []
    for count in (2_000, 20_000):
        tracemalloc.start()
        with ReportFile(tmp_path / "r.xlsx", LAYOUT, PACK.texts, rows=count) as report:
            for _ in range(count):
                report.write(row, EVERY[3])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000


def test_what_is_not_finished_does_not_appear(tmp_path):
    def fail(path, open_file, *written):
        path.write_text("before")
        with open_file(path) as file:
            file.write(*written)
            raise ZeroDivisionError

    for name, open_file, written in (
        ("o.csv", OutcomesFile, (1, ACCEPTED)),
        ("r.xlsx", _open_report, (_row(), EVERY[3])),
    ):
        with pytest.raises(ZeroDivisionError):
            fail(tmp_path / name, open_file, *written)
        gc.collect()
        assert (tmp_path / name).read_text() == "before"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["o.csv", "r.xlsx"]


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path):
    def fill(path, open_file, *written):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
            with open_file(path) as file:
                for _ in range(50_000):
                    file.write(*written)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    for name, open_file, written in (
        ("o.csv", OutcomesFile, (1, ACCEPTED)),
        ("r.xlsx", _open_report, (_row(), EVERY[3])),
    ):
        with pytest.raises(OutputUnwritable) as caught:
            fill(tmp_path / name, open_file, *written)
        assert caught.value.facts["file"] == tmp_path / name
        gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path):
    for path in (tmp_path, tmp_path / "no" / "o.csv", tmp_path / "nul\0l"):
        with pytest.raises(OutputUnwritable), OutcomesFile(path):
            pass


def test_a_row_beyond_the_formats_bound_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("kerege.gateways.extracts.xlsx.MAXIMUM_ROWS", 2)
    with (tmp_path / "r.xlsx").open("wb") as stream:
        book = Workbook(stream)
        with book.sheet("[a]", (1,)) as sheet:
            sheet.row([1])
            sheet.row(["b"])
            with pytest.raises(SheetFull):
                sheet.row([3])
        book.close(order=(0,))
    assert openpyxl.load_workbook(tmp_path / "r.xlsx").sheetnames == ["a"]


def test_columns_have_the_letters_of_a_spreadsheet():
    assert [column_letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
