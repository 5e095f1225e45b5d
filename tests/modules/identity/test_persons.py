"""Persons without names: what stands, what history keeps, what is atomic with a case's decision."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.modules.identity.messages import (
    AmendPin,
    EndGuardianship,
    EndLink,
    LinkAccount,
    RaiseAssurance,
    RecordGuardianship,
    RegisterPerson,
)
from kerege.modules.identity.types import ASSURANCE_ORDER, Assurance, Kind, Person, PersonDraft
from tests.modules.registries.country import BLIND, HEAD, TSON, ZAGS, Country, key
from tests.modules.services.world import digest

PERSON = digest("person", 16)
GUARDIANS = [(digest(f"guardianship {n}", 16), digest(f"guardian {n}", 32)) for n in range(2)]


def pin(name: str | None) -> bytes | None:
    return None if name is None else digest(f"pin {name}", 32)


@pytest.fixture
def country() -> Country:
    return Country()


def register(country: Country, number: str | None = None, level: Assurance = Assurance.LOW) -> Receipt:
    message = RegisterPerson(ZAGS, PERSON, Kind.PERSON, "civil", level, pin(number), BLIND)
    return country.send("registrar", message)


def amend(country: Country, after: str | None) -> Receipt:
    return country.send("clerk", AmendPin(HEAD, PERSON, digest(f"kind {after}", 32), pin(after), BLIND))


def person(country: Country) -> Person:
    found: Person = country.row("identity.person", PERSON)
    return found


# The PIN is an output of registration


def test_a_person_may_exist_without_a_pin_and_be_given_one(country: Country) -> None:
    country.applied(register(country))
    assert person(country).pin is None
    assert amend(country, None).code == "identity.6"
    country.applied(amend(country, "a"))
    assert (person(country).pin, person(country).history) == (pin("a"), 1)


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([None, "a"]), st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=8)
)  # None: the PIN is blocked
def test_the_history_of_a_pin_is_a_chain(first: str | None, amendments: Sequence[str | None]) -> None:
    """Every line begins where the one before ended; the person's row is the end; nothing is lost or rewritten."""
    country = Country()
    country.applied(register(country, first))
    chain, now = [], first
    for after in amendments:
        receipt = amend(country, after)
        if now is None and after is None:
            assert receipt.code == "identity.6"
            continue
        country.applied(receipt)
        chain.append((pin(now), pin(after)))
        now = after
        lines = country.table("identity.pin_amendment")
        assert [(lines[PERSON, n].before, lines[PERSON, n].after) for n in range(1, len(chain) + 1)] == chain
        assert len(lines) == len(chain) == person(country).history
    assert person(country).pin == pin(now)


def test_every_amendment_of_a_pin_looks_alike(country: Country) -> None:
    """Assigned, changed, joined with another: the same events, fields of the same lengths; kind and ground hidden."""
    country.applied(register(country, "a"))
    receipts = [country.applied(amend(country, after)) for after in ("b", "c", "d")]
    sizes = [[len(part) for part in _bytes_of(receipt.events)] for receipt in receipts]
    assert sizes[0] == sizes[1] == sizes[2]
    assert [[event[0] for event in receipt.events] for receipt in receipts] == [
        ["identity.PinAmended", "identity.PersonRecorded"]
    ] * 3


def _bytes_of(value: object) -> list[bytes]:
    if isinstance(value, list):
        return [part for each in value for part in _bytes_of(each)]
    return [value] if isinstance(value, bytes) else []


# Assurance


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(ASSURANCE_ORDER), st.lists(st.sampled_from(ASSURANCE_ORDER), max_size=8))
def test_assurance_only_rises(first: Assurance, asked: Sequence[Assurance]) -> None:
    country = Country()
    country.applied(register(country, level=first))
    now = ASSURANCE_ORDER.index(first)
    for level in asked:
        receipt = country.send("acceptor", RaiseAssurance(TSON, PERSON, level, BLIND))
        index = ASSURANCE_ORDER.index(level)
        assert receipt.code == ("" if index > now else "identity.3")
        now = max(now, index)
        assert person(country).assurance is ASSURANCE_ORDER[now]


# Links and guardianships


@pytest.mark.parametrize(
    ("sender", "begin", "end", "code"),
    [
        (
            "acceptor",
            LinkAccount(TSON, digest("x", 16), digest("y", 32), BLIND),
            EndLink(TSON, digest("x", 16), BLIND),
            "identity.4",
        ),
        (
            "registrar",
            RecordGuardianship(ZAGS, digest("x", 16), digest("y", 32), BLIND),
            EndGuardianship(ZAGS, digest("x", 16), BLIND),
            "identity.5",
        ),
    ],
    ids=["link", "guardianship"],
)
def test_what_begins_once_ends_once(country: Country, sender: str, begin: Message, end: Message, code: str) -> None:
    """Its id is never used again, so that what was in force on a day can always be told."""
    assert country.send(sender, end).code == code
    country.applied(country.send(sender, begin))
    assert country.send(sender, begin).code == "identity.1"
    country.wait(days=3)
    country.applied(country.send(sender, end))
    assert country.send(sender, end).code == code
    assert country.send(sender, begin).code == "identity.1"
    table = "identity.link" if code == "identity.4" else "identity.guardianship"
    row = country.row(table, digest("x", 16))
    assert row.since < row.until
    assert row.commitment == digest("y", 32)


# In a case's decision


def decide(country: Country, *keys: str, guardians: list[tuple[bytes, bytes]] | None = None) -> Receipt:
    draft = PersonDraft(PERSON, "civil", pin("a"), GUARDIANS if guardians is None else guardians, BLIND)
    decision = country.decision("c", "r", keys)
    return country.send("registrar", replace(decision, persons=[draft]))


def test_a_registered_birth_brings_the_person_and_its_guardians(country: Country) -> None:
    country.declare("c")
    country.applied(decide(country, "act 1", "pin 1"))
    assert person(country).assurance is Assurance.HIGH
    assert set(country.table("identity.guardianship")) == {identifier for identifier, _ in GUARDIANS}


def test_where_the_record_is_refused_nobody_is_registered(country: Country) -> None:
    country.applied(country.register("other", "act 0", "pin 1"))
    country.declare("c")
    assert decide(country, "act 1", "pin 1").code == "registries.2"
    assert country.table("identity.person") == country.table("identity.guardianship") == {}


def test_where_the_person_is_refused_no_record_is_opened(country: Country) -> None:
    country.applied(register(country))
    country.declare("c")
    assert decide(country, "act 1").code == "identity.1"
    assert country.table("registries.record") == {}
    assert country.row("registries.unique", key("act 1")) is None


def test_a_guardianship_stands_once(country: Country) -> None:
    country.declare("c")
    assert decide(country, "act 1", guardians=[GUARDIANS[0], GUARDIANS[0]]).code == "identity.1"
    assert country.table("identity.person") == {}


# Who


def test_an_official_acts_in_the_own_office_only(country: Country) -> None:
    message = RegisterPerson(HEAD, PERSON, Kind.PERSON, "civil", Assurance.LOW, None, BLIND)
    assert country.send("registrar", message).code == "authority.1"
    assert country.send("parent", message).code == "kernel.1"
    assert country.send("registrar", AmendPin(ZAGS, PERSON, digest("k", 32), None, BLIND)).code == "kernel.1"
