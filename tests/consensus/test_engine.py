"""The embedded engine: durable before it answers, answers everybody, loses nothing."""

import statistics
import threading
import time
from hashlib import sha256

import pytest

from kerege.consensus import embedded, rows
from kerege.consensus.embedded import Busy, Stopped, Submission
from kerege.kernel.errors import (
    BadSignature,
    Expired,
    NotCanonical,
    TooManyWaiting,
    UnknownMessage,
    UnknownSender,
    WrongKey,
    WrongSequence,
)
from kerege.kernel.transaction import MAXIMUM_BLOCK_WEIGHT, Witness, encode_body, seal
from kerege.storage.errors import DiskFull
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from kerege.testing.signers import Ed25519Signer, WalletSigner
from tests.consensus.support import Opened, Signing, ToldStore, rocks
from tests.kernel import toy
from tests.kernel.bench import HOUR, SIGNERS, address, known

PAY = toy.Pay(address("bob"), "KGS", 1)
LONG = 120.0


@pytest.fixture
def signing() -> Signing:
    return Signing()


@pytest.fixture
def ledger():
    with Opened(MemoryStore()) as opened:
        yield opened


def test_an_answer_is_a_durable_receipt(ledger, signing):
    answer = ledger.engine.send(signing.tx("alice", PAY))
    assert answer.receipt == known(rows.find_receipt(ledger.store, answer.id))[2]
    assert known(rows.read_head(ledger.store)).height == answer.height == 1
    assert answer.leaf == 1
    assert answer.reason is None
    assert ledger.engine.find(answer.id) == answer


def test_each_of_a_submission_is_answered_on_its_own(ledger, signing):
    good = signing.tx("alice", PAY)
    wrong = Witness(1, SIGNERS["bob"].key, SIGNERS["bob"].witness(signing.body("bob", PAY)).signature)
    raws = [
        b"junk",
        good,
        signing.tx("alice", PAY, sequence=9),
        seal(encode_body(signing.body("bob", PAY, sequence=0, salt=b"x" * 16)), wrong),
        signing.tx("alice", PAY, sender=b"x" * 20, sequence=0),
        seal(encode_body(signing.body("alice", PAY)).replace(b"Pay", b"Pat"), wrong),
        signing.tx("bob", toy.Break("error"), sequence=0),
        b"\x91" * 100_000,
        b"",
    ]
    answers = ledger.engine.submit(raws).wait(LONG)
    kinds = [NotCanonical, None, WrongSequence, BadSignature, UnknownSender, UnknownMessage, None, NotCanonical]
    assert [type(a.reason) if a.reason else None for a in answers] == [*kinds, NotCanonical]
    assert [a.receipt is not None for a in answers] == [kind is None for kind in [*kinds, NotCanonical]]
    assert len(ledger.alarms) == 1
    assert known(rows.read_block(ledger.store, 1)).transactions == [good, raws[6]], "only transactions stand in it"
    assert ledger.engine.submit([]).wait(LONG) == []


def test_what_is_no_transaction_makes_no_block(ledger, signing):
    for _ in range(3):
        ledger.engine.send(signing.tx("alice", PAY, sequence=5))
        ledger.engine.send(b"junk")
    assert known(rows.read_head(ledger.store)).height == 0
    assert ledger.engine.send(signing.tx("alice", PAY)).height == 1


def test_blocks_fill_and_keep_the_order(ledger, signing):
    raws = [signing.tx("alice", PAY, lane=n % 2) for n in range(9_000)]
    submissions = [ledger.engine.submit(raws[at : at + 1_500]) for at in range(0, len(raws), 1_500)]
    answers = [a for s in submissions for a in s.wait(LONG)]
    assert all(a.receipt is not None for a in answers)
    assert [a.leaf for a in answers] == sorted(a.leaf for a in answers)
    heights = {a.height for a in answers}
    assert len(heights) < 10
    blocks = list(rows.read_blocks(ledger.store, 1))
    assert [raw for b in blocks for raw in b.transactions] == raws
    assert max(len(b.transactions) for b in blocks) <= embedded.MAXIMUM_TRANSACTIONS
    assert [b.head.height for b in ledger.blocks] == [b.height for b in blocks]


