"""Money is neither made nor lost: holds, freezes, supply, what a transfer touches."""

import pytest

from kerege.kernel.context import Context
from kerege.kernel.errors import Refused
from kerege.modules.accounts.rules import NEW
from kerege.modules.accounts.state import USAGE
from kerege.modules.bank import errors
from kerege.modules.bank.events import AccountUnfrozen, HoldReleased
from kerege.modules.bank.keeper import Bank, BankView, Enforcement
from kerege.modules.bank.messages import (
    CaptureHold,
    FreezeAccount,
    PlaceHold,
    ReleaseHold,
    Transfer,
    UnfreezeAccount,
)
from kerege.modules.bank.state import BALANCES, CURSOR, FREEZES, HOLDS
from kerege.modules.bank.types import Hold
from kerege.testing import names
from kerege.testing.country import found
from kerege.testing.ledger import HOUR, Simulator

ALICE, BOB, CAROL = map(names.address, ("alice", "bob", "carol"))
COURT, SUPERVISION = "СУД-1", "НФР-1"
POSTS = {"judge": ("judge", COURT), "clerk": ("court-clerk", COURT), "supervisor": ("market-supervisor", SUPERVISION)}
GROUND = names.random_like("ground", 32)


def identifier(name: str) -> bytes:
    return names.random_like(name, 16)


@pytest.fixture
def ledger() -> Simulator:
    return Simulator(
        found(
            ["alice", "bob", "carol"],
            POSTS,
            money={"alice": 10_000, "bob": 10_000},
            rules={"accounts.rate_burst": 10**6},
        )
    )


def worth(ledger: Simulator, account: bytes) -> tuple[int, int]:
    view = ledger.machine.context().use(BankView)
    return view.available(account, "KGS"), view.held(account, "KGS")


def writing(ledger: Simulator) -> Context:
    """A context to try a keeper with: what it writes is thrown away with the ledger."""
    ledger.machine.state.begin_transaction()
    return ledger.machine.context(ledger.time)


def test_a_transfer_between_people_who_know_each_other_changes_three_rows(ledger):
    ledger.send("alice", Transfer(BOB, "KGS", 1))
    block = ledger.machine.apply_block(2, ledger.time, [ledger.transaction("alice", [Transfer(BOB, "KGS", 1)])])
    tables = [table.name for table, _, _ in block.executed.changes.items.values()]
    assert sorted(tables) == ["accounts.usage", "bank.balance", "bank.balance"]
    assert ledger.machine.state.operations <= 14, "more reads and writes than a transfer needs"


def test_a_hold_goes_where_its_fate_says(ledger):
    for name, amount in (("captured", 100), ("released", 20), ("expired", 3)):
        placed = PlaceHold(identifier(name), BOB, "KGS", amount, ledger.time + HOUR)
        assert ledger.send("alice", placed).code == ""
    assert worth(ledger, ALICE) == (9_877, 123)
    assert ledger.send("bob", CaptureHold(identifier("captured"), 60)).code == ""
    assert worth(ledger, ALICE) == (9_917, 23)
    assert worth(ledger, BOB) == (10_060, 0)
    assert ledger.send("bob", ReleaseHold(identifier("released"))).code == ""
    assert worth(ledger, ALICE) == (9_937, 3)
    ledger.advance(HOUR)
    ledger.run([])
    assert worth(ledger, ALICE) == (9_940, 0)
    assert [e.hold for e in ledger.events() if isinstance(e, HoldReleased)] == [
        identifier("released"),
        identifier("expired"),
    ]
    assert ledger.machine.full_invariants() == []


def test_at_its_expiry_a_hold_is_no_longer_captured(ledger):
    ledger.send("alice", PlaceHold(identifier("h"), BOB, "KGS", 1, ledger.time + HOUR))
    ledger.advance(HOUR)
    assert ledger.send("bob", CaptureHold(identifier("h"), 1)).code == "bank.8"
    assert worth(ledger, ALICE) == (10_000, 0), "the block's schedule gave it back"


