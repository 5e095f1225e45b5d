"""A lost account comes back to its holder, and to nobody else: notice, time to object, guardians."""

import pytest
from msgspec.structs import replace

from kerege.modules.accounts.events import RecoveryEnded, RecoveryWritten
from kerege.modules.accounts.keeper import RECOVERY_DELAY, AccountView
from kerege.modules.accounts.messages import (
    AddKey,
    ApproveRecovery,
    AskRecovery,
    CancelRecovery,
    CloseAccount,
    Open,
    SetGuardians,
    StartRecovery,
)
from kerege.modules.accounts.state import ACCOUNTS, USAGE
from kerege.modules.accounts.types import AccountKind
from kerege.testing import names
from kerege.testing.country import found
from kerege.testing.ledger import Simulator

OFFICE = "ЦОН-1"
ALICE = names.address("alice")
PHONE = names.signer("new phone")
START = StartRecovery(OFFICE, ALICE, 1, PHONE.key)
GUARDIANS = sorted(map(names.address, ("bob", "carol", "dave")))


@pytest.fixture
def ledger() -> Simulator:
    """Alice's account was opened by a service centre; others stand by."""
    simulator = Simulator(
        found(
            ["bob", "carol", "dave"],
            {"clerk": ("acceptor", OFFICE), "other": ("acceptor", "ЦОН-2")},
            money={"bob": 200, "carol": 200},
        )
    )
    key = names.signer("alice").key
    assert simulator.send("clerk", Open(OFFICE, AccountKind.PERSON, 1, key, sponsored=True)).code == ""
    return simulator


def keys_of(ledger: Simulator) -> list[bytes]:
    return [held.key for held in ledger.read(ACCOUNTS, ALICE).keys]


def pass_time(ledger: Simulator, milliseconds: int = RECOVERY_DELAY) -> None:
    """Time passes and somebody ticks."""
    ledger.advance(milliseconds)
    ledger.run([])


def test_the_new_key_takes_over_by_itself_after_the_delay(ledger):
    assert ledger.send("clerk", START).code == ""
    notice = [event for event in ledger.events() if isinstance(event, RecoveryWritten)]
    assert [(event.account, event.row.ready) for event in notice] == [(ALICE, ledger.time + RECOVERY_DELAY)]
    pass_time(ledger, RECOVERY_DELAY - 1)
    assert keys_of(ledger) == [names.signer("alice").key], "not a millisecond early"
    assert ledger.machine.context().use(AccountView).next_ready() == ledger.time + 1
    pass_time(ledger, 1)
    assert keys_of(ledger) == [PHONE.key]
    assert [event.done for event in ledger.events() if isinstance(event, RecoveryEnded)] == [True]
    assert ledger.send("alice", CancelRecovery()).code == "kernel.26", "the lost key is no key any more"
    new = ledger.transaction("alice", [AddKey(1, names.signer("tablet").key)], signer=PHONE)
    assert ledger.run([new])[0].code == ""
    assert ledger.machine.full_invariants() == []


def test_who_still_has_a_key_objects(ledger):
    ledger.send("clerk", START)
    pass_time(ledger, RECOVERY_DELAY - 1)
    assert ledger.send("alice", CancelRecovery()).code == ""
    pass_time(ledger)
    assert keys_of(ledger) == [names.signer("alice").key]
    assert ledger.send("clerk", START).code == "", "another may begin"


def test_another_office_begins_nothing(ledger):
    assert ledger.send("other", StartRecovery("ЦОН-2", ALICE, 1, PHONE.key)).code == "accounts.13"
    assert ledger.send("other", START).code == "accounts.3", "nor in the name of the one that may"


@pytest.mark.parametrize(("approving", "recovered"), [((), False), (("bob",), False), (("bob", "carol"), True)])
def test_the_approvals_that_the_holder_asked_for_are_needed(ledger, approving, recovered):
    assert ledger.send("alice", SetGuardians(GUARDIANS, 2)).code == ""
    ledger.send("clerk", START)
    for guardian in approving:
        assert ledger.send(guardian, ApproveRecovery(ALICE, PHONE.key)).code == ""
    pass_time(ledger)
    assert (keys_of(ledger) == [PHONE.key]) == recovered
    assert ledger.rows()["accounts.recovery"] == {}, "it has ended either way"
    assert [event.done for event in ledger.events() if isinstance(event, RecoveryEnded)] == [recovered]


def test_guardians_recover_without_an_office(ledger):
    ledger.send("alice", SetGuardians(GUARDIANS, 2))
    assert ledger.send("bob", AskRecovery(ALICE, 1, PHONE.key)).code == ""
    assert ledger.send("bob", ApproveRecovery(ALICE, PHONE.key)).code == "accounts.11", "asking was approving"
    assert ledger.send("carol", ApproveRecovery(ALICE, PHONE.key)).code == ""
    pass_time(ledger)
    assert keys_of(ledger) == [PHONE.key]