def test_a_heavy_load_is_spread_over_blocks_and_none_is_turned_away(signing):
    with Opened(MemoryStore()) as ledger:
        heavy = [toy.Heavy()] * 60
        raws = [signing.tx(name, *heavy, lane=lane) for name in ("alice", "bob", "carol") for lane in range(6)]
        answers = ledger.engine.submit(raws).wait(LONG)
        assert all(a.receipt is not None for a in answers)
        assert len({a.height for a in answers}) == 18, f"one of {60 * 600} fits into {MAXIMUM_BLOCK_WEIGHT}"


# Sent again


def test_a_resubmission_is_answered_with_the_first_receipt(ledger, signing):
    raw = signing.tx("alice", PAY)
    first = ledger.engine.send(raw)
    assert ledger.engine.send(raw) == first
    assert ledger.engine.submit([raw, raw]).wait(LONG) == [first, first]


def test_also_in_one_submission_and_while_the_first_is_in_flight(signing):
    store = ToldStore()
    with Opened(store) as ledger:
        raw = signing.tx("alice", PAY)
        store.go.clear()
        waiting = [ledger.engine.submit([raw, raw]), ledger.engine.submit([raw])]
        time.sleep(0.05)
        waiting.append(ledger.engine.submit([raw]))
        assert not any(s.settled for s in waiting)
        store.go.set()
        answers = [a for s in waiting for a in s.wait(LONG)]
    assert len({a.receipt for a in answers}) == 1
    assert None not in {a.receipt for a in answers}
    assert answers[0].height == answers[-1].height


def test_also_with_another_good_witness_of_the_same_body(ledger, signing):
    """A passkey or a wallet has many good signatures; the receipt names the witness that was accepted first."""
    body = signing.body("wallet", PAY)
    first = ledger.engine.send(SIGNERS["wallet"].transaction(body))
    elsewhere = WalletSigner(sha256(b"wallet").digest(), chain_id=5)
    assert first.receipt is not None
    assert elsewhere.witness(body) != SIGNERS["wallet"].witness(body)
    assert ledger.engine.send(elsewhere.transaction(body)) == first


@pytest.mark.parametrize("together", [False, True])
def test_a_copy_that_is_signed_wrongly_is_no_resubmission(ledger, signing, together):
    """Who cannot sign the body is told so, before the good one, after it and in one block with it."""
    body = signing.body("alice", PAY)
    good = SIGNERS["alice"].transaction(body)
    forged = seal(encode_body(body), Witness(1, SIGNERS["alice"].key, b"x" * 64))
    strange = seal(encode_body(body), Ed25519Signer(b"s" * 32).witness(body))
    raws = [forged, strange, good, forged, strange, good]
    answers = ledger.engine.submit(raws).wait(LONG) if together else [ledger.engine.send(raw) for raw in raws]
    assert [type(a.reason) for a in answers] == [BadSignature, WrongKey, type(None)] * 2
    assert [a.receipt is None for a in answers] == [True, True, False] * 2
    assert answers[5] == answers[2]


def test_the_very_same_bytes_are_answered_also_when_their_time_is_over(ledger, signing):
    """Their receipt names this witness; of another one nobody can say any more whether it was good."""
    body = signing.body("alice", PAY)
    raw = SIGNERS["alice"].transaction(body)
    first = ledger.engine.send(raw)
    ledger.time += 2 * HOUR
    assert ledger.engine.send(raw) == first
    forged = ledger.engine.send(seal(encode_body(body), Witness(1, SIGNERS["alice"].key, b"x" * 64)))
    assert isinstance(forged.reason, Expired)


