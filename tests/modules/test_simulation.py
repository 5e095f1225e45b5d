"""Life of the small country under chance: an oracle that keeps money in a dict, every truth after every block.

Hypothesis draws what people, officials and boards do, shrinks what fails and prints how to run it again.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from kerege.kernel.codec import encode
from kerege.kernel.messages import Message
from kerege.modules.accounts.keeper import RECOVERY_DELAY
from kerege.modules.accounts.messages import (
    AddKey,
    ApproveRecovery,
    AskRecovery,
    CancelRecovery,
    CloseAccount,
    SetGuardians,
    StartRecovery,
)
from kerege.modules.accounts.state import ACCOUNTS
from kerege.modules.accounts.types import AccountKind, AccountStatus
from kerege.modules.authority.messages import Appoint, Approve, EndAppointment, Propose
from kerege.modules.authority.rules import proposal_content
from kerege.modules.authority.state import APPOINTMENTS
from kerege.modules.bank.messages import (
    CaptureHold,
    FreezeAccount,
    Issue,
    PlaceHold,
    ReleaseHold,
    Retire,
    Transfer,
    UnfreezeAccount,
)
from kerege.modules.policy.messages import SetParameter
from kerege.testing import names, vectors
from kerege.testing.country import UNVERIFIED, found
from kerege.testing.ledger import HOUR, Result, Simulator

PEOPLE = ("alice", "bob", "carol", "dave")
COURT, OFFICE = "СУД-1", "ЗАГС-1"
POSTS = {
    "judge": ("judge", COURT),
    "rita": ("registrar", OFFICE),
    "pat": ("personnel-officer", "ЗАГС-2"),
}
BOARDS = {"government": (["minister", "deputy"], 2), "central-bank": (["banker"], 1)}
MONEY = {"alice": 1_000, "bob": 500, "carol": 1, "dave": 2**62}
GROUND = names.random_like("ground", 32)

people = st.sampled_from(PEOPLE)
amounts = st.integers(1, 600) | st.sampled_from([1, 2**62, 2**63 - 1])
terms = st.sampled_from([1, HOUR, 5 * HOUR])


class Country(RuleBasedStateMachine):
    """Ledger and oracle side by side."""

    holds = Bundle("holds")
    appointments = Bundle("appointments")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @initialize()
    def begin(self) -> None:
        rules = {"bank.minimum_balance_per_entry": 0, "accounts.rate_burst": 10**6}
        self.ledger = Simulator(found(PEOPLE, POSTS, BOARDS, rules, MONEY))
        self.free = {name: MONEY.get(name, 0) for name in PEOPLE}
        self.held: dict[bytes, tuple[str, str, int, int]] = {}
        self.frozen: dict[str, int] = {}
        self.supply = sum(MONEY.values())
        self.tables = self.ledger.rows()
        self.told = sum(1 for _ in self.ledger.events())

    def name(self) -> bytes:
        self.count += 1
        return names.random_like(f"simulation/{self.count}", 16)

    def send(self, sender: str, *messages: Message) -> Result:
        """Send, let the oracle's time pass as the ledger's schedule does, tell what came."""
        result = self.ledger.send(sender, *messages)
        note(f"{sender}: {[type(m).__name__ for m in messages]} -> {result.code or 'applied'}")
        assert result.code not in ("kernel.internal", "kernel.invariant")
        return result

    def expire(self) -> None:
        """What the ledger's schedule did at the end of the block."""
        for name, (owner, _, amount, expires) in list(self.held.items()):
            if expires <= self.ledger.time:
                self.free[owner] += amount
                del self.held[name]

    def thawed(self, *parties: str) -> bool:
        return all(self.frozen.get(party, 0) <= self.ledger.time for party in parties)

    def open(self, person: str) -> bool:
        row = self.ledger.read(ACCOUNTS, names.address(person))
        return bool(row.status is AccountStatus.OPEN and row.keys[0].key == names.signer(person).key)

    # Money

    @rule(source=people, other=people, amount=amounts)
    def transfer(self, source: str, other: str, amount: int) -> None:
        opened = self.open(source)
        result = self.send(source, Transfer(names.address(other), "KGS", amount))
        fits = self.free[source] >= amount and source != other and self.thawed(source, other)
        assert (result.code == "") == (fits and opened), result
        if result.code == "":
            self.free[source] -= amount
            self.free[other] += amount
        self.expire()

    @rule(target=holds, owner=people, beneficiary=people, amount=amounts, term=terms)
    def place(self, owner: str, beneficiary: str, amount: int, term: int) -> Any:
        name, expires, opened = self.name(), self.ledger.time + term, self.open(owner)
        result = self.send(owner, PlaceHold(name, names.address(beneficiary), "KGS", amount, expires))
        assert (result.code == "") == (self.free[owner] >= amount and self.thawed(owner) and opened), result
        if result.code == "":
            self.free[owner] -= amount
            self.held[name] = (owner, beneficiary, amount, expires)
        self.expire()
        return multiple() if result.code else name

    @rule(name=holds, sender=st.none() | people, amount=amounts)
    def capture(self, name: bytes, sender: str | None, amount: int) -> None:
        hold = self.held.get(name)
        sender = sender or (hold[1] if hold else "alice")
        opened = self.open(sender)
        result = self.send(sender, CaptureHold(name, amount))
        fits = hold is not None and hold[1] == sender and amount <= hold[2] and self.ledger.time < hold[3]
        fits = fits and opened and hold is not None and self.thawed(hold[0], hold[1])
        assert (result.code == "") == fits, result
        if hold is not None and fits:
            self.free[sender] += amount
            self.free[hold[0]] += hold[2] - amount
            del self.held[name]
        self.expire()

    @rule(name=consumes(holds), sender=st.none() | people)
    def release(self, name: bytes, sender: str | None) -> None:
        hold = self.held.get(name)
        sender = sender or (hold[1] if hold else "alice")
        opened = self.open(sender)
        result = self.send(sender, ReleaseHold(name))
        fits = hold is not None and opened and (sender == hold[1] or hold[3] <= self.ledger.time)
        assert (result.code == "") == fits, result
        if hold is not None and fits:
            self.free[hold[0]] += hold[2]
            del self.held[name]
        self.expire()

    @rule(account=people, amount=amounts, create=st.booleans())
    def change_supply(self, account: str, amount: int, create: bool) -> None:
        message = (Issue if create else Retire)(names.address(account), "KGS", amount)
        result = self.send("banker", Propose(self.name(), "central-bank", [encode(message)], self.ledger.time + HOUR))
        owned = self.ledger.read(ACCOUNTS, names.address(account)).kind is not AccountKind.PERSON
        fits = self.supply + amount < 2**63 if create else owned and self.free[account] >= amount
        assert (result.code == "") == (fits and self.thawed(account)), result
        if result.code == "":
            change = amount if create else -amount
            self.free[account] += change
            self.supply += change
        self.expire()

    @rule(account=people, term=terms, order=st.booleans())
    def freeze(self, account: str, term: int, order: bool) -> None:
        address, expires = names.address(account), self.ledger.time + term
        if order:
            assert self.send("judge", FreezeAccount(COURT, address, "court", GROUND, expires)).code == ""
            self.frozen[account] = expires
        else:
            result = self.send("judge", UnfreezeAccount(COURT, address))
            assert (result.code == "") == (not self.thawed(account))
            self.frozen.pop(account, None)
        self.expire()

    # Accounts

    @rule(person=people, guardian=people)
    def guard(self, person: str, guardian: str) -> None:
        self.send(person, SetGuardians([names.address(guardian)], 1))
        self.expire()

    @rule(person=people, guardian=people, number=st.integers(0, 3))
    def recover(self, person: str, guardian: str, number: int) -> None:
        address, key = names.address(person), names.signer(f"device {self.count}").key
        named = self.ledger.read(ACCOUNTS, address).guardians
        guardian = next((name for name in PEOPLE if names.address(name) in named), guardian)
        self.count += 1
        messages: list[tuple[str, Message]] = [
            ("rita", StartRecovery(OFFICE, address, 1, key)),
            (guardian, AskRecovery(address, 1, key)),
            (guardian, ApproveRecovery(address, key)),
            (person, CancelRecovery()),
        ]
        self.send(*messages[number])
        self.expire()

    @rule(person=people, close=st.sampled_from([False] * 9 + [True]))
    def change_keys(self, person: str, close: bool) -> None:
        self.count += 1
        self.send(person, CloseAccount() if close else AddKey(1, names.signer(f"device {self.count}").key))
        self.expire()

    # Authority and rules

    @rule(target=appointments, person=people, later=terms, term=st.none() | terms)
    def appoint(self, person: str, later: int, term: int | None) -> Any:
        name, since = self.name(), self.ledger.time + later
        until = None if term is None else since + term
        result = self.send("pat", Appoint(name, names.address(person), OFFICE, "registrar", since, until))
        self.expire()
        return multiple() if result.code else name

    @rule(name=appointments)
    def end(self, name: bytes) -> None:
        before = self.ledger.read(APPOINTMENTS, name)
        result = self.send("pat", EndAppointment(name))
        assert (result.code == "") == (before.ended is None)
        self.expire()

    @rule(person=people)
    def act(self, person: str) -> None:
        """Somebody acts as registrar: entitled just while an appointment of theirs is in force."""
        now = self.ledger.time
        rows = [
            row for row in self.ledger.rows()["authority.appointment"].values() if row.account == names.address(person)
        ]
        held = any(row.since <= now and (row.until is None or now < row.until) and row.ended is None for row in rows)
        if self.open(person):
            key = names.signer(f"device {self.count}").key
            result = self.send(person, StartRecovery(OFFICE, names.address("nobody"), 1, key))
            assert result.code == ("accounts.2" if held else "kernel.1")
            self.expire()

    @rule(value=st.integers(0, 9), later=terms)
    def enact(self, value: int, later: int) -> None:
        name = self.name()
        rule_ = encode(SetParameter("test.rule", value, self.ledger.time + later, None, UNVERIFIED))
        expires = self.ledger.time + HOUR
        assert self.send("minister", Propose(name, "government", [rule_], expires)).code == ""
        assert self.send("deputy", Approve(name, proposal_content("government", [rule_], expires))).code == ""
        self.expire()

    # Time and truth

    @rule(milliseconds=st.sampled_from([1, HOUR - 1, HOUR, 6 * HOUR, RECOVERY_DELAY]), tick=st.booleans())
    def pass_time(self, milliseconds: int, tick: bool) -> None:
        """Without a tick the next transaction finds what is due, before the schedule does."""
        self.ledger.advance(milliseconds)
        if tick:
            self.ledger.run([])
            self.expire()

    @invariant()
    def money_is_where_the_oracle_says(self) -> None:
        rows = self.ledger.rows()
        free = {name: rows["bank.balance"].get((names.address(name), "KGS"), 0) for name in PEOPLE}
        held = {name: rows["bank.held"].get((names.address(name), "KGS"), 0) for name in PEOPLE}
        assert free == self.free
        assert held == {name: sum(h[2] for h in self.held.values() if h[0] == name) for name in PEOPLE}
        assert set(rows["bank.hold"]) == set(self.held)
        assert rows["bank.supply"]["KGS"] == self.supply == sum(free.values()) + sum(held.values())

    @invariant()
    def every_truth_holds(self) -> None:
        assert self.ledger.machine.full_invariants() == []

    @invariant()
    def events_tell_the_tables(self) -> None:
        events = list(self.ledger.events())
        for event in events[self.told :]:
            for row in self.ledger.modules.projections[type(event)](event):
                vectors.apply_row(self.tables, row)
        self.told = len(events)
        assert self.tables == self.ledger.rows()


Country.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestCountry = pytest.mark.filterwarnings("error")(Country.TestCase)
