"""Files as old registries and enemies send them: each read, or refused in one sentence that names the cure."""

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerege.gateways.extracts import errors
from kerege.gateways.extracts.limits import MAXIMUM_COLUMNS, MAXIMUM_FIELD, MAXIMUM_HEADER, MAXIMUM_RECORD
from kerege.gateways.extracts.reader import DELIMITERS, open_extract
from tests.gateways.extracts.support import HEAD, PROFILES, WHOLE, judged, line, rows_of, text, write

RUSSIAN = ";".join((*PROFILES[1].columns, *PROFILES[1].ignored))


def _refused(path: Path, kind: type[errors.ExtractError], **given: str) -> dict[str, object]:
    """The facts of the refusal; its sentence is one, with a cure, and holds no cell of the file."""
    with pytest.raises(kind) as caught:
        open_extract(path, PROFILES, **given).count()
    told = str(caught.value)
    assert told.endswith(kind.cure)
    assert "\n" not in told
    assert "Мамбетов" not in told
    return caught.value.facts


# -- refused ---------------------------------------------------------------------------------------------------------


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("absent", "pipe", ".", "nul\0l"):
        _refused(tmp_path / name, errors.ExtractUnreadable)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n\r\n  \n"])
def test_an_empty_file(tmp_path, content):
    _refused(write(tmp_path, content), errors.ExtractEmpty)


@pytest.mark.parametrize("content", [HEAD, HEAD + "\r\n", HEAD + "\n\n\n"])
def test_a_header_and_nothing_below(tmp_path, content):
    _refused(write(tmp_path, content), errors.ExtractWithoutRows)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + bytes(30),
        b"\xd0\xcf\x11\xe0" + bytes(30),
        b"\x1f\x8b\x08abc",
        text(line()).encode("utf-32"),
        bytes(range(256)) * 20 + bytes(2_000),
    ],
)
def test_what_is_no_text(tmp_path, content):
    _refused(write(tmp_path, content), errors.ExtractNotText)


def test_an_unknown_header_is_refused_with_those_that_are_known(tmp_path):
    for head in ("a;b;c", HEAD + ";further", HEAD.replace("office", "offices"), HEAD + ";pin", line(), "pin"):
        facts = _refused(write(tmp_path, text(line(), head=head)), errors.HeaderUnknown)
        assert facts.items() >= {"births-codes": HEAD, "births-russian": RUSSIAN}.items()


def test_a_wrong_encoding_or_delimiter_is_refused(tmp_path):
    path = write(tmp_path, text(line()))
    _refused(path, errors.EncodingUnknown, encoding="utf-7")
    _refused(path, errors.DelimiterUnknown, delimiter=":")
    _refused(path, errors.HeaderUnknown, delimiter=",")
    _refused(write(tmp_path, text(line(), head=RUSSIAN)), errors.HeaderUnknown, encoding="koi8-r")


def test_a_file_that_ends_within_a_row(tmp_path):
    whole = text(line(), line(place_name='"Аламүдүн')).rstrip()
    assert _refused(write(tmp_path, whole), errors.ExtractCutOff) == {"row": 2}
    short = text(line(), line()).rstrip()[:-40]
    assert _refused(write(tmp_path, short), errors.ExtractCutOff) == {"row": 2}
    assert _refused(write(tmp_path, HEAD + '\r\n"'), errors.ExtractCutOff) == {"row": 1}


def test_a_file_that_ends_within_a_letter(tmp_path):
    for letter in ("Ө", "–", "\U00020000"):
        whole = text(line(), line(office=letter)).rstrip().encode()
        for kept in range(1, len(letter.encode())):
            path = write(tmp_path, whole[: kept - len(letter.encode())])
            assert _refused(path, errors.ExtractCutOff) == {"file": path}
    odd = write(tmp_path, text(line(), line()).rstrip().encode("utf-16")[:-1])
    assert _refused(odd, errors.ExtractCutOff) == {"file": odd}