def test_also_after_a_refusal_and_after_the_sender_closed(ledger, signing):
    refused = signing.tx("erlan", PAY)
    first = ledger.engine.send(refused)
    closing = signing.tx("erlan", toy.Close())
    closed = ledger.engine.send(closing)
    assert ledger.engine.send(refused) == first
    assert ledger.engine.send(closing) == closed
    assert isinstance(ledger.engine.send(signing.tx("erlan", PAY)).reason, UnknownSender)


def test_also_after_a_restart(tmp_path, signing):
    raws = [signing.tx("alice", PAY) for _ in range(5)]
    with rocks(tmp_path) as store, Opened(store) as ledger:
        first = ledger.engine.submit(raws).wait(LONG)
    with rocks(tmp_path) as store, Opened(store) as ledger:
        assert ledger.engine.submit(raws).wait(LONG) == first
        assert ledger.engine.send(signing.tx("alice", PAY)).height == first[0].height + 1


# Pushed back, stopped, failed


def test_back_pressure_loses_nothing(signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_WAITING_BYTES", 60_000)
    store = ToldStore()
    with Opened(store) as ledger:
        store.go.clear()
        raws = [signing.tx("alice", PAY) for _ in range(400)]
        accepted, turned_away = list[Submission](), list[Busy]()
        for at in range(0, 400, 10):
            while len(accepted) <= at // 10:
                try:
                    accepted.append(ledger.engine.submit(raws[at : at + 10]))
                except Busy as busy:
                    turned_away.append(busy)
                    store.go.set()
                    time.sleep(0.001)
        answers = [a for s in accepted for a in s.wait(LONG)]
    assert turned_away
    assert all(0 < busy.waiting <= 60_000 and busy.retry_after > 0 for busy in turned_away)
    assert [a.receipt is not None for a in answers] == [True] * 400
    usage = toy.USAGE.decode_value(known(store.get(Area.STATE, toy.USAGE.encode_key(address("alice")))))
    assert usage.sequences[0] == 400


def test_a_submission_larger_than_the_bound_is_taken_alone(signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_WAITING_BYTES", 1_000)
    with Opened(MemoryStore()) as ledger:
        assert len(ledger.engine.submit([signing.tx("alice", PAY) for _ in range(50)]).wait(LONG)) == 50


def test_one_sender_fills_no_more_than_its_share_and_is_told_so(signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_OF_ONE", 30)
    monkeypatch.setattr(embedded, "MAXIMUM_TRANSACTIONS", 5)
    store = ToldStore()
    with Opened(store) as ledger:
        store.go.clear()
        raws = [signing.tx("alice", PAY) for _ in range(100)]
        flood = ledger.engine.submit(raws[:90])
        beside = ledger.engine.submit([signing.tx("bob", PAY) for _ in range(30)])
        store.go.set()
        answers = flood.wait(LONG)
        taken = [answer for answer in answers if answer.receipt is not None]
        assert answers[: len(taken)] == taken
        assert len(taken) == 30
        reason = answers[-1].reason
        assert isinstance(reason, TooManyWaiting)
        assert (reason.sender, reason.waiting, reason.limit) == (address("alice"), 30, 30)
        assert reason.retry_after > 0
        assert all(answer.receipt is not None for answer in beside.wait(LONG))
        assert all(answer.receipt is not None for answer in ledger.engine.submit(raws[30:60]).wait(LONG))


def test_what_is_larger_than_a_share_is_taken_alone(signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_BYTES_OF_ONE", 100)
    with Opened(MemoryStore()) as ledger:
        first, second = ledger.engine.submit([signing.tx("alice", PAY) for _ in range(2)]).wait(LONG)
        assert first.receipt is not None
        assert isinstance(second.reason, TooManyWaiting)
        assert not ledger.engine.submit([]).wait(LONG)


@pytest.mark.parametrize("settled_before", [0, 3])
def test_a_full_disk_tells_every_waiter_and_leaves_nothing_half_done(tmp_path, signing, settled_before):
    store, others = ToldStore(), set(threading.enumerate())
    with Opened(store) as ledger:
        done = [ledger.engine.send(signing.tx("alice", PAY)) for _ in range(settled_before)]
        before = {area: dict(store.scan(area)) for area in Area}
        store.go.clear()
        waiting = [ledger.engine.submit([signing.tx("alice", PAY) for _ in range(50)]) for _ in range(30)]
        store.failure = DiskFull(tmp_path, "test", 0)
        store.go.set()
        for submission in waiting:
            with pytest.raises(Stopped, match="No room"):
                submission.wait(LONG)
        with pytest.raises(Stopped):
            ledger.engine.submit([signing.tx("bob", PAY)])
        assert isinstance(ledger.engine.failure, DiskFull)
        assert len(ledger.alarms) == 1
        assert {area: dict(store.scan(area)) for area in Area} == before
        assert [ledger.engine.find(a.id) for a in done] == done
    ended = ("maker", "trees", "committer")
    assert not [t for t in threading.enumerate() if t not in others and t.name.startswith(ended)]


def test_a_fault_in_execution_stops_the_engine_after_what_was_executed(signing):
    with Opened(MemoryStore()) as ledger:
        good = ledger.engine.submit([signing.tx("alice", PAY)])
        bad = ledger.engine.submit([signing.tx("bob", toy.Break("fault"))])
        with pytest.raises(Stopped, match="fault"):
            bad.wait(LONG)
        try:
            assert good.wait(LONG)[0].receipt is not None
        except Stopped:  # both came into one block: then nothing of it is kept
            assert known(rows.read_head(ledger.store)).height == 0
        with pytest.raises(Stopped):
            ledger.engine.submit([signing.tx("alice", PAY)])
    assert len(ledger.alarms) == 1


def test_a_fault_while_blocks_wait_for_the_disk(signing):
    """The executed ones are still written and answered; the rest is told."""
    store = ToldStore()
    with Opened(store) as ledger:
        store.go.clear()
        first = ledger.engine.submit([signing.tx("alice", PAY)])
        time.sleep(0.05)
        bad = ledger.engine.submit([signing.tx("bob", toy.Break("fault"))])
        while ledger.engine.failure is None:
            time.sleep(0.001)
        store.go.set()
        assert first.wait(LONG)[0].receipt is not None
        with pytest.raises(Stopped):
            bad.wait(LONG)
    assert known(rows.read_head(store)).height == 1


def test_nothing_after_a_fault_with_a_durable_block_is_answered_as_if_it_were_that_block(signing):
    """Whoever is told of blocks fails at the second: the first is answered, the others are told that it stopped."""
    store, told = ToldStore(), list[int]()

    def on_block(block):
        told.append(block.head.height)
        if len(told) == 2:
            raise OSError("no room for what is told")

    with Opened(store, on_block=on_block) as ledger:
        assert ledger.engine.send(signing.tx("alice", PAY)).height == 1
        store.go.clear()
        second = ledger.engine.submit([signing.tx("alice", PAY)])
        time.sleep(0.05)
        third = ledger.engine.submit([signing.tx("bob", PAY) for _ in range(3)])
        time.sleep(0.05)
        store.go.set()
        for submission in (second, third):
            with pytest.raises(Stopped, match="no room for what is told"):
                submission.wait(LONG)
    assert told == [1, 2]
    assert len(ledger.alarms) == 1


def test_a_block_that_is_durable_is_answered_though_the_next_one_fails(tmp_path, signing):
    reached = threading.Event()

    class Second(ToldStore):
        def write(self, batch, *, sync=True):
            super().write(batch, sync=sync)
            if self.writes == 2:  # the genesis, then block 1
                reached.set()
                self.failure = DiskFull(tmp_path, "test", 0)

    store = Second()
    with Opened(store) as ledger:
        first = ledger.engine.submit([signing.tx("alice", PAY)])
        assert reached.wait(LONG)
        bad = ledger.engine.submit([signing.tx("bob", PAY)])
        assert first.wait(LONG)[0].height == 1
        with pytest.raises(Stopped, match="No room"):
            bad.wait(LONG)
    assert known(rows.read_head(store)).height == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_everybody_is_told_of_a_fault_also_where_nobody_hears_the_alarm(signing):
    def alarm(_text):
        raise BrokenPipeError

    with Opened(MemoryStore(), alarm=alarm) as ledger:
        bad = ledger.engine.submit([signing.tx("bob", toy.Break("fault"))])
        with pytest.raises(Stopped, match="fault"):
            bad.wait(LONG)


def test_what_is_no_transaction_takes_no_room_in_the_queue(signing, monkeypatch):
    monkeypatch.setattr(embedded, "MAXIMUM_WAITING_BYTES", 60_000)
    store = ToldStore()
    with Opened(store) as ledger:
        store.go.clear()
        raws = [signing.tx("alice", PAY) for _ in range(40)]
        waiting = [ledger.engine.submit([raw]) for raw in raws]
        assert ledger.engine._queued_bytes
        try:
            (answer,) = ledger.engine.submit([b"\x91" * 60_000]).wait(LONG)
        finally:
            store.go.set()
        assert isinstance(answer.reason, NotCanonical)
        assert all(submission.wait(LONG)[0].receipt is not None for submission in waiting)


def test_stopping_finishes_what_was_accepted(signing):
    store = ToldStore()
    ledger = Opened(store)
    ledger.engine.start()
    store.go.clear()
    waiting = [ledger.engine.submit([signing.tx("alice", PAY) for _ in range(100)]) for _ in range(20)]
    stopper = threading.Thread(target=ledger.engine.stop)
    stopper.start()
    time.sleep(0.02)
    with pytest.raises(Stopped):
        ledger.engine.submit([signing.tx("bob", PAY)])
    store.go.set()
    stopper.join(LONG)
    assert all(a.receipt is not None for s in waiting for a in s.wait(0))
    ledger.engine.stop()


def test_many_clients_at_once(signing):
    """Each of eight threads sends its lane's transactions one by one; junk comes in between."""
    with Opened(MemoryStore()) as ledger:
        lanes = {lane: [signing.tx("alice", PAY, lane=lane) for _ in range(40)] for lane in range(8)}
        answers: dict[int, list[bytes | None]] = {}

        def client(lane):
            told = []
            for raw in lanes[lane]:
                told.append(ledger.engine.send(raw, LONG).receipt)
                ledger.engine.send(raw[:-1], LONG)
            answers[lane] = told

        threads = [threading.Thread(target=client, args=(lane,)) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sum(len(set(told)) for told in answers.values()) == 320
        assert None not in answers[0]


def test_a_lone_transaction_is_final_in_twenty_milliseconds(tmp_path, signing):
    with rocks(tmp_path) as store, Opened(store) as ledger:
        taken = []
        for _ in range(60):
            raw = signing.tx("alice", PAY)
            before = time.perf_counter()
            ledger.engine.send(raw)
            taken.append(time.perf_counter() - before)
    assert statistics.median(taken) <= 0.020, taken


def test_time_of_blocks_never_goes_back(signing):
    times = iter([2_000_000_000_000, 1_000, 2_000_000_000_001])
    with Opened(MemoryStore(), now=lambda: next(times)) as ledger:
        for _ in range(3):
            ledger.engine.send(signing.tx("alice", PAY, valid_until=2_000_000_100_000))
    assert [b.head.time for b in ledger.blocks] == [2_000_000_000_000, 2_000_000_000_000, 2_000_000_000_001]


def test_what_is_due_is_served_block_by_block(ledger, signing):
    sent = [toy.Later(ledger.time, n.to_bytes(16, "big"), address("erlan"), 1) for n in range(60)]
    ledger.engine.submit([signing.tx("dina", *sent)]).wait(LONG)
    for _ in range(25):
        ledger.engine.send(signing.tx("alice", PAY))
    assert not list(ledger.store.scan(Area.STATE, b"purse.due", b"purse.duf"))
