"""What engines told of validators, in the blocks that a stranger hands in: it must be what the receipts say of it.

The rows of it are in no root themselves. But the first report of a deed is an event of its block's own receipt, which
the log holds: so what a row says more, less or otherwise is found. A deed that was recorded before may be told again,
by honest engines too; it does nothing, no receipt speaks of it, and nobody can tell who told it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from kerege.consensus.snapshots.records import BadRows
from kerege.kernel.block import StoredBlock
from kerege.kernel.codec import encode
from kerege.kernel.messages import tag_of
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.receipts import BlockReceipt, BlockRecord, Receipt
from kerege.modules.authority.events import MisbehaviourRecorded

LEAF = msgspec.msgpack.Decoder(Receipt | BlockReceipt | BlockRecord)
_EVENT = msgspec.msgpack.Decoder(MisbehaviourRecorded)


class Deeds:
    """The deeds that the blocks so far recorded."""

    def __init__(self) -> None:
        self._recorded: set[tuple[bytes, int, str]] = set()

    def check(self, block: StoredBlock, told: Sequence[Misbehaviour]) -> None:
        """Raise `BadRows` where the engine cannot have told this with a block whose leaves are in the log."""
        new = list[Misbehaviour]()
        for each in told:
            deed = each.validator, each.height, each.kind
            if deed not in self._recorded:
                self._recorded.add(deed)
                new.append(each)
        if new != _recorded_in(block):
            raise BadRows(f"what the engine told with block {block.height} is not what its receipt says")


def _recorded_in(block: StoredBlock) -> list[Misbehaviour]:
    """The deeds that a block recorded, by its own receipt: the leaf before its record, where there is one."""
    own = LEAF.decode(block.leaves[-2]) if len(block.leaves) > 1 else None
    events: list[Any] = own.events if isinstance(own, BlockReceipt) else []
    tag = tag_of(MisbehaviourRecorded)
    found = [_EVENT.decode(encode(event)) for event in events if isinstance(event, list) and event[:1] == [tag]]
    return [Misbehaviour(each.kind, each.validator, each.height, each.row.time) for each in found]
