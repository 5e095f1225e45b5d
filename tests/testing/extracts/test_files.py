"""Files in every form, encoding and state are read back as what was made."""

import csv
from itertools import product

import pytest

from kerege.gateways.extracts.reader import open_extract
from kerege.testing.extracts import UNDAMAGED, Damage, Shares, generate, write
from kerege.testing.extracts.__main__ import main
from tests.testing.extracts.support import PROFILES, judged, truth_of

HARD = Shares(duplicate=0.2, review=0.2, rejected=0.2)
WORN = Damage(spaces=0.3, breaks=0.3, mark=False, line_end="\n", empty_column=True, blank_lines=3)


@pytest.mark.parametrize(
    ("form", "encoding", "damage"),
    list(product(("codes", "russian"), ("utf-8", "utf-16", "cp1251", "cp866", "koi8-r"), (UNDAMAGED, Damage(), WORN))),
)
def test_each_encoding_is_recognised_and_each_row_read(tmp_path, form, encoding, damage):
    path, truth = tmp_path / "f", tmp_path / "t"
    given = {"form": form, "encoding": encoding, "shares": HARD, "damage": damage}
    counts = write(path, truth, 600, 5, **given)
    extract = open_extract(path, PROFILES)
    assert (extract.encoding, extract.layout.profile.code) == (encoding, f"births-{form}")
    assert [cells for _, cells in extract.records()] == [cells for cells, _, _ in generate(600, 5, **given)]
    assert judged(path) == truth_of(truth)
    assert counts.total() == 600


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_delimiters(tmp_path, delimiter):
    write(tmp_path / "f", tmp_path / "t", 300, 6, delimiter=delimiter, damage=WORN, shares=HARD)
    assert open_extract(tmp_path / "f", PROFILES).delimiter == delimiter
    assert judged(tmp_path / "f") == truth_of(tmp_path / "t")


def test_the_forms_look_like_the_old_registries_own(tmp_path):
    write(tmp_path / "f", tmp_path / "t", 300, 7)
    content = (tmp_path / "f").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfpin;surname;given_name;")
    assert content.endswith(b"\r\n")
    write(tmp_path / "f", tmp_path / "t", 300, 7, form="russian")
    content = (tmp_path / "f").read_bytes()
    assert content.startswith("ПИН;Фамилия;Имя;".encode("cp1251"))
    assert not set(content.decode("cp1251")) & set("өүңӨҮҢ")
    rows = list(csv.reader(content.decode("cp1251").splitlines(), delimiter=";"))
    assert rows[0][-1] == "Примечание"
    assert {len(row) for row in rows} >= {14}


def test_the_command_writes_files_one_after_the_other(tmp_path, capsys):
    out, truth = tmp_path / "f", tmp_path / "t"
    common = ["--out", str(out), "--truth", str(truth), "--duplicate", "0.3", "--form", "russian"]
    assert main(["--rows", "400", "--seed", "9", *common]) == 0
    assert capsys.readouterr().out == "269 accepted, 120 duplicate, 5 review, 6 rejected\n"
    assert ("duplicate", "file") not in truth_of(truth)
    alone = out.read_bytes()
    assert main(["--rows", "400", "--seed", "9", "--after", "7", "8:50", *common, "--today", "2026-11-21"]) == 0
    assert ("duplicate", "file") in truth_of(truth)
    assert out.read_bytes() != alone


@pytest.mark.parametrize("wrong", [["--duplicate", "2"], ["--today", "1990-01-01"], ["--after", "x"], ["--out", "/"]])
def test_the_command_says_what_it_cannot_make(tmp_path, capsys, wrong):
    with pytest.raises(SystemExit):
        main(["--rows", "5", "--seed", "1", "--out", str(tmp_path / "f"), "--truth", str(tmp_path / "t"), *wrong])
    assert "error:" in capsys.readouterr().err
