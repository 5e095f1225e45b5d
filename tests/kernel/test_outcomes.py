"""Three classes: not a transaction, refused, applied. What each changes, and what it leaves."""

import pytest

from kerege.kernel import crypto
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import (
    AmountOutOfBounds,
    BadForm,
    BadSignature,
    BlockFull,
    DispatchTooDeep,
    Expired,
    InternalError,
    InvariantBroken,
    KernelFault,
    MinimumBalance,
    NotATransaction,
    NotCanonical,
    NotEntitled,
    NotFound,
    RateExceeded,
    UnknownMessage,
    UnknownSender,
    ValidTooLong,
    WorkExceeded,
    WrongKey,
    WrongLedger,
    WrongSequence,
)
from kerege.kernel.execution import MAXIMUM_OPERATIONS
from kerege.kernel.machine import SEQUENCE_WINDOW
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import MAXIMUM_AHEAD, Witness, encode_body, seal
from kerege.storage.port import Area, Batch
from tests.kernel import toy
from tests.kernel.bench import HOUR, PASSKEY, SIGNERS, START, Bench, address, facts_of, genesis, receipt_of

PAY = toy.Pay(address("bob"), "KGS", 5)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def usage_of(bench, name):
    return bench.value(toy.USAGE, address(name))


def without_usage(bench):
    return {key: value for key, value in bench.state().items() if not key.startswith(b"wallets.usage")}


# Not a transaction


def not_transactions(bench):
    """(what is wrong, bytes, class, facts where they are told exactly)."""
    tx, body = bench.tx, bench.body
    good = body("alice", PAY, sequence=0)
    witness = SIGNERS["alice"].witness(good)
    stranger = SIGNERS["bob"].witness(good)
    flipped = Witness(1, witness.key, bytes([witness.signature[0] ^ 1]) + witness.signature[1:])
    unknown = encode_body(good).replace(b"purse.Pay", b"purse.Pat")
    late, early = bench.now - 1, bench.now + MAXIMUM_AHEAD + 2
    return [
        ("garbage", b"garbage", NotCanonical, None),
        ("empty", b"", NotCanonical, None),
        ("an unknown message", seal(unknown, witness), UnknownMessage, None),
        ("another ledger", tx("alice", PAY, sequence=0, ledger="kg-other"), WrongLedger, {"ledger": "kg-other"}),
        ("expired", tx("alice", PAY, sequence=0, valid_until=late), Expired, {"valid_until": late, "time": START + 1}),
        ("valid too long", tx("alice", PAY, sequence=0, valid_until=early), ValidTooLong, None),
        ("far future", tx("alice", PAY, sequence=0, valid_until=2**53 - 1), ValidTooLong, None),
        ("unknown sender", tx("alice", PAY, sequence=0, sender=b"x" * 20), UnknownSender, {"sender": b"x" * 20}),
        ("another's key", seal(encode_body(good), stranger), WrongKey, {"sender": address("alice")}),
        ("a bit of the signature", seal(encode_body(good), flipped), BadSignature, {"kind": 1}),
        ("a sequence ahead", tx("alice", PAY, sequence=1), WrongSequence, {"lane": 0, "sequence": 1, "expected": 0}),
        ("another lane ahead", tx("alice", PAY, lane=7, sequence=1), WrongSequence, None),
    ]


CASES = [case[0] for case in not_transactions(Bench())]


@pytest.mark.parametrize("position", range(len(CASES)), ids=CASES)
def test_no_transaction_leaves_nothing_but_a_number(bench, position):
    _, raw, kind, facts = not_transactions(bench)[position]
    before, head = bench.state(), bench.machine.head
    block = bench.run(raw)
    outcome = block.executed.outcomes[0]
    assert type(outcome.reason) is kind
    assert outcome.receipt is None
    assert facts is None or facts_of(outcome.reason)[1] == facts
    assert bench.state() == before
    assert block.head.app_hash == head.app_hash
    assert block.stored.leaves == []
    assert bench.one("alice", PAY).code == "", "the sender goes on as if nothing had been"


@pytest.mark.parametrize("position", [at for at, name in enumerate(CASES) if not name.endswith("ahead")])
def test_admission_says_the_same(bench, position):
    _, raw, kind, _ = not_transactions(bench)[position]
    for _ in range(2):
        with pytest.raises(NotATransaction) as refused:
            bench.machine.check_transaction(raw, bench.now + 1)
        assert type(refused.value) is kind


