"""What `kerege import` says about a file that may be read wrongly, or may have lost its end."""

from pathlib import Path

from tests.cli.program import kerege
from tests.gateways.importing.desk import HEADER, rows_of


def test_a_file_that_may_be_read_wrongly_or_have_lost_its_end_is_told(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *rows_of(1, 100)]), encoding="utf-8")
    words = ("import", "births", path, "--home", home)
    done = kerege(*words, "--encoding", "cp1251")
    assert done.code == 0, done
    assert "nearly every row is rejected" in done.out
    assert "the last line has no end" in done.out
    kerege(*words).one_sentence("cp1251", "utf-8", "--encoding", code=2)
    path.write_text("\n".join([HEADER, *rows_of(1, 100), ""]), encoding="utf-8-sig")
    done = kerege(*words)
    assert "100 accepted" in done.out
    assert "nearly" not in done.out
    assert "no end" not in done.out