def test_one_guardian_who_begins_first_blocks_neither_the_others_nor_the_office(ledger):
    ledger.send("alice", SetGuardians(GUARDIANS, 2))
    thief = names.signer("thief").key
    assert ledger.send("bob", AskRecovery(ALICE, 1, thief)).code == ""
    assert ledger.send("bob", AskRecovery(ALICE, 1, thief)).code == "accounts.8"
    ledger.advance(1)
    assert ledger.send("carol", AskRecovery(ALICE, 1, PHONE.key)).code == ""
    ledger.advance(1)
    assert ledger.send("clerk", START).code == ""
    assert ledger.send("dave", ApproveRecovery(ALICE, PHONE.key)).code == "", "for both that propose it"
    assert ledger.send("dave", ApproveRecovery(ALICE, PHONE.key)).code == "accounts.11"
    assert ledger.send("carol", ApproveRecovery(ALICE, PHONE.key)).code == "", "the office's"
    pass_time(ledger)
    assert keys_of(ledger) == [PHONE.key]
    assert ledger.rows()["accounts.recovery"] == {}, "the first that took effect has ended the others"
    ended = [(event.starter, event.done) for event in ledger.events() if isinstance(event, RecoveryEnded)]
    assert sorted(ended) == sorted((names.address(who), who == "carol") for who in ("bob", "carol", "clerk"))
    assert ledger.machine.full_invariants() == []


def test_who_objects_objects_to_all(ledger):
    ledger.send("alice", SetGuardians(GUARDIANS, 2))
    for guardian in ("bob", "carol"):
        assert ledger.send(guardian, AskRecovery(ALICE, 1, names.signer(guardian).key)).code == ""
    assert ledger.send("alice", CancelRecovery()).code == ""
    assert ledger.rows()["accounts.recovery"] == {}
    assert ledger.send("alice", CancelRecovery()).code == "accounts.9"
    assert ledger.machine.full_invariants() == []


@pytest.mark.parametrize("end", ["cancelled", "run out", "taken effect"])
def test_the_entries_of_a_recovery_are_given_back_to_the_guardian_who_began_it(ledger, end):
    ledger.send("alice", SetGuardians(GUARDIANS, 1 if end == "taken effect" else 2))
    assert ledger.send("bob", AskRecovery(ALICE, 1, PHONE.key)).code == ""
    assert ledger.read(USAGE, names.address("bob")).entries == 2
    if end == "cancelled":
        assert ledger.send("alice", CancelRecovery()).code == ""
    else:
        pass_time(ledger)
    assert ledger.read(USAGE, names.address("bob")).entries == 0
    assert ledger.read(USAGE, ALICE).entries == 0


def test_who_is_guardian_no_more_does_not_count(ledger):
    ledger.send("alice", SetGuardians(GUARDIANS, 1))
    ledger.send("bob", AskRecovery(ALICE, 1, PHONE.key))
    ledger.send("alice", SetGuardians([names.address("carol")], 1))
    pass_time(ledger)
    assert keys_of(ledger) == [names.signer("alice").key]


def test_a_closed_account_is_not_recovered(ledger):
    ledger.send("clerk", START)
    ledger.send("alice", CloseAccount())
    pass_time(ledger)
    assert keys_of(ledger) == [names.signer("alice").key]
    assert ledger.send("clerk", START).code == "accounts.2"


def test_what_is_due_is_bounded_in_a_block_and_goes_on_in_the_next():
    people = [f"person {number}" for number in range(120)]
    ledger = Simulator(found(people, {"clerk": ("acceptor", OFFICE)}, rules={"accounts.rate_burst": 100_000}))
    for address in map(names.address, people):
        ledger.write([(ACCOUNTS, address, replace(ledger.read(ACCOUNTS, address), opener=OFFICE))])
        assert ledger.send("clerk", StartRecovery(OFFICE, address, 1, PHONE.key)).code == ""
    pass_time(ledger)
    left = [len(ledger.rows()["accounts.recovery"])]
    ledger.run([])
    assert [*left, len(ledger.rows()["accounts.recovery"])] == [20, 0]
    assert ledger.machine.full_invariants() == []


def test_who_takes_the_guardians_away_is_not_taken_over(ledger):
    """One of three asks, and the holder, who sees it, names nobody any more."""
    ledger.send("alice", SetGuardians(GUARDIANS, 2))
    assert ledger.send("bob", AskRecovery(ALICE, 1, PHONE.key)).code == ""
    assert ledger.send("alice", SetGuardians([], 0)).code == ""
    pass_time(ledger)
    assert keys_of(ledger) == [names.signer("alice").key]


def test_no_office_recovers_what_no_office_opened(ledger):
    """An account of the genesis or of an agency's customer is recovered by its guardians alone."""
    account = ledger.read(ACCOUNTS, ALICE)
    ledger.write([(ACCOUNTS, ALICE, replace(account, opener=""))])
    assert ledger.send("clerk", START).code == "accounts.13"