def test_admission_lets_waiting_sequences_in_up_to_a_window(bench):
    check = bench.machine.check_transaction
    assert check(bench.tx("alice", PAY, sequence=1), bench.now).body.sequence == 1
    with pytest.raises(WrongSequence):
        check(bench.tx("alice", PAY, sequence=SEQUENCE_WINDOW + 1), bench.now)
    bench.one("alice", PAY)
    with pytest.raises(WrongSequence):
        check(bench.tx("alice", PAY, sequence=0), bench.now)


def test_passkeys_sign_only_where_the_ledger_lists_the_place():
    listed = [
        ("kernel.webauthn_origins", ["https://portal.gov.kg"]),
        ("kernel.webauthn_rp_ids", ["portal.gov.kg"]),
    ]
    bench = Bench(begin=genesis(parameters=listed))
    assert bench.one("passkey", toy.Pay(address("bob"), "KGS", 1)).code == ""
    assert PASSKEY.settings.origins == ("https://portal.gov.kg",)
    nowhere = Bench()
    assert type(nowhere.run(nowhere.tx("passkey", PAY)).executed.outcomes[0].reason) is BadSignature


def test_a_verdict_of_admission_is_not_asked_for_again_but_a_passkeys_place_is(bench, monkeypatch):
    """What was found is a matter of bytes; whether the place is listed is asked by the block."""
    raws = [bench.tx("alice", PAY), bench.tx("passkey", PAY), bench.tx("dina", PAY)]
    good, passkey, bad = (bench.machine.decode(raw) for raw in (*raws[:2], raws[2][:-1] + bytes([raws[2][-1] ^ 1])))
    assert bench.machine.verify([good, passkey, bad]) == [True, False, False]
    assert [good.signed, passkey.signed, bad.signed] == [True, None, False]
    passkey.signed = True  # as where the place was listed when it was let in
    monkeypatch.setattr(crypto, "well_signed", lambda *_: pytest.fail("checked again"))
    reasons = [type(each.reason) for each in bench.run(good.raw, passkey.raw, bad.raw).executed.outcomes]
    assert reasons == [type(None), BadSignature, BadSignature]


def test_wallets_sign_one_message(bench):
    assert bench.one("wallet", toy.Pay(address("bob"), "KGS", 1)).code == ""


def test_valid_until_is_a_last_moment(bench):
    now = bench.now + 10
    block = bench.run(bench.tx("alice", PAY, valid_until=now), bench.tx("bob", PAY, valid_until=now - 1), time=now)
    assert [o.reason is None for o in block.executed.outcomes] == [True, False]
    assert bench.machine.check_transaction(bench.tx("alice", PAY, valid_until=now + MAXIMUM_AHEAD), now)


# Executed once


def test_a_replay_is_no_transaction(bench):
    raw = bench.tx("alice", PAY)
    first = bench.run(raw)
    again = bench.run(raw)
    assert first.executed.outcomes[0].receipt is not None
    assert type(again.executed.outcomes[0].reason) is WrongSequence
    assert bench.balance("bob") == 1_005


def test_a_replay_after_a_refusal_is_no_transaction(bench):
    raw = bench.tx("erlan", toy.Pay(address("bob"), "KGS", 1))
    first = bench.run(raw)
    assert receipt_of(first).code == toy.TooPoor.code
    bench.one("alice", toy.Pay(address("erlan"), "KGS", 5))
    assert type(bench.run(raw).executed.outcomes[0].reason) is WrongSequence
    assert bench.balance("erlan") == 5


def test_twice_in_one_block_runs_once(bench):
    raw = bench.tx("alice", PAY)
    block = bench.run(raw, raw)
    assert [o.reason is None for o in block.executed.outcomes] == [True, False]
    assert bench.balance("bob") == 1_005


def test_lanes_are_independent(bench):
    raws = [bench.tx("alice", PAY, lane=lane) for lane in (3, 0, 3, 15)]
    assert all(o.receipt for o in bench.run(*raws).executed.outcomes)
    assert usage_of(bench, "alice").sequences == [1, 0, 0, 2, *[0] * 11, 1]


def test_the_receipt_says_who_signed(bench):
    raw = bench.tx("alice", PAY)
    block = bench.run(raw)
    transaction = toy.MODULES.decoder.transaction(raw)
    receipt = receipt_of(block)
    assert (receipt.transaction, receipt.witness) == (transaction.id, transaction.witness_hash)
    assert (receipt.height, receipt.time, receipt.code, receipt.facts) == (1, START + 1, "", [])
    assert receipt.events == [["purse.Moved", address("alice"), address("bob"), "KGS", 5]]
    assert decode(block.stored.leaves[0], Receipt) == receipt