def test_a_last_row_without_the_cells_that_all_others_have(tmp_path):
    """Where others leave out empty cells too, or the last line has its end, nothing says that any was lost."""
    whole, short = line() + ";", line()
    told = _refused(write(tmp_path, text(whole, whole, short, head=RUSSIAN).rstrip()), errors.ExtractCutOff)
    assert told == {"row": 3}
    assert len(rows_of(write(tmp_path, text(whole, short, short, head=RUSSIAN).rstrip()))) == 3
    assert len(rows_of(write(tmp_path, text(whole, whole, short, head=RUSSIAN)))) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_last_line_without_its_end_is_noted(tmp_path, encoding, end):
    content = text(line(given_name="Омурбек", place_name="")).replace("\r\n", end)
    for whole in (True, False):
        path = write(tmp_path, content if whole else content.removesuffix(end), encoding=encoding)
        assert open_extract(path, PROFILES).open_end is not whole


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("given", [{}, {"encoding": "utf-16"}, {"encoding": "UTF-16"}])
def test_utf_16_without_its_mark(tmp_path, codec, given):
    _refused(write(tmp_path, text(line()), encoding=codec), errors.MarkMissing, **given)


def test_a_line_that_names_the_delimiter_to_a_spreadsheet(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        _refused(write(tmp_path, f"sep=;\r\n{text(line())}", encoding=encoding), errors.DelimiterLine)


def test_an_encoding_is_named_in_any_case(tmp_path):
    assert open_extract(write(tmp_path, text(line())), PROFILES, encoding="UTF-8").encoding == "utf-8"


def test_a_quote_that_swallows_rows(tmp_path):
    """Rows up to the next quote would vanish into one; the file is refused before any of it is taken."""
    named = line(place_name='"село ""Ак-Суу"""')
    for at in ("surname", "pin", "office"):
        opened = line(**{at: '"' + WHOLE[at]})
        told = _refused(write(tmp_path, text(line(), opened, line(), line(), named, line())), errors.QuoteUnclosed)
        assert (told["row"], told["lines"]) == (2, 4)


def test_quotes_that_are_letters_and_line_breaks_that_are_meant(tmp_path):
    rows = [line(surname='Кой"чуманов'), line(surname='"Кой"чуманов'), line(place_name='"село\n""Ак-Суу"""'), line()]
    cells = list(open_extract(write(tmp_path, text(*rows)), PROFILES).records())
    assert len(cells) == 4


def test_how_a_header_differs_is_told_without_its_cells(tmp_path):
    names = HEAD.split(";")
    told = _refused(write(tmp_path, text(line(), head=";".join(names[:-1]))), errors.HeaderUnknown)
    assert (told["nearest"], told["missing"]) == ("births-codes", names[-1])
    told = _refused(write(tmp_path, text(line(), head=f"{HEAD};Асанов")), errors.HeaderUnknown)
    assert (told["columns_unknown"], "missing" in told) == (1, False)
    assert "Асанов" not in str(told)
    told = _refused(write(tmp_path, text(line(), head=f"{HEAD};{names[0]}")), errors.HeaderUnknown)
    assert told["named_twice"] == names[0]
    assert "nearest" not in _refused(write(tmp_path, text(line(), head=line())), errors.HeaderUnknown)


def test_bounds(tmp_path):
    long = text(line(), line(place_name="я" * (MAXIMUM_FIELD + 1)))
    assert _refused(write(tmp_path, long), errors.FieldTooLong)["row"] == 2
    longer = text(line(), line(place_name="я" * MAXIMUM_RECORD))
    assert _refused(write(tmp_path, longer), errors.RecordTooLong)["row"] == 2
    lines = text(line(), line(place_name='"' + "я\n" * MAXIMUM_RECORD), line())
    assert _refused(write(tmp_path, lines), errors.RecordTooLong)["row"] == 2
    wide = text(line(), line() + ";" * MAXIMUM_COLUMNS)
    assert _refused(write(tmp_path, wide), errors.TooManyColumns)["row"] == 2
    _refused(write(tmp_path, text(line(), head=HEAD + ";" * MAXIMUM_COLUMNS)), errors.TooManyColumns)
    _refused(write(tmp_path, "x;" * 1_000_000 + "\n"), errors.HeaderTooLong)
    _refused(write(tmp_path, "x" * (MAXIMUM_HEADER + 1)), errors.HeaderTooLong)
    million = text(line(), ";" * 1_000_000, line())
    assert _refused(write(tmp_path, million), errors.RecordTooLong)["row"] == 2


def test_an_endless_row_is_refused_in_little_memory(tmp_path):
    for begin in ("", '"'):
        path = write(tmp_path, text(begin + "я" * 20_000_000))
        tracemalloc.start()
        _refused(path, errors.RecordTooLong)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 12 << 20


def test_a_file_that_changes_while_it_is_read(tmp_path):
    path = write(tmp_path, text(*[line()] * 3))
    extract = open_extract(path, PROFILES)
    records = extract.records()
    next(records)
    write(tmp_path, text(*[line()] * 4))
    with pytest.raises(errors.ExtractChanged):
        list(records)
    with pytest.raises(errors.ExtractChanged):
        extract.count()


# -- read ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_unicode(tmp_path, encoding, mark):
    # The codec utf-16 writes its own mark.
    content = text(line()) if encoding == "utf-16" else mark + text(line())
    path = write(tmp_path, content, encoding=encoding)
    assert open_extract(path, PROFILES).encoding == encoding
    assert judged(rows_of(path)) == [("accepted", "")]
    assert rows_of(path)[0].given_name == "Өмүрбек"


@pytest.mark.parametrize("encoding", ["cp1251", "cp866", "koi8-r"])
@pytest.mark.parametrize("head", [HEAD, RUSSIAN])
def test_one_byte_a_letter(tmp_path, encoding, head):
    more = ";" if head == RUSSIAN else ""
    cells = line(given_name="Омурбек", place_name="Аламудун району") + more
    path = write(tmp_path, text(*[cells] * 3, head=head), encoding=encoding)
    assert open_extract(path, PROFILES).encoding == encoding
    assert rows_of(path)[2].given_name == "Омурбек"
    assert judged(rows_of(path)) == [("accepted", ""), *[("duplicate", "row 1")] * 2]


def test_capital_letters_of_one_byte(tmp_path):
    for encoding in ("cp1251", "cp866", "koi8-r"):
        cells = line(surname="МАМБЕТОВ", given_name="ОМУРБЕК", patronymic="МЕДЕРОВИЧ", place_name="АЛАМУДУН РАЙОНУ")
        path = write(tmp_path, text(*[cells] * 3), encoding=encoding)
        assert open_extract(path, PROFILES).encoding == encoding


def test_ascii_rows_leave_the_encoding_to_the_profile(tmp_path):
    path = write(tmp_path, text(line(surname="A", given_name="B", patronymic="", sex="M", place_name="", office="C")))
    assert open_extract(path, PROFILES).encoding == "utf-8"


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_every_delimiter(tmp_path, delimiter):
    path = write(tmp_path, text(line(), line()).replace(";", delimiter))
    assert open_extract(path, PROFILES).delimiter == delimiter
    assert judged(rows_of(path, delimiter=delimiter)) == [("accepted", ""), ("duplicate", "row 1")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_and_blank_lines_between(tmp_path, end):
    path = write(tmp_path, text("", line(), "", "", line()).replace("\r\n", end))
    assert [row.number for row in rows_of(path)] == [1, 2]


def test_the_last_row_needs_no_line_end(tmp_path):
    assert len(rows_of(write(tmp_path, text(line(), line()).rstrip()))) == 2


def test_rows_are_records_not_lines(tmp_path):
    broken = line(place_name='"Аламүдүн району\nкөчө 1; үй ""2"""')
    rows = rows_of(write(tmp_path, text(broken, line())))
    assert [row.number for row in rows] == [1, 2]
    assert rows[0].place_name == 'Аламүдүн району\nкөчө 1; үй "2"'


def test_spaces_and_no_break_spaces_around_a_value_do_not_count(tmp_path):
    spaced = ";".join(f"\u00a0 {cell}\u202f\u00a0" for cell in line().split(";"))
    head = ";".join(f" {name}\u00a0" for name in HEAD.split(";"))
    rows = rows_of(write(tmp_path, text(spaced, line(surname=" \u00a0\ufeff"), head=head)))
    assert judged(rows) == [("accepted", ""), ("rejected", "surname")]
    assert rows[0].surname == "Мамбетов"


def test_columns_may_stand_in_any_order_and_have_none_beside_them(tmp_path):
    mixed = "\r\n".join(";".join([*reversed(cells.split(";")), ""]) for cells in (HEAD, line(), line()))
    assert judged(rows_of(write(tmp_path, mixed))) == [("accepted", ""), ("duplicate", "row 1")]


def test_values_become_nfc(tmp_path):
    (row,) = rows_of(write(tmp_path, text(line(surname="Маи\u0306бетов", given_name="Е\u0308лка"))))
    assert (row.surname, row.given_name) == ("Майбетов", "Ёлка")


def test_a_row_with_bytes_of_another_encoding_is_judged_and_the_file_goes_on(tmp_path):
    lines = [line().encode(), line(surname="Мамбетов", given_name="Омурбек", place_name="").encode("cp1251")]
    path = write(tmp_path, b"\n".join((HEAD.encode(), *lines, *lines[:1] * 9, b"")))
    rows = rows_of(path)
    assert [row.damaged for row in rows] == [False, True, *[False] * 9]
    assert judged(rows)[1] == ("rejected", "sex")
    assert judged(rows)[2] == ("duplicate", "row 1")


def test_nul_bytes_are_in_a_row_like_any_other(tmp_path):
    rows = rows_of(write(tmp_path, text(line(pin="2051220200\x000031"), line())))
    assert judged(rows) == [("rejected", "pin"), ("accepted", "")]


@pytest.mark.parametrize(
    ("cells", "outcome", "found"),
    [
        (line() + ";;;", ("accepted", ""), 0),
        (line() + ";more", ("accepted", ""), 14),
        (line().rsplit(";", 1)[0], ("accepted", ""), 12),
        (line().rsplit(";", 3)[0], ("rejected", "registered_on"), 10),
        (line().replace("Аламүдүн ", "Аламүдүн; "), ("rejected", "registered_on"), 14),
        ("x", ("rejected", "pin"), 1),
        (";" * 12, ("rejected", "pin"), 0),
    ],
)
def test_too_few_or_too_many_cells(tmp_path, cells, outcome, found):
    rows = rows_of(write(tmp_path, text(cells, line())))
    assert judged(rows)[0] == outcome
    assert [row.cells for row in rows] == [found, 0]


def test_an_empty_last_column_may_be_left_out(tmp_path):
    rows = rows_of(write(tmp_path, text(line(), line() + ";", line() + ";x", head=RUSSIAN).rstrip()))
    assert [row.cells for row in rows] == [0, 0, 0]


def test_a_date_is_written_as_the_profile_says(tmp_path):
    written = ("5.12.2020", "05.12.20", "2020-12-05", "05/12/2020", "30.02.2020", "00.12.2020", "05.12.0000", "")
    rows = rows_of(write(tmp_path, text(*(line(birth_date=day) for day in written), line(birth_date="29.02.2020"))))
    assert judged(rows[:-1]) == [("rejected", "birth_date")] * len(written)
    assert judged(rows[-1:]) == [("review", "pin-birth-date")]


def test_words_of_sex_are_those_of_the_profile_letter_by_letter(tmp_path):
    for word, sex in (("Э", "male"), ("М", "male"), ("А", "female"), ("Ж", "female"), ("э", ""), ("M", ""), ("?", "")):
        assert rows_of(write(tmp_path, text(line(sex=word))))[0].sex == sex


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=2_000), st.integers(0, 600), st.booleans())
def test_any_bytes_end_in_rows_or_in_a_refusal(tmp_path, noise, place, replace):
    good = text(line(), line(place_name='"a\nb"'), line()).encode()
    content = good[:place] + noise + good[place + (len(noise) if replace else 0) :]
    path = write(tmp_path, content)
    try:
        extract = open_extract(path, PROFILES)
        rows = list(extract.rows())
    except errors.ExtractError:
        return
    assert [row.number for row in rows] == list(range(1, extract.count() + 1))
    assert len(judged(rows)) == len(rows)


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=13, max_size=13),
        min_size=1,
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_a_cell_holds_is_what_was_written(tmp_path, records):
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    content = "\n".join([HEAD, *(";".join(map(quoted, cells)) for cells in records), ""])
    read = [cells for _, cells in open_extract(write(tmp_path, content), PROFILES, encoding="utf-8").records()]
    assert read == records
