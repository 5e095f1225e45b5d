"""A real ledger in memory for tests and integrators: the machine over all modules, no disk, no threads."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kerege.consensus import rows
from kerege.consensus.door import CommittedReader
from kerege.kernel.block import Block, Executed
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import NotATransaction
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.messages import Event, Message, tag_of
from kerege.kernel.module import Modules
from kerege.kernel.ports import SenderPort
from kerege.kernel.receipts import BlockReceipt, BlockRecord, Receipt
from kerege.kernel.tables import Bound, Table
from kerege.kernel.transaction import Body
from kerege.modules import MODULES
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from kerege.testing import names
from kerege.testing.signers import Signer

LEDGER, PREFIX = "kg-test", "kg"
START = 1_795_000_000_000
"""Block time of genesis: 18 November 2026."""
HOUR = 3_600_000

_LEAF: Any = Receipt | BlockReceipt | BlockRecord


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a transaction: applied (no code), refused, or none (`reason`)."""

    code: str
    facts: dict[str, Any]
    events: list[Any]
    reason: NotATransaction | None


class Simulator:
    """A ledger whose senders are names. `send` makes one block a transaction; time moves only by `advance`.

    An empty block (`run([])`) is what `kernel.Tick` asks for: schedules do what is due.
    """

    def __init__(
        self,
        genesis: Sequence[tuple[str, bytes]] = (),
        *,
        start: int = START,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.modules = Modules(MODULES)
        self.store = MemoryStore()
        self.machine = Machine(
            self.modules, ledger=LEDGER, prefix=PREFIX, reader=CommittedReader(self.store), read_tile=self._read_tile
        )
        self.time = start
        self.leaves: list[bytes] = []
        """The log: receipts, block receipts and block records in order."""
        self._random = random
        self._keep(self.machine.begin(Genesis(LEDGER, PREFIX, start, list(genesis))))

    def _read_tile(self, level: int, index: int) -> bytes:
        tile = self.store.get(Area.LOG, rows.tile_key(level, index))
        if tile is None:
            raise LookupError(level, index)
        return tile

    def _keep(self, block: Block) -> Block:
        self.store.write(rows.batch_of(block, 0))
        self.machine.durable(block)
        self.leaves += block.stored.leaves
        return block

    def advance(self, milliseconds: int) -> None:
        """Let block time pass."""
        self.time += milliseconds

    def write(self, values: Sequence[tuple[Table[Any, Any], Any, Any]]) -> None:
        """Set rows directly, as no message can: the state that a vector begins with."""
        state = self.machine.state
        state.begin_transaction()
        for table, key, value in values:
            Bound(table, state).put(key, value)
        height, _ = self.machine.last
        executed = Executed(height + 1, self.time, [])
        executed.changes = state.end_block()
        self._keep(self.machine.seal(executed, always=True))
        self.machine._last = (height + 1, self.time)  # noqa: SLF001 - the kit stands in for a block

    def read(self, table: Table[Any, Any], key: Any) -> Any:  # noqa: ANN401 - the table's own types
        """A stored value, or None."""
        raw = self.store.get(Area.STATE, table.encode_key(key))
        return None if raw is None else table.decode_value(raw)

    def rows(self, *, derived: bool = False) -> dict[str, dict[Any, Any]]:
        """Every row of every table by table name; derived tables only when asked for."""
        tables = [t for t in self.modules.tables.values() if derived or not t.derived]
        return {t.name: dict(self.machine.context().scan(t)) for t in tables}

    def events(self) -> Iterator[Event]:
        """Every event so far, of transactions and of schedules, in order of the log."""
        kinds = {tag_of(kind): kind for module in self.modules.all for kind in module.events}
        for raw in self.leaves:
            leaf: Receipt | BlockReceipt | BlockRecord = decode(raw, _LEAF)
            if not isinstance(leaf, BlockRecord):
                for event in leaf.events:
                    yield decode(encode(event), kinds[event[0]])

    def transaction(
        self, sender: str, messages: Sequence[Message], *, lane: int = 0, signer: Signer | None = None
    ) -> bytes:
        """A signed transaction with the lane's next sequence; `signer`: another of the account's keys."""
        address = names.address(sender)
        sequence = self.machine.context().port(SenderPort).next_sequence(address, lane)
        body = Body(LEDGER, address, lane, sequence, self.time + HOUR, self._random(16), list(messages))
        return (signer or names.signer(sender)).transaction(body)

    def send(self, sender: str, *messages: Message) -> Result:
        """Send messages as somebody, in a block of their own."""
        return self.run([self.transaction(sender, messages)])[0]

    def run(self, transactions: list[bytes]) -> list[Result]:
        """Run a block of transactions."""
        height, _ = self.machine.last
        block = self._keep(self.machine.apply_block(height + 1, self.time, transactions))
        results = []
        for outcome in block.executed.outcomes:
            if outcome.receipt is None:
                reason = outcome.reason
                facts = {} if reason is None else dict(reason.facts())
                results.append(Result("" if reason is None else reason.code, facts, [], reason))
            else:
                receipt = decode(outcome.receipt, Receipt)
                results.append(Result(receipt.code, dict(receipt.facts), receipt.events, None))
        return results