# Refused


def test_refused_consumes_the_sequence_and_nothing_else(bench):
    before = without_usage(bench)
    receipt = bench.one("alice", toy.Pay(address("bob"), "KGS", 1_001))
    assert facts_of(receipt) == (toy.TooPoor.code, {"available": 1_000, "asked": 1_001})
    assert receipt.events == []
    assert without_usage(bench) == before
    assert usage_of(bench, "alice").sequences[0] == 1


def test_several_messages_apply_together_or_not_at_all(bench):
    before = without_usage(bench)
    assert bench.one("alice", PAY, PAY, toy.Pay(address("bob"), "KGS", 991)).code == toy.TooPoor.code
    assert without_usage(bench) == before
    receipt = bench.one("alice", PAY, PAY, toy.Pay(address("bob"), "KGS", 990))
    assert [event[4] for event in receipt.events] == [5, 5, 990]
    assert bench.balance("bob") == 2_000
    assert bench.balance("alice") == 0


def test_overflow_is_refused_with_facts(bench):
    bench.one("carol", toy.Mint(address("bob"), "USD", 2**63 - 1))
    receipt = bench.one("carol", toy.Mint(address("bob"), "USD", 1))
    assert facts_of(receipt) == (AmountOutOfBounds.code, {"left": 2**63 - 1, "right": 1})


def test_what_is_missing_is_refused(bench):
    assert facts_of(bench.one("alice", toy.Break("found"))) == (NotFound.code, {"table": "purse.note"})
    assert facts_of(bench.one("alice", toy.Revoke(b"c" * 16, forget=False)))[0] == NotFound.code


# Who may send


def test_deny_by_default(bench):
    receipt = bench.one("alice", toy.Unsaid())
    assert facts_of(receipt) == (NotEntitled.code, {"message": "purse.Unsaid", "needed": ""})


def test_a_role_is_asked_for_as_of_block_time(bench):
    mint = toy.Mint(address("bob"), "KGS", 1)
    told = {"message": "purse.Mint", "needed": "role minter or authority council"}
    assert facts_of(bench.one("alice", mint)) == (NotEntitled.code, told)
    assert bench.one("carol", mint).code == ""


def test_authority_is_only_by_dispatch(bench):
    grant = toy.Grant(address("alice"), "minter")
    assert bench.one("alice", grant).code == NotEntitled.code
    assert bench.one("alice", toy.Enact("parliament", encode(grant))).code == NotEntitled.code
    assert bench.one("alice", toy.Enact("council", encode(grant))).code == ""
    assert bench.one("alice", toy.Mint(address("bob"), "KGS", 1)).code == ""


def test_a_dispatch_has_the_authority_s_rights_and_not_the_sender_s(bench):
    mint = encode(toy.Mint(address("bob"), "KGS", 1))
    assert bench.one("carol", toy.Enact("parliament", mint)).code == NotEntitled.code, "carol's role does not count"
    assert bench.one("alice", toy.Enact("council", mint)).code == ""
    nested = toy.Enact("parliament", encode(toy.Enact("council", mint)))
    assert bench.one("alice", nested).code == "", "anybody may send Enact"


def test_a_dispatch_ends_with_its_authority(bench):
    enact = toy.Enact("council", encode(toy.Mint(address("bob"), "KGS", 1)))
    assert bench.one("alice", enact, toy.Mint(address("bob"), "KGS", 1)).code == NotEntitled.code


def test_dispatched_bytes_are_read_as_strictly_as_transactions(bench):
    for raw in (b"", b"\x91\xa1x", b"\x91" * 99, encode(PAY) + b"\0", b"\xdc\x00\x04" + encode(PAY)[1:]):
        assert bench.one("alice", toy.Enact("council", raw)).code == BadForm.code


def test_dispatch_is_bounded_in_depth(bench):
    assert bench.one("alice", toy.Chain(4)).code == ""
    assert facts_of(bench.one("alice", toy.Chain(5))) == (DispatchTooDeep.code, {"limit": 4})
    assert bench.one("alice", toy.Chain(4), toy.Chain(4)).code == ""


# Bounds instead of gas


