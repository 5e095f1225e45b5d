"""A state proof: any row, or that there is none, verified by the files alone."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kerege.modules.authority.state import OFFICES
from kerege.modules.registries.state import RECORDS
from kerege.node.home import Home
from kerege.node.ledger import Ledger, open_ledger
from kerege.node.workplace import create_dev_home
from kerege.proofs import Exit, cli, entry

OFFICE = OFFICES.encode_key("ЗАГС-708203")
ABSENT = RECORDS.encode_key(bytes(16))


def judge(data: bytes, trust: bytes, **asked: Any) -> tuple[Exit, dict[str, object]]:
    judged = entry.judge(data, trust, **{"now": time.time_ns() // 1_000_000, **asked})
    for lang in ("ky", "ru", "en"):
        assert len(judged.lines(lang)) == (1 if judged.held is None else 3)
    return judged.exit, judged.to_json()


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
    code, told = judge(ledger.door.prove(key), trust)
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
            code, told = judge(data[:at] + bytes([other]) + data[at + 1 :], trust)
            if code is Exit.VALID:
                said = f"{told['table']}\0".encode() + bytes.fromhex(str(told["key"]))
                assert told["value"] is None
                assert key == ABSENT != said
                assert ledger.door.state(said) is None


def test_what_is_cut_or_longer_is_noticed(ledger: Ledger, trust: bytes) -> None:
    data = ledger.door.prove(OFFICE)
    for at in range(0, len(data), 7):
        assert judge(data[:at], trust)[0] is Exit.UNUSABLE
    assert judge(data + b" ", trust)[0] is Exit.UNUSABLE


def test_parts_of_two_proofs_do_not_fit(ledger: Ledger, trust: bytes) -> None:
    """The value of one key does not pass for that of another, nor a row for none."""
    one, other = (json.loads(ledger.door.prove(key)) for key in (OFFICE, OFFICES.encode_key("ЦОН-708203")))
    for name in ("key", "state"):
        mixed = json.dumps({**one, name: other[name]}, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        assert judge(mixed.encode(), trust)[0] is Exit.NOT_VALID
    bare = {**one, "state": {k: v for k, v in one["state"].items() if k != "value"}}
    assert judge(json.dumps(bare, separators=(",", ":"), sort_keys=True).encode(), trust)[0] is not Exit.VALID


def test_another_ledger_is_told(ledger: Ledger, tmp_path: Path) -> None:
    create_dev_home(Home(tmp_path), "kg")
    code, told = judge(ledger.door.prove(OFFICE), Home(tmp_path).trust.read_bytes())
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


def test_what_is_old_is_told(ledger: Ledger, trust: bytes) -> None:
    """A state proof ages as a certificate does: a record may have been closed since."""
    data = ledger.door.prove(OFFICE)
    time_of = ledger.door.head().time
    days = 86_400_000
    assert judge(data, trust, now=time_of + 2 * days, max_age_days=3)[0] is Exit.VALID
    code, told = judge(data, trust, now=time_of + 4 * days, max_age_days=3)
    assert (code, told["stale"]) == (Exit.NOT_CURRENT, ["age"])
    assert judge(data, trust, now=time_of - 2 * days)[0] is Exit.NOT_CURRENT  # dated later than this machine's clock


def test_a_newer_checkpoint_is_compared(ledger: Ledger, trust: bytes, tmp_path: Path) -> None:
    data, same = ledger.door.prove(OFFICE), ledger.door.checkpoint().encode()
    assert judge(data, trust, checkpoint=same)[0] is Exit.VALID
    code, told = judge(data, trust, checkpoint=b"nonsense")
    assert (code, told["check"]) == (Exit.UNUSABLE, "checkpoint-file")
    other = Home(tmp_path)
    create_dev_home(other, "kg")
    with open_ledger(other) as rival:
        assert judge(data, trust, checkpoint=rival.door.checkpoint().encode())[1]["check"] == "checkpoint-file"


@pytest.mark.parametrize("engine", [["one operator"], {}, None, 1])
def test_a_trust_file_with_an_engine_that_is_no_word(ledger: Ledger, trust: bytes, engine: object) -> None:
    changed = json.dumps(json.loads(trust) | {"engine": engine}).encode()
    assert judge(ledger.door.prove(OFFICE), changed)[1]["check"] == "trust-file"


def test_each_file_is_read_once(ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So that both may be pipes, as `<(...)` of a shell makes them."""
    ends = []
    for data in (ledger.door.prove(OFFICE), ledger.home.trust.read_bytes()):
        taken, given = os.pipe()
        os.write(given, data)
        os.close(given)
        ends.append(taken)
    bundle, trusted = (f"/dev/fd/{end}" for end in ends)
    assert cli.main([bundle, "--trust", trusted, "--max-age", "1"]) == Exit.VALID
    assert len(capsys.readouterr().out.splitlines()) == 3
    for end in ends:
        os.close(end)
