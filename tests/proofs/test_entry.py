"""A state proof: any row, or that there is none, verified by the files alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.modules.authority.state import OFFICES
from kerege.modules.registries.state import RECORDS
from kerege.node.home import Home
from kerege.node.ledger import Ledger, open_ledger
from kerege.node.workplace import create_dev_home
from kerege.proofs import Exit, cli, entry

OFFICE = OFFICES.encode_key("ЗАГС-708203")
ABSENT = RECORDS.encode_key(bytes(16))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    home = Home(tmp_path_factory.mktemp("home"))
    create_dev_home(home, "kg")
    with open_ledger(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def trust(ledger: Ledger) -> bytes:
    return ledger.home.trust.read_bytes()


@pytest.mark.parametrize("key", [OFFICE, ABSENT])
def test_a_row_or_its_absence_is_proven(ledger: Ledger, trust: bytes, key: bytes) -> None:
    code, told = entry.judge(ledger.door.prove(key), trust)
    stored = ledger.door.state(key)
    assert code is Exit.VALID
    assert told["value"] == (None if stored is None else stored.hex())
    assert (told["table"], told["key"]) == (key.partition(b"\0")[0].decode(), key.partition(b"\0")[2].hex())
    assert told["height"] == ledger.door.head().height


@pytest.mark.parametrize("key", [OFFICE, ABSENT])
def test_every_changed_byte_is_noticed(ledger: Ledger, trust: bytes, key: bytes) -> None:
    """Each byte by its neighbours and by others that stand in such files; nothing passes, nothing raises.

    But for the key of an absence: that another key beside it holds nothing either is as true, and is said of that key.
    """
    data = ledger.door.prove(key)
    for at, byte in enumerate(data):
        for other in {byte ^ 1, byte ^ 32, ord("A"), ord("0"), ord('"')} - {byte}:
            code, told = entry.judge(data[:at] + bytes([other]) + data[at + 1 :], trust)
            if code is Exit.VALID:
                said = f"{told['table']}\0".encode() + bytes.fromhex(str(told["key"]))
                assert told["value"] is None
                assert key == ABSENT != said
                assert ledger.door.state(said) is None


def test_what_is_cut_or_longer_is_noticed(ledger: Ledger, trust: bytes) -> None:
    data = ledger.door.prove(OFFICE)
    for at in range(0, len(data), 7):
        assert entry.judge(data[:at], trust)[0] is Exit.UNUSABLE
    assert entry.judge(data + b" ", trust)[0] is Exit.UNUSABLE


def test_parts_of_two_proofs_do_not_fit(ledger: Ledger, trust: bytes) -> None:
    """The value of one key does not pass for that of another, nor a row for none."""
    one, other = (json.loads(ledger.door.prove(key)) for key in (OFFICE, OFFICES.encode_key("ЦОН-708203")))
    for name in ("key", "state"):
        mixed = json.dumps({**one, name: other[name]}, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        assert entry.judge(mixed.encode(), trust)[0] is Exit.NOT_VALID
    bare = {**one, "state": {k: v for k, v in one["state"].items() if k != "value"}}
    assert entry.judge(json.dumps(bare, separators=(",", ":"), sort_keys=True).encode(), trust)[0] is not Exit.VALID


def test_another_ledger_is_told(ledger: Ledger, tmp_path: Path) -> None:
    create_dev_home(Home(tmp_path), "kg")
    code, told = entry.judge(ledger.door.prove(OFFICE), Home(tmp_path).trust.read_bytes())
    assert (code, told["reason"]) == (Exit.NOT_VALID, "another-ledger")


@pytest.mark.parametrize("lang", ["ky", "ru", "en"])
def test_the_command_tells_it(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str) -> None:
    file = tmp_path / "proof.json"
    words = [str(file), "--trust", str(ledger.home.trust), "--lang", lang]
    file.write_bytes(ledger.door.prove(OFFICE))
    assert cli.main(words) == Exit.VALID
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 3
    assert "authority.office" in told
    file.write_bytes(ledger.door.prove(ABSENT).replace(b"A", b"B"))
    assert cli.main(words) in {Exit.NOT_VALID, Exit.UNUSABLE}
    assert len(capsys.readouterr().out.splitlines()) == 1
    file.write_bytes(ledger.door.prove(OFFICE))
    assert cli.main([*words, "--json"]) == Exit.VALID
    assert json.loads(capsys.readouterr().out)["table"] == "authority.office"
