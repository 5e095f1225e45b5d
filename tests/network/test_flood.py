"""One account floods the members of a running network, engines and node alike: the others do not notice."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from kerege.consensus import rows
from kerege.consensus.codes import APPLIED, BUSY, NOT_A_TRANSACTION
from kerege.consensus.embedded import wall_clock
from kerege.kernel.transaction import Body
from kerege.modules.bank.messages import Transfer
from kerege.node.network.layout import NODE, Member
from kerege.node.wire import SocketDoor
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from kerege.testing.cometbft import Rpc
from kerege.testing.network import CURRENCY, HOUR, LEDGER, Load, Running, check_stores, create, plain_commands

pytestmark = pytest.mark.engine

PEOPLE = [f"person-{number}" for number in range(20)]
FLOODER, RUNNER = "person-18", "person-19"


def pay(who: str, sequence: int) -> bytes:
    signer, message = names.signer(who), Transfer(names.address(PEOPLE[0]), CURRENCY, 1)
    return signer.transaction(Body(LEDGER, signer.address, 0, sequence, wall_clock() + HOUR, bytes(16), [message]))


class Flood:
    """Sends to one member's engine, as fast as it answers, what has no turn."""

    def __init__(self, member: Member, first: int) -> None:
        self._rpc = Rpc(member.rpc_url)
        self._first = first
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.codes: list[int] = []
        self.sent: set[bytes] = set()

    def _run(self) -> None:
        sequence = self._first
        while not self._stop.is_set():
            raw = pay(FLOODER, sequence)
            self.sent.add(raw)
            self.codes.append(self._rpc.submit(raw))
            sequence += 1

    @contextmanager
    def going(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            self._rpc.close()


def test_a_flood_beside_an_honest_load(tmp_path):
    network = create(tmp_path, PEOPLE)
    floods = [Flood(member, 1 + 40_000 * at) for at, member in enumerate(network.validators[:2])]
    with Running(network, plain_commands) as running, Load(network, PEOPLE[:18]) as load:
        running.until(lambda: len(load.acknowledged) > 18)
        with floods[0].going(), floods[1].going(), SocketDoor(network.home(network.find(NODE)).socket) as door:
            done = len(load.acknowledged)
            line = door.submit([pay(RUNNER, number) for number in range(800)])
            assert all(answer.receipt is not None for answer in line)
            heights = [answer.height for answer in line]
            assert heights == sorted(heights)
            running.until(lambda: len(load.acknowledged) > done + 5 * 18)
        load.end()
        running.come_to_rest()
    assert load.faults == []
    for flood in floods:
        assert set(flood.codes) <= {APPLIED, BUSY, NOT_A_TRANSACTION}
        assert flood.codes.count(BUSY) > flood.codes.count(APPLIED)
    check_stores(network, list(load.acknowledged), PEOPLE)
    sent = floods[0].sent | floods[1].sent
    with RocksStore(network.home(network.validators[0]).path) as store:
        assert not any(sent & set(block.transactions) for block in rows.read_blocks(store))
