"""What is signed is kept until it is answered, and is done once, whatever happens to the connection."""

import json
import os
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from kerege.cli import sending
from kerege.cli.outbox import Outbox
from kerege.consensus.embedded import Busy, Stopped
from kerege.node.wire import NodeFailed
from kerege.node.wiring import NodeWiring
from kerege.storage.rocks import RocksStore
from tests.cli.program import ACCEPTOR, REFUSED, REGISTRAR, kerege, look, running, write_message

LOST = {
    "nobody there": (lambda: ConnectionError("reset"), False),
    "cut after it was taken": (lambda: ConnectionError("reset"), True),
    "busy": (lambda: Busy(5, 200), False),
    "stopped": (lambda: Stopped("the disk is full"), False),
    "stopped after it was taken": (lambda: Stopped("closed"), True),
    "failed": (lambda: NodeFailed("KeyError: x"), False),
    "failed after it was taken": (lambda: NodeFailed("KeyError: x"), True),
}


class Lossy(NodeWiring):
    """A node whose answers to the first submissions are lost; before or after the ledger took them."""

    def __init__(self, fault, *, taken: bool, times: int) -> None:
        self._fault, self._taken, self._times = fault, taken, times

    @contextmanager
    def open_door(self, home):
        with super().open_door(home) as door:
            submit = door.submit
            vars(door)["submit"] = lambda raws: self._submit(submit, raws)
            yield door

    def _submit(self, submit, raws):
        self._times -= 1
        if self._times < 0:
            return submit(raws)
        if self._taken:
            submit(raws)
        raise self._fault()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(sending, "PAUSES", (0.001, 0.001))


@pytest.fixture
def message(tmp_path) -> Path:
    return write_message(tmp_path / "message.json", look("11" * 16))


def submit(home: Path, message: Path, *words: str, wiring=None):
    return kerege("submit", message, "--home", home, "--as", REGISTRAR, *words, wiring=wiring)


def looks(home: Path) -> list[str]:
    return [row["access"] for row in kerege("show", "looks", "--home", home, "--json").json]


def waiting(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "outbox").iterdir())


# Refused


def test_nothing_is_kept_of_what_was_not_signed(home, tmp_path, message):
    kerege("submit", message, "--home", home, "--as", "nobody").one_sentence("nobody")
    (tmp_path / "bad.json").write_text('{"type": "disclosure.RequestAccess"}')
    submit(home, tmp_path / "bad.json").one_sentence("kerege schema")
    with RocksStore(home):
        submit(home, message).one_sentence("in use by process")
    assert not (home / "outbox").exists()


@pytest.mark.parametrize(("fault", "taken"), LOST.values(), ids=LOST)
def test_what_nobody_answered_is_kept_and_done_once(home, message, fault, taken):
    submit(home, message, wiring=Lossy(fault, taken=taken, times=99)).one_sentence("kerege resend", code=REFUSED)
    (kept,) = (home / "outbox").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(looks(home)) == taken
    again = kerege("resend", "--home", home, "--json")
    assert (again.code, [each["outcome"] for each in again.json]) == (0, ["applied"])
    assert [each["transaction"] for each in again.json] == [kept.stem]
    assert looks(home) == ["11" * 16]
    assert waiting(home) == []


@pytest.mark.parametrize("lost", ["nobody there", "stopped after it was taken", "failed after it was taken"])
def test_an_answer_that_is_lost_once_is_asked_for_again(home, message, lost):
    fault, taken = LOST[lost]
    done = submit(home, message, "--json", wiring=Lossy(fault, taken=taken, times=1))
    assert (done.code, done.json["outcome"]) == (0, "applied")
    assert looks(home) == ["11" * 16]
    assert waiting(home) == []


def test_a_file_that_is_no_transaction_is_told_and_forgotten(home):
    (home / "outbox").mkdir()
    (home / "outbox" / f"{'0' * 64}.tx").write_bytes(b"garbage")
    done = kerege("resend", "--home", home, "--json")
    assert (done.code, [each["outcome"] for each in done.json]) == (REFUSED, ["not a transaction"])
    assert waiting(home) == []


def test_what_was_refused_is_told_and_forgotten(home, tmp_path):
    to = kerege("keys", "address", ACCEPTOR, "--home", home).out.strip()
    pay = {"type": "bank.Transfer", "currency": "KGS", "amount": "5", "to": to}
    message = write_message(tmp_path / "message.json", pay)
    submit(home, message, wiring=_nobody()).one_sentence(code=REFUSED)
    done = kerege("resend", "--home", home)
    assert done.code == REFUSED
    assert "1 sent" in done.out
    assert len(done.err.splitlines()) == 1
    assert waiting(home) == []


def test_a_transaction_of_another_ledger_does_nothing(home, demo, tmp_path, message):
    other = Path(shutil.copytree(demo / "home", tmp_path / "other"))
    submit(other, message, wiring=_nobody()).one_sentence(code=REFUSED)
    shutil.copytree(other / "outbox", home / "outbox")
    done = kerege("resend", "--home", home, "--json")
    assert (done.code, [each["outcome"] for each in done.json]) == (REFUSED, ["not a transaction"])
    assert looks(home) == []


