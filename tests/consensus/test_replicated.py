"""What is submitted to a node of a network is settled by its blocks, once, whatever happens to its engine."""

import threading
import time
from pathlib import Path

import pytest

from kerege.consensus import replicated
from kerege.consensus.embedded import Answer, Busy, Stopped, wall_clock
from kerege.consensus.outbox import Outbox
from kerege.kernel.codec import decode
from kerege.kernel.errors import BadSignature, Expired, NotCanonical, UnknownSender, WrongSequence
from kerege.kernel.receipts import Receipt
from kerege.storage.memory import MemoryStore
from kerege.testing.members import wait_for
from tests.consensus.member import GATEWAY, MONEY, Member, balance, genesis, pay, register

pytestmark = pytest.mark.engine

PEOPLE = [f"person-{number}" for number in range(40)]


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    with Member(tmp_path_factory.mktemp("member"), genesis(PEOPLE)) as member:
        yield member


def reason_of(answer: Answer) -> type:
    assert answer.receipt is None
    return type(answer.reason)


def test_what_is_no_transaction_is_told_why(member):
    forged = bytearray(pay("person-0", "person-1"))
    forged[-1] ^= 1
    asked = [
        b"junk",
        bytes(forged),
        pay("stranger", "person-1"),
        pay("person-0", "person-1", 7),
        pay("person-0", "person-1", until=wall_clock() - 1_000),
    ]
    answers = member.submitting.submit(asked).wait(20)
    assert [reason_of(a) for a in answers] == [NotCanonical, BadSignature, UnknownSender, WrongSequence, Expired]


def test_a_transaction_is_final_once_and_asking_again_gives_the_first_receipt(member):
    raw = pay("person-2", "person-3")
    first, again = member.submitting.submit([raw, raw]).wait(20)
    assert first == again
    assert first.receipt is not None
    assert decode(first.receipt, Receipt).code == ""
    assert member.submitting.send(raw) == first == member.submitting.find(first.id)
    forged = bytearray(raw)
    forged[-1] ^= 1
    assert reason_of(member.submitting.send(bytes(forged))) is BadSignature
    assert balance(member.store, "person-2") == MONEY - 5
    assert reason_of(member.submitting.send(pay("person-2", "person-3", 0, amount=6))) is WrongSequence


def test_many_of_one_sender_in_any_order_all_run(member):
    raws = [pay("person-4", "person-5", number) for number in range(300)]
    backwards = member.submitting.submit(raws[150:][::-1])
    time.sleep(0.5)
    answers = member.submitting.submit(raws[:150]).wait(30) + backwards.wait(30)
    assert all(answer.receipt is not None for answer in answers)
    assert balance(member.store, "person-4") == MONEY - 5 * len(raws)


def test_whatever_happens_to_the_engine_everything_ends_once(tmp_path: Path):
    with Member(tmp_path, genesis(PEOPLE)) as member:
        submissions = []

        def submit() -> None:
            for sequence in range(60):
                submissions.append(member.submitting.submit([pay(who, "person-39", sequence) for who in PEOPLE[:20]]))
                time.sleep(0.05)

        submitter = threading.Thread(target=submit)
        submitter.start()
        for pause in (0.0, 1.0):
            time.sleep(1.0)
            member.restart_engine(pause)
        submitter.join()
        answers = [answer for submission in submissions for answer in submission.wait(60)]
        assert all(answer.receipt is not None for answer in answers)
        assert len({answer.leaf for answer in answers}) == 1_200
        assert [balance(member.store, who) for who in PEOPLE[:20]] == [MONEY - 300] * 20
        assert sum(balance(member.store, who) for who in PEOPLE) == MONEY * len(PEOPLE)
        assert any("does not answer" in text for text in member.alarms)


def test_busy_comes_before_anything_overflows_and_who_waits_is_told_that_it_stopped(tmp_path: Path):
    with Member(tmp_path, genesis(PEOPLE), waiting_bytes=500) as member:
        member.engine.kill()
        waiting = member.submitting.submit([pay("person-0", "person-1")])
        with pytest.raises(Busy):
            member.submitting.submit([pay("person-2", "person-1"), pay("person-3", "person-1")])
        with pytest.raises(TimeoutError):
            waiting.wait(0.5)
        member.submitting.stop()
        with pytest.raises(Stopped):
            waiting.wait(1)
        with pytest.raises(Stopped):
            member.submitting.submit([pay("person-0", "person-1")])


