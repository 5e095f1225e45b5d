"""One live record under one key; merges that can be taken back; what an amendment leaves."""

import pytest

from kerege.kernel.receipts import Receipt
from kerege.modules.registries.keeper import Registry
from kerege.modules.registries.messages import MergeRecords, SplitRecords
from tests.modules.registries.country import APPLIED, BLIND, HEAD, ZAGS, Country, key
from tests.modules.services.world import digest

PIN = "a PIN"


@pytest.fixture
def country() -> Country:
    return Country()


def merge(country: Country, duplicate: str, survivor: str) -> Receipt:
    ground = digest("ground", 32)
    message = MergeRecords(HEAD, digest(duplicate, 16), digest(survivor, 16), ground, BLIND)
    return country.send("supervisor", message)


def split(country: Country, duplicate: str) -> Receipt:
    return country.send("supervisor", SplitRecords(HEAD, digest(duplicate, 16), BLIND))


# Uniqueness


@pytest.mark.parametrize("order", [("r1", "r2"), ("r2", "r1")])
def test_two_submissions_of_one_pin_at_once_register_one(country: Country, order: tuple[str, str]) -> None:
    """In one block, by two officials: the first is registered, the second refused with the key; nothing of it stays."""
    for record in order:
        country.declare(f"case of {record}")
    first, second = country.block(
        [
            ("registrar", [country.decision(f"case of {order[0]}", order[0], [f"act of {order[0]}", PIN])]),
            ("registrar-2", [country.decision(f"case of {order[1]}", order[1], [f"act of {order[1]}", PIN])]),
        ]
    )
    assert first.code == APPLIED
    assert second.code == "registries.2"
    assert dict(second.facts) == {"registry": "birth", "key": key(PIN)}
    assert list(country.table("registries.record")) == [digest(order[0], 16)]
    assert country.row("registries.unique", key(f"act of {order[1]}")) is None
    assert country.row("registries.key_epoch", "birth").held == 2
    assert country.case(f"case of {order[1]}").status.value == "open"


def test_one_pin_is_refused_in_later_blocks_too_and_one_act_number(country: Country) -> None:
    country.applied(country.register("r1", "act 1", PIN))
    assert country.register("r2", "act 2", PIN).code == "registries.2"
    assert country.register("r3", "act 1", "another PIN").code == "registries.2"
    country.applied(country.register("r4", "act 4", "another PIN"))


def test_a_person_without_a_pin_has_no_pin_key(country: Country) -> None:
    country.applied(country.register("r1", "act 1"))
    country.applied(country.register("r2", "act 2"))
    assert country.row("registries.key_epoch", "birth").held == 2


@pytest.mark.parametrize("keys", [("k", "k"), ("k", PIN, "k")])
def test_a_record_brings_each_key_once(country: Country, keys: tuple[str, ...]) -> None:
    assert country.register("r1", *keys).code == "registries.16"


def test_a_record_brings_at_least_one_key(country: Country) -> None:
    country.declare("c")
    assert country.send("registrar", country.decision("c", "r", [])).code == "registries.16"


def test_a_key_row_does_not_name_its_record(country: Country) -> None:
    country.applied(country.register("r1", "act 1", PIN))
    record = digest("r1", 16)
    for name in ("act 1", PIN):
        row = country.row("registries.unique", key(name))
        assert all(getattr(row, field) != record for field in row.__struct_fields__)


def test_an_amendment_keeps_the_keys_held(country: Country) -> None:
    """No second birth under a PIN because the first one was corrected."""
    country.applied(country.register("r1", "act 1", PIN))
    country.amend("r1", "a")
    assert country.register("r2", "act 2", PIN).code == "registries.2"
    country.applied(country.succeed("r1 again"))
    assert country.register("r3", "act 3", PIN).code == "registries.2"
    assert country.row("registries.key_epoch", "birth").held == 2


# Amendments