def test_a_rate_bucket_is_refused_with_the_sequence_consumed(bench):
    block = bench.run(bench.tx("alice", toy.Heavy()), bench.tx("alice", toy.Heavy()), time=START + 1)
    receipts = [receipt_of(block, at) for at in (0, 1)]
    assert receipts[0].code == ""
    assert facts_of(receipts[1]) == (RateExceeded.code, {"weight": 600, "available": 0, "retry_at": START + 20_001})
    assert usage_of(bench, "alice").sequences[0] == 2
    early = bench.run(bench.tx("alice", toy.Heavy()), time=START + 20_000)
    assert receipt_of(early).code == RateExceeded.code
    assert receipt_of(bench.run(bench.tx("alice", toy.Heavy()), time=START + 41_000)).code == ""


def test_a_block_has_a_budget_of_work():
    begin = genesis()
    bench = Bench(begin=begin)
    heavy = [bench.tx("alice", toy.Heavy(), toy.Heavy(), lane=0)]
    lanes = [bench.tx("bob", *[toy.Heavy()] * 64, lane=lane) for lane in range(3)]
    block = bench.run(*lanes, *heavy)
    outcomes = block.executed.outcomes
    assert [type(o.reason) for o in outcomes] == [type(None), BlockFull, BlockFull, type(None)]
    assert facts_of(outcomes[1].reason) == (BlockFull.code, {"limit": 40_000})
    assert usage_of(bench, "bob").sequences[:2] == [1, 0], "not a transaction: send it again"


def test_what_is_no_transaction_takes_nothing_from_the_budget(bench):
    junk = [bench.tx("bob", *[toy.Heavy()] * 64, sequence=9) for _ in range(5)]
    assert bench.run(*junk, bench.tx("alice", PAY)).executed.outcomes[-1].receipt is not None


def test_table_operations_are_bounded(bench):
    bench.one("dina", *[toy.Note(f"n{at}", 400, "x") for at in range(40)])
    assert bench.one("dina", *[toy.Note("m", 400, "x") for at in range(64)]).code == WorkExceeded.code
    scans = [toy.Note("n1", 0, "")] * 64 * 2
    assert bench.one("dina", *scans[:64]).code == ""


def test_a_scan_is_stopped_while_it_runs(bench):
    for _ in range(3):
        assert bench.one("dina", toy.Note("n", 10_000, "x")).code == ""
    told = {"operations": MAXIMUM_OPERATIONS + 2, "limit": MAXIMUM_OPERATIONS}  # three for admission, two a row
    assert facts_of(bench.one("dina", toy.Erase("n"))) == (WorkExceeded.code, told)
    assert bench.value(toy.NOTES, ("n", 0)) == "x"


def test_bytes_are_bounded_by_the_receipt(bench):
    """A message that says its text again and again is more work than its few operations."""
    text = "x" * 100_000
    assert bench.one("dina", toy.Note("n", 1, text)).code == ""
    receipt = bench.one("dina", toy.Echo(17, text))
    assert facts_of(receipt)[0] == WorkExceeded.code
    assert receipt.events == []
    assert bench.one("dina", toy.Echo(15, text)).code == ""


def test_new_state_needs_a_minimum_balance(bench):
    poor = bench.one("erlan", toy.Note("n", 2, "x"))
    assert facts_of(poor) == (MinimumBalance.code, {"needed": 10, "available": 0})
    assert bench.value(toy.NOTES, ("n", 0)) is None
    assert usage_of(bench, "erlan").entries == 0
    bench.one("alice", toy.Pay(address("erlan"), "KGS", 10))
    assert bench.one("erlan", toy.Note("n", 2, "x")).code == ""
    assert usage_of(bench, "erlan").entries == 2
    assert bench.one("erlan", toy.Note("m", 1, "x")).code == MinimumBalance.code
    assert bench.one("erlan", toy.Erase("n")).code == ""
    assert usage_of(bench, "erlan").entries == 0


def test_a_sponsor_stands_in_for_the_minimum_balance(bench):
    bench.one("dina", toy.Pay(address("bob"), "KGS", 1_000))
    assert bench.one("dina", toy.Note("n", 50, "x")).code == ""


def test_entries_that_come_and_go_in_one_transaction_are_none(bench):
    assert bench.one("alice", toy.Note("n", 300, "x"), toy.Erase("n")).code == ""
    assert usage_of(bench, "alice").entries == 0


# Broken