def test_what_comes_close_together_goes_in_parcels_once_the_key_is_registered(tmp_path: Path):
    with Member(tmp_path, genesis(PEOPLE), key=bytes(GATEWAY)) as member:
        rounds = range(10)

        def submit(first: int) -> list[Answer]:
            sent = [
                member.submitting.submit([pay(who, "person-39", first + number) for who in PEOPLE[:20]])
                for number in rounds
            ]
            return [answer for submission in sent for answer in submission.wait(30)]

        assert all(answer.receipt is not None for answer in submit(0))
        assert member.submitting.send(register()).receipt is not None
        alone = member.rpc.height()
        assert member.rpc.transactions(0, alone) == 201
        assert all(answer.receipt is not None for answer in submit(10))
        assert member.rpc.transactions(alone, member.rpc.height()) < 50
        assert [balance(member.store, who) for who in PEOPLE[:20]] == [MONEY - 100] * 20


def test_what_was_accepted_is_handed_in_until_it_is_final(tmp_path: Path):
    """Accepted while the engine is away, by a process that then goes away too: the next one brings it to its end."""
    store, folder = MemoryStore(), tmp_path / "engine-and-socket"
    folder.mkdir()
    began = genesis(PEOPLE)
    raws = [pay(who, "person-39") for who in PEOPLE[:5]]
    forged = raws[0][:-1] + bytes([raws[0][-1] ^ 1])
    with Member(folder, began, store, outbox=Outbox(tmp_path / "outbox")) as member:
        assert member.submitting.send(pay("person-38", "person-39")).receipt is not None
        member.engine.kill()
        answers = member.submitting.accept([*raws, forged]).wait(10)
        assert [answer.pending for answer in answers] == [True] * 5 + [False]
        assert member.submitting.find(answers[0].id) is None
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("outbox*")}
        assert set(modes.values()) == {0o600}, modes
    with Member(folder, began, store, outbox=Outbox(tmp_path / "outbox")) as member:
        wait_for(lambda: all(member.submitting.find(answer.id) is not None for answer in answers[:5]))
        time.sleep(1)
    kept = Outbox(tmp_path / "outbox")
    assert kept.all() == []
    kept.close()
    assert [balance(store, who) for who in PEOPLE[:5]] == [MONEY - 5] * 5


def test_what_was_accepted_waits_for_the_one_before_it_until_it_expires(tmp_path: Path, monkeypatch):
    """The one before it was submitted by somebody who waited, so that this node did not keep it, and was lost."""
    monkeypatch.setattr(replicated, "GAP_SECONDS", 0.5)
    store, folder, began = MemoryStore(), tmp_path / "engine-and-socket", genesis(PEOPLE)
    folder.mkdir()
    first, second = pay("person-0", "person-39"), pay("person-0", "person-39", 1)
    soon = pay("person-1", "person-39", 1, until=wall_clock() + 3_000)
    outbox = Outbox(tmp_path / "outbox")
    outbox.put([b"of an older release", second, soon])
    with Member(folder, began, store, outbox=outbox) as member:
        time.sleep(5)
        kept = Outbox(tmp_path / "outbox")
        assert kept.all() == [second]
        assert member.submitting.unanswered == 1
        assert any("is dropped" in text for text in member.alarms)
        assert member.submitting.send(first).receipt is not None
        assert member.submitting.send(second).receipt is not None
        deadline = time.monotonic() + 5
        while kept.all():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        kept.close()
    assert balance(store, "person-0") == MONEY - 10


def test_accepting_again_what_waits_is_answered_at_once(tmp_path: Path):
    folder = tmp_path / "engine-and-socket"
    folder.mkdir()
    with Member(folder, genesis(PEOPLE), outbox=Outbox(tmp_path / "outbox")) as member:
        member.engine.kill()
        kept, asked = pay("person-0", "person-39"), pay("person-1", "person-39")
        submitted = member.submitting.submit([asked])
        time.sleep(1)
        for _ in range(2):
            assert [answer.pending for answer in member.submitting.accept([kept, asked]).wait(5)] == [True, True]
        with pytest.raises(TimeoutError):
            submitted.wait(0.1)