def test_an_amended_record_is_closed_for_everything(country: Country) -> None:
    country.applied(country.register("r1"))
    country.applied(country.register("r2"))
    country.amend("r1", "a")
    assert country.row("registries.record", digest("r1", 16)).status.value == "closed"
    assert country.paper("r1", "p", 0).code == "registries.4"
    assert merge(country, "r1", "r2").code == "registries.4"
    assert merge(country, "r2", "r1").code == "registries.4"


def test_as_many_next_versions_as_amendments(country: Country) -> None:
    country.applied(country.register("r1"))
    assert country.succeed("r1 again").code == "registries.10"
    country.amend("r1", "a")
    assert country.context().use(Registry).tickets(ZAGS) == 1
    country.applied(country.succeed("r1 again"))
    assert country.succeed("r1 a third time").code == "registries.10"
    assert country.context().use(Registry).tickets(ZAGS) == 0
    country.applied(country.paper("r1 again", "p", 0))
    assert country.row("registries.certificate", digest("p", 16)).version == 2


def test_the_next_version_of_one_record_is_not_the_first(country: Country) -> None:
    country.applied(country.register("r1"))
    country.amend("r1", "a")
    assert country.succeed("r1 again", 1).code == "registries.18"
    assert country.succeed("r1").code == "registries.1"


# Merges


def test_a_merge_is_reversed_without_a_trace_in_record_and_papers(country: Country) -> None:
    """But for times and blinds, which say when: the record and its papers stand as before, the revoked one revoked."""
    for record in ("r1", "r2"):
        country.applied(country.register(record))
    country.applied(country.paper("r2", "first", 0))
    country.applied(country.paper("r2", "again", 1, "repeat", "lost"))
    country.applied(country.revoke("first"))
    before = country.table("registries.record"), country.table("registries.certificate")
    country.applied(merge(country, "r2", "r1"))
    assert country.row("registries.record", digest("r2", 16)).status.value == "merged"
    assert country.row("registries.certificate", digest("again", 16)).status.value == "superseded"
    assert country.paper("r2", "no", 2, "repeat", "lost").code == "registries.4"
    assert country.register("r3", "r2").code == "registries.2", "the duplicate's keys stay held"
    country.wait(days=400)
    country.applied(split(country, "r2"))
    after = country.table("registries.record"), country.table("registries.certificate")
    for was, now in zip(before, after, strict=True):
        assert was.keys() == now.keys()
        for identifier, row in was.items():
            changed = {n for n in row.__struct_fields__ if getattr(row, n) != getattr(now[identifier], n)}
            assert changed <= {"since", "blind"}
    country.applied(country.paper("r2", "more", 2, "repeat", "lost"))


def test_a_merge_can_be_repeated_after_a_split(country: Country) -> None:
    for record in ("r1", "r2"):
        country.applied(country.register(record))
    for _ in range(2):
        country.applied(merge(country, "r2", "r1"))
        assert split(country, "r1").code == "registries.12"
        country.applied(split(country, "r2"))
        assert split(country, "r2").code == "registries.12"
    country.applied(merge(country, "r1", "r2"))


def test_the_survivor_goes_on_untouched(country: Country) -> None:
    for record in ("r1", "r2"):
        country.applied(country.register(record))
    country.applied(country.paper("r1", "p", 0))
    row, paper = (country.row(f"registries.{t}", digest(n, 16)) for t, n in (("record", "r1"), ("certificate", "p")))
    country.applied(merge(country, "r2", "r1"))
    assert country.row("registries.record", digest("r1", 16)) == row
    assert country.row("registries.certificate", digest("p", 16)) == paper


def test_only_the_supervisor_merges(country: Country) -> None:
    for record in ("r1", "r2"):
        country.applied(country.register(record))
    message = MergeRecords(ZAGS, digest("r2", 16), digest("r1", 16), digest("g", 32), BLIND)
    assert country.send("registrar", message).code == "kernel.1"
    assert merge(country, "r1", "r1").code == "registries.13"
