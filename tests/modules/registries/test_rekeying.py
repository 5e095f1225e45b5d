"""The authority's key changes by epochs: as many new keys as old, and nobody is registered twice in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel.receipts import Receipt
from kerege.modules.registries.messages import Rekey
from kerege.modules.registries.types import KeyEpoch
from tests.modules.registries.country import APPLIED, BLIND, HEAD, Country, key
from tests.modules.services.world import digest


@pytest.fixture
def country() -> Country:
    """Three records, each under one act number and one PIN."""
    world = Country()
    for number in range(3):
        world.applied(world.register(f"r{number}", f"act {number}", f"pin {number}"))
    return world


def rekey(country: Country, *names: str, to: int = 2, registry: str = "birth") -> Receipt:
    pairs = [(under(name, to - 1), under(name, to)) for name in names]
    return country.send("clerk", Rekey(HEAD, registry, pairs, BLIND))


def under(name: str, epoch: int) -> bytes:
    """The same key as the authority computes it in an epoch."""
    return key(name) if epoch == 1 else key(f"{name} in epoch {epoch}")


def epoch(country: Country) -> KeyEpoch:
    found: KeyEpoch = country.row("registries.key_epoch", "birth")
    return found


ALL = [f"{what} {number}" for number in range(3) for what in ("act", "pin")]


def test_as_many_new_keys_as_old(country: Country) -> None:
    country.applied(country.begin_rekeying(2))
    assert epoch(country) == KeyEpoch(2, 6, 0)
    country.applied(rekey(country, *ALL[:4]))
    assert epoch(country) == KeyEpoch(2, 6, 4)
    country.applied(rekey(country, *ALL[4:]))
    assert epoch(country) == KeyEpoch(2, 6, 6)
    assert country.table("registries.unique").keys() == {under(name, 2) for name in ALL}


def test_a_half_done_epoch_is_not_left(country: Country) -> None:
    country.applied(country.begin_rekeying(2))
    for renewed in range(6):
        refused = country.begin_rekeying(3)
        assert refused.code == "registries.15"
        assert dict(refused.facts) == {"registry": "birth", "epoch": 3, "held": 6, "renewed": renewed}
        country.applied(rekey(country, ALL[renewed]))
    country.applied(country.begin_rekeying(3))
    country.applied(rekey(country, *ALL, to=3))


@pytest.mark.parametrize("asked", [0, 1, 3])
def test_epochs_follow_one_another(country: Country, asked: int) -> None:
    assert country.begin_rekeying(asked).code == "registries.15"


def test_nothing_is_renewed_outside_a_rekeying(country: Country) -> None:
    assert rekey(country, "act 0").code == "registries.14"


def test_a_message_is_applied_whole_or_not_at_all(country: Country) -> None:
    country.applied(country.begin_rekeying(2))
    before = country.table("registries.unique")
    assert rekey(country, "act 0", "act 9").code == "registries.14"
    assert rekey(country, "act 0", "act 0").code == "registries.14"
    assert rekey(country, "act 0", registry="marriage").code == "registries.14"
    swapped = [(key("act 0"), key("act 1"))]
    assert country.send("clerk", Rekey(HEAD, "birth", swapped, BLIND)).code == "registries.2"
    assert country.table("registries.unique") == before


# While a re-keying is under way


def test_nobody_is_registered_twice_while_keys_are_renewed(country: Country) -> None:
    """Whether the first registration's key is renewed already or not, a record that brings both keys is refused."""
    country.applied(country.begin_rekeying(2))
    country.applied(rekey(country, "pin 0"))
    for name in ("pin 0", "pin 1"):
        case = f"{name} again"
        country.declare(case)
        decision = country.decision(case, case, [], epoch=2, before=[under("new act", 1), under(name, 1)])
        decision.record.keys[:] = [under("new act", 2), under(name, 2)]  # type: ignore[union-attr]
        assert country.send("registrar", decision).code == "registries.2", name


def test_while_keys_are_renewed_a_record_brings_both(country: Country) -> None:
    country.applied(country.begin_rekeying(2))
    country.declare("c")
    for keys, before, code in (
        (["a at 2"], [], "registries.16"),
        (["a at 2", "b at 2"], ["a"], "registries.16"),
        (["a at 2"], ["a", "b"], "registries.16"),
        (["a at 2"], ["a at 2"], "registries.16"),
        (["a at 2"], ["a"], APPLIED),
    ):
        decision = country.decision("c", "r", keys, epoch=2, before=[key(name) for name in before])
        assert country.send("registrar", decision).code == code, (keys, before)
    assert epoch(country) == KeyEpoch(2, 7, 1), "the new record's key is of the new epoch from the start"
    assert country.row("registries.unique", key("a")) is None


def test_outside_a_rekeying_a_record_brings_no_old_keys(country: Country) -> None:
    country.declare("c")
    decision = country.decision("c", "r", ["a"], before=[key("b")])
    assert country.send("registrar", decision).code == "registries.16"


@pytest.mark.parametrize("told", [None, 1, 3])
def test_keys_of_another_epoch_are_refused(country: Country, told: int | None) -> None:
    """A draft made before the epoch began: its keys would never be compared with anything."""
    country.applied(country.begin_rekeying(2))
    country.applied(rekey(country, *ALL))
    country.declare("c")
    refused = country.send("registrar", country.decision("c", "r", ["a"], epoch=told))
    assert refused.code == "registries.15"
    country.applied(country.send("registrar", country.decision("c", "r", ["a"], epoch=2)))


@settings(max_examples=10, deadline=None)
@given(st.permutations(ALL), st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_in_whatever_order_and_parts(order: list[str], sizes: list[int]) -> None:
    """The keys held after an epoch are the same whatever the parts, and as many as before."""
    country = Country()
    for number in range(3):
        country.applied(country.register(f"r{number}", f"act {number}", f"pin {number}"))
    country.applied(country.begin_rekeying(2))
    rest = list(order)
    for size in sizes * 6:
        part, rest = rest[:size], rest[size:]
        if part:
            country.applied(rekey(country, *part))
            assert epoch(country).held == len(country.table("registries.unique")) == 6
    assert epoch(country).renewed == 6
    assert country.table("registries.unique").keys() == {under(name, 2) for name in ALL}
    assert digest("r0", 16) in country.table("registries.record")