def test_a_frozen_account_neither_pays_nor_receives_until_it_thaws(ledger):
    ledger.send("alice", PlaceHold(identifier("h"), BOB, "KGS", 100, ledger.time + 3 * HOUR))
    frozen = FreezeAccount(COURT, ALICE, "court", GROUND, ledger.time + 2 * HOUR)
    assert ledger.send("judge", frozen).code == ""
    before = ledger.rows()["bank.balance"]
    for sender, message in (
        ("alice", Transfer(BOB, "KGS", 1)),
        ("bob", Transfer(ALICE, "KGS", 1)),
        ("alice", PlaceHold(identifier("h2"), BOB, "KGS", 1, ledger.time + HOUR)),
        ("bob", CaptureHold(identifier("h"), 100)),
    ):
        assert ledger.send(sender, message).code == "bank.3", message
    assert ledger.rows()["bank.balance"] == before
    assert ledger.send("bob", ReleaseHold(identifier("h"))).code == "", "it does not leave its owner"
    ledger.advance(2 * HOUR)
    assert ledger.send("alice", Transfer(BOB, "KGS", 1)).code == "", "thawed by time, before any schedule ran"
    assert ledger.read(FREEZES, ALICE) is None
    assert [event.account for event in ledger.events() if isinstance(event, AccountUnfrozen)] == [ALICE]
    assert ledger.machine.full_invariants() == []


def test_an_order_is_changed_by_who_gave_it_or_by_a_judge(ledger):
    end = ledger.time + 2 * HOUR
    order = FreezeAccount(SUPERVISION, ALICE, "aml", GROUND, end)
    assert ledger.send("supervisor", order).code == ""
    assert ledger.send("clerk", FreezeAccount(COURT, ALICE, "court", GROUND, end)).code == "bank.14"
    assert ledger.send("judge", FreezeAccount(COURT, ALICE, "court", GROUND, end + 1)).code == ""
    assert ledger.send("supervisor", UnfreezeAccount(SUPERVISION, ALICE)).code == "bank.14"
    assert ledger.send("clerk", UnfreezeAccount(COURT, ALICE)).code == "", "of the court that ordered it"
    assert ledger.machine.full_invariants() == []


def test_an_order_that_was_replaced_ends_by_its_own_time_only(ledger):
    first, second = ledger.time + HOUR, ledger.time + 3 * HOUR
    ledger.send("judge", FreezeAccount(COURT, ALICE, "court", GROUND, first))
    ledger.send("judge", FreezeAccount(COURT, ALICE, "court", GROUND, second))
    ledger.advance(2 * HOUR)
    ledger.run([])
    assert ledger.send("alice", Transfer(BOB, "KGS", 1)).facts["expires"] == second
    assert ledger.machine.full_invariants() == []


def test_the_entries_of_a_hold_are_given_back_to_who_placed_it(ledger):
    """Else everybody who ever had a hold captured or expired would need an ever larger minimum balance."""

    def entries() -> list[int]:
        return [(ledger.read(USAGE, account) or NEW).entries for account in (ALICE, BOB)]

    expires = ledger.time + HOUR
    for name in ("captured", "released", "expired", "undone"):
        assert ledger.send("alice", PlaceHold(identifier(name), BOB, "KGS", 1, expires)).code == ""
    assert entries() == [9, 0], "eight, and the row of what is held in all"
    assert ledger.send("bob", CaptureHold(identifier("captured"), 1)).code == ""
    assert ledger.send("bob", ReleaseHold(identifier("released"))).code == ""
    assert entries() == [5, 0]
    assert ledger.send("bob", ReleaseHold(identifier("undone")), Transfer(ALICE, "KGS", 10**6)).code == "bank.4"
    assert entries() == [5, 0]
    ledger.advance(HOUR)
    ledger.run([])
    assert entries() == [1, 0]


def test_the_minimum_balance_stays_as_long_as_the_state_that_needs_it(ledger):
    """Else whoever passes the same money on from account to account would create state for ever."""
    expires = ledger.time + HOUR
    assert ledger.send("alice", PlaceHold(identifier("h"), BOB, "KGS", 1, expires)).code == ""
    for spending in (Transfer(BOB, "KGS", 9_700), PlaceHold(identifier("h2"), BOB, "KGS", 9_700, expires)):
        assert ledger.send("alice", spending).code == "kernel.4", spending
    refused = ledger.send("alice", Transfer(BOB, "KGS", 9_700))
    assert refused.facts == {"needed": 300, "available": 299}, "the hold, its place, the row of what is held"
    assert ledger.send("bob", CaptureHold(identifier("h"), 1)).code == "", "what was set aside before is nobody's loss"
    assert ledger.send("alice", Transfer(BOB, "KGS", 9_700)).code == "", "two of the entries are gone"
    assert worth(ledger, ALICE) == (299, 0)
    ctx = writing(ledger)
    ctx.use(Enforcement).move_by_order(ALICE, BOB, "KGS", 299)
    assert ctx.use(BankView).available(ALICE, "KGS") == 0, "an order takes all"