def test_the_order_of_what_waits_is_that_of_signing(home, tmp_path):
    """The second one was signed for the same place in the order: the first one is done, the second one told."""
    for number in (1, 2):
        message = write_message(tmp_path / "message.json", look(f"{number:02x}" * 16))
        submit(home, message, wiring=_nobody()).one_sentence(code=REFUSED)
    names = {path.name: path.stat().st_mtime_ns for path in (home / "outbox").iterdir()}
    assert [path.name for path, _ in Outbox(home).waiting()] == sorted(names, key=names.__getitem__)
    done = kerege("resend", "--home", home, "--json")
    assert [each["outcome"] for each in done.json] == ["applied", "not a transaction"]
    assert done.code == REFUSED
    assert looks(home) == ["01" * 16]


def test_what_was_answered_before_the_connection_broke_is_told(home, tmp_path):
    for number in (1, 2):
        message = write_message(tmp_path / "message.json", look(f"{number:02x}" * 16))
        submit(home, message, wiring=_nobody()).one_sentence(code=REFUSED)

    class Dying(NodeWiring):
        doors = 0

        def open_door(self, home):
            self.doors += 1
            return super().open_door(home) if self.doors == 1 else super().open_door(home / "gone")

    done = kerege("resend", "--home", home, "--json", wiring=Dying())
    assert (done.code, [each["outcome"] for each in done.json]) == (2, ["applied"])
    assert len(waiting(home)) == 1


def _nobody() -> Lossy:
    return Lossy(LOST["nobody there"][0], taken=False, times=99)


# Done


def test_nothing_waits(home):
    done = kerege("resend", "--home", home)
    assert (done.code, done.out, done.err) == (0, "0 sent\n", "")
    assert kerege("resend", "--home", home, "--json").json == []


def test_several_messages_apply_together_or_not_at_all(home, tmp_path):
    to = kerege("keys", "address", ACCEPTOR, "--home", home).out.strip()
    pay = {"type": "bank.Transfer", "currency": "KGS", "amount": "5", "to": to}
    done = submit(home, write_message(tmp_path / "both.json", [look("11" * 16), pay]), "--json")
    assert (done.code, done.json["code"]) == (REFUSED, "bank.4")
    assert looks(home) == []
    done = submit(home, write_message(tmp_path / "both.json", [look("11" * 16), look("12" * 16)]), "--json")
    assert (done.code, len(done.json["events"])) == (0, 2)
    assert sorted(looks(home)) == ["11" * 16, "12" * 16]


def test_a_message_comes_from_standard_input(home):
    words = ("submit", "-", "--home", home, "--as", REGISTRAR)
    assert kerege(*words, given=json.dumps(look("11" * 16))).code == 0
    kerege(*words, given="{").one_sentence("not JSON")


def test_a_message_of_two_meanings_is_not_signed(home):
    """Nor one with a number that nobody reads."""
    words = ("submit", "-", "--home", home, "--as", REGISTRAR)
    twice = json.dumps(look("11" * 16)).replace("{", '{"ground": "check", ', 1)
    kerege(*words, given=twice).one_sentence("names a field twice")
    kerege(*words, given=f'[{{"blind": {"9" * 6000}}}]').one_sentence("6000 digits")
    assert looks(home) == []


def test_a_dry_run_sends_nothing(home, message):
    assert submit(home, message, "--dry-run").json == [look("11" * 16)]
    assert looks(home) == []


def test_a_value_comes_from_a_file(home, tmp_path):
    (tmp_path / "references.json").write_text(json.dumps(["33" * 32]))
    done = kerege(
        "disclosure", "request-access", "--home", home, "--as", REGISTRAR, "--access", "random", "--case", "22" * 16,
        "--office", REGISTRAR.partition("/")[0], "--ground", "curiosity",
        "--references", f"@{tmp_path / 'references.json'}", "--fields", '["child.surname"]', "--json",
    )  # fmt: skip
    assert done.json["outcome"] == "applied", done


def test_a_refusal_is_told_in_the_language_asked_for(home):
    to = kerege("keys", "address", ACCEPTOR, "--home", home).out.strip()
    words = ("bank", "transfer", "--currency", "KGS", "--amount", "5", "--to", to, "--home", home, "--as", REGISTRAR)
    told = {lang: kerege(*words, "--lang", lang).err for lang in ("ky", "ru", "en")}
    assert len(set(told.values())) == len(told)
    assert kerege(*words, env={"KEREGE_LANG": "ky"}).err == told["ky"]


def test_a_running_node_is_used_through_its_socket_and_survived(home, message, tmp_path):
    with running(home) as (node, _):
        with pytest.raises(Exception, match="in use"):
            RocksStore(home)
        assert submit(home, message, "--json").json["outcome"] == "applied"
        assert kerege("resend", "--home", home, "--json").json == []
        assert kerege("show", "head", "--home", home, "--json").json["height"] == 1
        os.kill(node.pid, signal.SIGKILL)
        node.wait()
        assert (home / "run/ledger.sock").exists(), "a killed node leaves its socket behind"
        second = write_message(tmp_path / "second.json", look("12" * 16))
        assert submit(home, second, "--json").json["height"] == 2
        assert sorted(looks(home)) == ["11" * 16, "12" * 16]
