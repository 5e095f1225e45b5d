"""Blocks of a real engine: the right time after idling, law before money, and no flood that holds them up."""

import base64
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kerege.consensus import parcels, rows
from kerege.consensus.embedded import Answer, wall_clock
from kerege.consensus.proposals import MAXIMUM_BYTES
from kerege.kernel.codec import decode
from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Body
from kerege.modules.bank.messages import Transfer
from kerege.modules.services.types import CaseStatus
from kerege.testing.cometbft import Rpc
from tests.consensus.member import GATEWAY, HOUR, LEDGER, Member, genesis, pay, register
from tests.modules.services.walk import Walk
from tests.modules.services.world import CODES, World, address, definition, signer

pytestmark = pytest.mark.engine

PEOPLE = [f"person-{number}" for number in range(100)]
IDLE_SECONDS = float(os.environ.get("KEREGE_IDLE_SECONDS", "20"))
"""60 is what the goal says; the suite waits less."""
TRANSFERS = 5_000
PAYERS = ("other", "payer", "treasury", "judge", "clerk", "bishkek", "supervisor", "keeper")
"""Who has no part in a birth; of each only a share of the pool may wait."""


def test_after_idling_the_first_transaction_carries_the_time_of_the_clock(tmp_path: Path):
    with Member(tmp_path, genesis(PEOPLE)) as member:
        assert member.submitting.send(pay(PEOPLE[0], PEOPLE[1])).receipt is not None
        time.sleep(1)
        before = len(member.heights)
        time.sleep(IDLE_SECONDS)
        assert len(member.heights) == before, "no block without transactions"
        answer = member.submitting.send(pay(PEOPLE[0], PEOPLE[1], 1))
        assert answer.receipt is not None
        assert not member.alarms
        assert abs(wall_clock() - decode(answer.receipt, Receipt).time) < 3_000


class Recorded(World):
    """Remembers who sent what."""

    def __init__(self) -> None:
        super().__init__(rebuild=False)
        self.sent: list[tuple[str, Message]] = []

    def send(self, sender: str, *messages: Message) -> Receipt:
        self.sent.extend((sender, message) for message in messages)
        return super().send(sender, *messages)


def birth() -> list[tuple[str, Message]]:
    """Who sends what until a birth is registered."""
    walk = Walk()
    walk.world = recorded = Recorded()
    assert not walk.open("birth", 1, "parent", [])
    name = walk.cases[0]
    while (case := recorded.case(name)).status is not CaseStatus.DECIDED:
        who, message = walk.lawful(name, case)
        actions = walk.definition_of(case).step(case.step).actions
        register = next((action for action in actions if action.code == "register"), None)
        if register is not None and case.official is not None:
            message = walk.take(name, case, register, case.office, "")
        assert not recorded.send(who, message).code
    return recorded.sent


def test_a_birth_enters_the_next_block_whatever_money_is_waiting(tmp_path: Path):
    until = wall_clock() + HOUR
    world = World(rebuild=False)
    began = world._genesis(list(map(definition, CODES)), {"accounts.rate_burst": 1_000_000})
    sequences: dict[str, int] = {}

    def sign(who: str, *messages: Message) -> bytes:
        sequence = sequences[who] = sequences.get(who, -1) + 1
        return signer(who).transaction(Body(LEDGER, address(who), 0, sequence, until, bytes(16), list(messages)))

    *before, last = birth()
    transfers = [Transfer(address("parent"), "KGS", 1)] * 16
    money = [sign(PAYERS[number % len(PAYERS)], *transfers) for number in range(TRANSFERS)]
    assert len(b"".join(money)) > 1.5 * MAXIMUM_BYTES, "they fill more than a block"
    slow = {("consensus", "timeout_commit"): '"3s"'}
    with Member(tmp_path, began, settings=slow) as member:
        begun = member.submitting.submit([sign(who, message) for who, message in before]).wait(30)
        assert all(applied(answer) for answer in begun)
        push(member.rpc, money)
        deadline = time.monotonic() + 120  # what was read ahead is still being let in
        while int(member.rpc.call("num_unconfirmed_txs")["total"]) <= 0.8 * TRANSFERS:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        height = member.rpc.height()
        registered = member.submitting.send(sign(*last))
        assert applied(registered)
        assert registered.height <= height + 2, "the block that was being decided, or the next"
        block = rows.read_block(member.store, registered.height)
        assert block is not None
        assert block.first_leaf == registered.leaf, "before all of the money"
        assert len(block.transactions) > TRANSFERS / 4


def applied(answer: Answer) -> bool:
    return answer.receipt is not None and not decode(answer.receipt, Receipt).code


def push(rpc: Rpc, raws: list[bytes]) -> None:
    """Give the engine transactions without asking what it says to each."""
    calls = [
        {"jsonrpc": "2.0", "id": 0, "method": "broadcast_tx_async", "params": {"tx": base64.b64encode(raw).decode()}}
        for raw in raws
    ]
    for first in range(0, len(calls), 500):
        rpc.post(json.dumps(calls[first : first + 500]).encode())


def flooded(rpc: Rpc, raws: list[bytes], until: Callable[[], bool]) -> None:
    """Push parcels into the pool as fast as the engine takes them, again and again."""
    while not until():
        push(rpc, raws[:8])
        raws = raws[8:] + raws[:8]


def test_a_flood_of_parcels_does_not_hold_up_a_commit(tmp_path: Path):
    """Each parcel is another one, of 100 transactions whose turn never comes: all work is in letting them in."""
    until = wall_clock() + HOUR
    raws = [pay(who, PEOPLE[0], 90_000, until=until) for who in PEOPLE]
    others = [pay(PEOPLE[number % 90], PEOPLE[0], 50_000 + number, until=until) for number in range(400)]
    flood = [parcels.pack(bytes(GATEWAY), LEDGER, 0, [other, *raws]) for other in others]
    with Member(tmp_path, genesis(PEOPLE)) as member:
        waits = member.replica.waits

        def commits(first: int) -> list[float]:
            waits.clear()
            for number in range(first, first + 8):
                assert member.submitting.send(pay(PEOPLE[95], PEOPLE[96], number)).receipt is not None
            return sorted(waits)

        assert member.submitting.send(register()).receipt is not None
        calm, over = commits(0), threading.Event()
        rpc = Rpc(f"unix://{tmp_path}/engine/rpc")
        flooder = threading.Thread(target=flooded, args=(rpc, flood, over.is_set))
        flooder.start()
        try:
            stormy = commits(8)
        finally:
            over.set()
            flooder.join()
            rpc.close()
        assert stormy[-1] < calm[-1] + 0.5