def test_the_minimum_is_held_in_the_base_currency_only(ledger):
    assert ledger.send("alice", PlaceHold(identifier("h"), BOB, "KGS", 1, ledger.time + HOUR)).code == ""
    ledger.write([(BALANCES, (ALICE, "USD"), 5), (BALANCES, (ALICE, "KGS"), 0)])
    assert ledger.send("alice", Transfer(BOB, "USD", 5)).code == "kernel.4", "a new row of Bob's: new state"
    ledger.write([(BALANCES, (BOB, "USD"), 0)])
    assert ledger.send("alice", Transfer(BOB, "USD", 5)).code == "", "money of another currency is no minimum"


def test_the_schedule_is_bounded_and_its_cursor_passes_what_was_deleted():
    ledger = Simulator(found(["alice", "bob"], rules={"bank.minimum_balance_per_entry": 0}, money={"alice": 10_000}))
    holds = [identifier(f"hold {number}") for number in range(700)]
    expires = ledger.time + HOUR
    for part in range(0, len(holds), 100):
        placed = [PlaceHold(each, BOB, "KGS", 1, expires) for each in holds[part : part + 100]]
        for at in range(0, len(placed), 10):
            assert ledger.send("alice", *placed[at : at + 10]).code == ""
    assert ledger.machine.context().use(BankView).next_expiry() == expires
    ledger.advance(HOUR)
    ledger.run([])
    assert len(ledger.rows()["bank.hold"]) == 200
    ledger.run([])
    assert ledger.rows()["bank.hold"] == {}
    assert ledger.read(CURSOR, "bank.expiry") == expires - 1
    assert ledger.machine.context().use(BankView).next_expiry() is None
    late = PlaceHold(identifier("late"), BOB, "KGS", 1, ledger.time + 1)
    assert ledger.send("alice", late).code == ""
    ledger.advance(1)
    ledger.run([])
    assert ledger.read(HOLDS, identifier("late")) is None, "what is entered later stands behind the cursor"
    assert ledger.machine.full_invariants() == []


def test_a_block_in_which_nothing_is_due_changes_nothing(ledger):
    ledger.send("alice", PlaceHold(identifier("h"), BOB, "KGS", 1, ledger.time + HOUR))
    head = ledger.machine.head
    ledger.advance(HOUR - 1)
    ledger.run([])
    assert head is not None
    assert ledger.machine.head is not None
    assert ledger.machine.head.app_hash == head.app_hash


def test_keepers_refuse_what_messages_cannot_ask(ledger):
    ctx = writing(ledger)
    with pytest.raises(errors.InsufficientFunds):
        ctx.use(Bank).move(ALICE, BOB, "KGS", -1)
    with pytest.raises(Refused):
        ctx.use(Bank).place_hold(identifier("h"), Hold(ALICE, BOB, "KGS", -5, ledger.time + HOUR))
    assert worth(ledger, ALICE) == (10_000, 0)


def test_only_an_order_moves_the_money_of_a_frozen_account(ledger):
    ledger.send("judge", FreezeAccount(COURT, ALICE, "court", GROUND, ledger.time + HOUR))
    ctx = writing(ledger)
    with pytest.raises(errors.Frozen):
        ctx.use(Bank).move(ALICE, BOB, "KGS", 1)
    ctx.use(Enforcement).move_by_order(ALICE, CAROL, "KGS", 7)
    assert ctx.use(BankView).available(CAROL, "KGS") == 7
    with pytest.raises(errors.InsufficientFunds):
        ctx.use(Enforcement).move_by_order(ALICE, CAROL, "KGS", 10_000)
    with pytest.raises(errors.SameAccount):
        ctx.use(Enforcement).move_by_order(ALICE, ALICE, "KGS", 1)


def test_a_hold_may_be_for_oneself_and_is_conserved(ledger):
    ledger.send("alice", PlaceHold(identifier("own"), ALICE, "KGS", 10, ledger.time + HOUR))
    assert ledger.send("alice", CaptureHold(identifier("own"), 4)).code == ""
    assert worth(ledger, ALICE) == (10_000, 0)
    assert ledger.read(BALANCES, (ALICE, "KGS")) == 10_000
    assert ledger.machine.full_invariants() == []
