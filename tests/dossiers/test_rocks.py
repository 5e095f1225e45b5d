"""A folder of RocksDB: filters after reopening, and removed rows that are nowhere."""

import os
from pathlib import Path

from kerege.dossiers.rocks import MIB, Form, RocksFolder

FORM = Form(b"kerege-test/1", buffer=MIB, cache=MIB)


def folder(path: Path) -> RocksFolder:
    RocksFolder.create(path, FORM)
    return RocksFolder(path, FORM)


def test_an_existing_folder_is_opened_with_its_filters(tmp_path: Path) -> None:
    """The binding forgets the settings of a folder that is there, unless its one family is named."""
    rows = folder(tmp_path / "rows")
    rows.write([(os.urandom(33), b"row") for _ in range(100)])
    rows.purge()
    told = rows._rows.property_value("rocksdb.aggregated-table-properties")
    assert told is not None
    assert "# entries for filter=0" not in told
    rows.close()


def test_many_removed_rows_are_gone_from_every_file(tmp_path: Path) -> None:
    rows = folder(tmp_path / "rows")
    gone, stays = ({mark + os.urandom(32): os.urandom(64) for _ in range(200)} for mark in (b"a", b"b"))
    rows.write({**gone, **stays}.items())
    rows.purge()
    rows.write([(name, None) for name in gone])
    rows.purge()
    content = b"".join(path.read_bytes() for path in (tmp_path / "rows").iterdir())
    assert not any(row in content for row in gone.values())
    assert all(row in content for row in stays.values())
    assert rows.get_many([*gone, *stays]) == [None] * 200 + list(stays.values())
    rows.close()


def test_a_scan_begins_after_a_name_and_ends_with_its_prefix(tmp_path: Path) -> None:
    rows = folder(tmp_path / "rows")
    rows.write([(name, name) for name in (b"a1", b"a2", b"a3", b"b1")])
    assert [name for name, _ in rows.scan(b"a")] == [b"a1", b"a2", b"a3"]
    assert [name for name, _ in rows.scan(b"a", b"a1")] == [b"a2", b"a3"]
    rows.close()
