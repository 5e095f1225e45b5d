"""What engines told of validators, in a snapshot that a hostile member hands in: it is what the receipts say."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kerege.consensus import rows
from kerege.consensus.cometbft import messages as m
from kerege.consensus.replay import verify_ledger
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.codec import decode, encode
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.modules.authority.rules import consensus_address
from kerege.modules.authority.state import MISBEHAVIOUR
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from tests.consensus.test_replica import START, pay, stamp
from tests.consensus.test_snapshots import APPLY, Given, Joining, Rows, altered
from tests.consensus.test_validators import begun, deed, seat


@pytest.fixture
def accused(tmp_path: Path) -> Given:
    """One deed is told with block 10, two with block 20, the first of them once more with block 30."""
    store = MemoryStore()
    each = begun(store)
    first, second, third = deed(seat("registry")), deed(seat("registry"), 5), deed(seat("bank"), 7)
    told = {10: [first], 20: [second, third], 30: [first]}
    for height in range(1, 60):
        txs = [pay("alice", height // 10 - 1)] if height % 10 == 0 else []
        request = m.RequestFinalizeBlock(
            height=height, txs=txs, misbehavior=told.get(height, []), time=stamp(START + height)
        )
        each.finalize_block(request)
        each.commit(m.RequestCommit())
    return Given(store, Shelf(tmp_path / "snapshots"), 50)


def row_of(height: int) -> bytes:
    return rows.height_key(height) + b"\2"


def told_with(height: int, change: Callable[[list[Misbehaviour]], list[Misbehaviour]]) -> Callable[[Rows], object]:
    """Change what the engine told with a block, as a member would that lies consistently."""

    def apply(stream: Rows) -> None:
        held = dict(stream)
        changed = change(decode(held.pop(row_of(height), encode([])), list[Misbehaviour]))
        if changed:
            held[row_of(height)] = encode(changed)
        stream[:] = sorted(held.items())

    return apply


def first_with(**changes: object) -> Callable[[list[Misbehaviour]], list[Misbehaviour]]:
    return lambda told: [msgspec.structs.replace(told[0], **changes), *told[1:]]


INVENTED = Misbehaviour("duplicate-vote", bytes(20), 3, START)

ACCUSATIONS: dict[str, Callable[[Rows], object]] = {
    "a deed invented": told_with(40, lambda told: [*told, INVENTED]),
    "a deed invented beside another": told_with(10, lambda told: [*told, INVENTED]),
    "a deed left out": told_with(10, lambda _: []),
    "one of two left out": told_with(20, lambda told: told[1:]),
    "two in another order": told_with(20, lambda told: told[::-1]),
    "another validator": told_with(10, first_with(validator=bytes(20))),
    "another height": told_with(10, first_with(height=2)),
    "another time": told_with(10, first_with(time=START + 1)),
    "another kind": told_with(10, first_with(kind="light-client-attack")),
}


@pytest.mark.parametrize("lie", ACCUSATIONS)
def test_what_was_told_of_validators_is_what_the_receipts_say(accused, lie):
    joining = Joining()
    assert altered(1, ACCUSATIONS[lie])(accused).join(joining) == APPLY.REJECT_SNAPSHOT
    assert "is not what its receipt says" in joining.told[-1]
    assert joining.is_empty()


@pytest.mark.parametrize(
    "change",
    [told_with(30, lambda told: told), told_with(30, lambda _: []), told_with(40, lambda _: [deed_row()])],
    ids=["as it is", "one told again left out", "one told again"],
)
def test_a_deed_told_again_does_nothing_whoever_says_it(accused, change):
    store = MemoryStore()
    assert altered(1, change)(accused).join(Joining(store)) == APPLY.ACCEPT
    report = verify_ledger(store, Modules(MODULES), MemoryStore())
    assert report.sound, report.difference
    again = [key for key, _ in store.scan(Area.STATE) if key.startswith(MISBEHAVIOUR.prefix)]
    assert len(again) == 3


def deed_row() -> Misbehaviour:
    return Misbehaviour("duplicate-vote", consensus_address(seat("registry").consensus_key), 1, START)
