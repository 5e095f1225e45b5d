"""What an account sends next, as the door tells it."""

import os
from collections.abc import Sequence

from kerege.consensus.door import Door
from kerege.kernel.messages import Message
from kerege.kernel.transaction import Body
from kerege.kernel.types import Address, Time

HOUR = 3_600_000


def next_bodies(
    door: Door, sender: Address, parts: Sequence[Sequence[Message]], now: Time, valid: int = HOUR
) -> list[Body]:
    """Transactions of the sender's first lane, to be signed: one for each part, one after the other.

    `now`: by a clock that may be behind block time; `valid`: milliseconds for which they may wait.
    """
    until = max(door.head().time, now) + valid
    return [
        Body(
            ledger=door.ledger,
            sender=sender,
            lane=0,
            sequence=sequence,
            valid_until=until,
            salt=os.urandom(16),
            messages=list(messages),
        )
        for sequence, messages in enumerate(parts, door.next_sequence(sender))
    ]


def next_body(door: Door, sender: Address, messages: Sequence[Message], now: Time, valid: int = HOUR) -> Body:
    """The same for one."""
    return next_bodies(door, sender, [messages], now, valid)[0]