@pytest.mark.parametrize(
    ("how", "code"),
    [("invariant", InvariantBroken.code), ("error", InternalError.code), ("untellable", InternalError.code)],
)
def test_what_breaks_is_rolled_back_with_an_alarm(bench, how, code):
    before = without_usage(bench)
    block = bench.run(bench.tx("alice", PAY, toy.Break(how)), bench.tx("bob", PAY))
    receipt = receipt_of(block)
    assert receipt.code == code
    told = {"invariant": {"name": "purse.supply"}, "untellable": {"message": "purse.Pay"}}
    assert facts_of(receipt)[1] == told.get(how, {"message": "purse.Break"})
    assert [receipt.transaction.hex() in alarm for alarm in block.executed.alarms] == [True]
    assert usage_of(bench, "alice").sequences[0] == 1
    assert receipt_of(block, 1).code == "", "the next one is not harmed"
    assert {k: v for k, v in without_usage(bench).items() if b"bob" not in k} == before


def test_a_zero_byte_in_a_text_key_is_the_sender_s_trouble_alone(bench):
    block = bench.run(bench.tx("alice", toy.Note("a\0b", 1, "x")))
    assert receipt_of(block).code == InternalError.code
    assert bench.one("alice", PAY).code == ""


@pytest.mark.parametrize(
    ("how", "kind"),
    [("recursion", RecursionError), ("memory", MemoryError), ("disk", OSError), ("fault", KernelFault)],
)
def test_what_another_node_may_not_meet_stops_the_node(bench, how, kind):
    before, head = bench.state(), bench.machine.head
    raws = bench.tx("bob", PAY), bench.tx("alice", toy.Break(how))
    with pytest.raises(kind):
        bench.run(*raws)
    assert (bench.machine.head, bench.machine.last[0]) == (head, 0)
    assert bench.state() == before
    bench.sequences.clear()
    assert bench.one("bob", PAY).height == 1, "nothing of the block was kept"
    assert bench.balance("alice") == 1_000


class FailingStore(Exception):
    """Like a storage error: no OSError, and the kernel cannot know its class."""


def test_a_store_that_fails_stops_the_node_whatever_its_error(bench):
    class Failing:
        def get(self, key):
            raise FailingStore

        def multi_get(self, keys):
            raise FailingStore

        def scan(self, start, end):
            yield from ()
            raise FailingStore

    healthy = bench.machine.state._reader
    bench.machine.state._reader = Failing()
    for message in (toy.Pay(b"n" * 20, "KGS", 1), toy.Erase("n")):
        with pytest.raises(KernelFault):
            bench.run(bench.tx("alice", message, sequence=0))
    bench.machine.state._reader = healthy
    assert bench.machine.last[0] == 0


@pytest.mark.parametrize("bad", [b"", b"\x01", b"\x09\x01", b"\x01\xc1", b"\x01\xa1x"])
def test_a_damaged_row_stops_the_node(bench, bad):
    batch = Batch()
    batch.put(Area.STATE, toy.BALANCES.encode_key((b"n" * 20, "KGS")), bad)
    bench.store.write(batch)
    with pytest.raises(KernelFault):
        bench.run(bench.tx("alice", toy.Pay(b"n" * 20, "KGS", 1)))


def test_a_violation_over_the_block_stops_before_it_commits(bench):
    before, head = bench.state(), bench.machine.head
    with pytest.raises(KernelFault, match=r"purse\.late"):
        bench.run(bench.tx("bob", PAY), bench.tx("alice", toy.Break("block")))
    assert (bench.state(), bench.machine.head) == (before, head)
    bench.sequences.clear()
    assert bench.one("bob", PAY).height == 1


def test_blocks_go_forward_only(bench):
    bench.one("alice", PAY)
    prepare = bench.machine.prepare
    for height, time in ((1, START + 5), (0, START + 5), (2, START)):
        with pytest.raises(KernelFault):
            bench.machine.execute(height, time, prepare([]))
    assert bench.machine.apply_block(2, bench.now, []).head.height == 2


def test_a_block_is_total_over_any_bytes(bench):
    raws = [b"", b"\x91" * 100_000, b"\xdd\xff\xff\xff\xff", bench.tx("alice", PAY), b"\0" * 300_000]
    block = bench.run(*raws)
    assert [o.receipt is not None for o in block.executed.outcomes] == [False, False, False, True, False]


def test_hours_pass(bench):
    """A transaction signed before is good until its time, and no longer."""
    raw = bench.tx("alice", PAY)
    bench.run(time=START + HOUR)
    late = bench.run(raw, time=START + HOUR + 1)
    assert type(late.executed.outcomes[0].reason) is Expired
