"""A node makes the block that nobody asks for: `kernel.Tick` from its gateway's account when a schedule is due."""

from collections.abc import Callable

from kerege.cli.wiring import Signer
from kerege.consensus.bodies import next_body
from kerege.consensus.embedded import Answer, Busy, Submission
from kerege.consensus.outcomes import refusal_of
from kerege.consensus.whole import BeingRestored
from kerege.kernel.machine import next_due
from kerege.kernel.tick import Tick
from kerege.node.ledger import Ledger

WAIT_SECONDS = 1.0
"""For a tick to be final: where the network has no quorum that may take for ever, and the node has more to do."""
VALID = 600_000
"""Milliseconds for which a tick may wait; the next one goes when it has run or has expired."""


class Ticker:
    """Ticks for one ledger, one at a time. `tell` hears why one was refused, once for each reason."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = ""
        self._sent: Submission | None = None

    def tick(self, ledger: Ledger, signer: Callable[[], Signer | None]) -> None:
        """Where something is due and nobody else makes a block; returns in a bounded time. Raises `Stopped`."""
        if self._sent is None:
            try:
                self._sent = _sent(ledger, signer)
            except (Busy, BeingRestored):  # then others make a block
                return
            if self._sent is None:
                return
        try:
            (answer,) = self._sent.wait(WAIT_SECONDS)
        except TimeoutError:
            return
        self._sent = None
        self._say(answer)

    def _say(self, answer: Answer) -> None:
        code = refusal_of(answer)
        if code and code != self._told:
            self._tell(f"what is due waits for somebody else's block: the ledger refused a tick ({code})")
        self._told = code


def _sent(ledger: Ledger, signer: Callable[[], Signer | None]) -> Submission | None:
    """A tick that is under way; None where nothing is due, or nobody here signs."""
    due, now = next_due(ledger.modules, ledger.door.context()), ledger.engine.now()
    own = None if due is None or due > max(now, ledger.door.head().time) else signer()
    return None if own is None else ledger.engine.submit([signed_tick(ledger, own, now)])


def signed_tick(ledger: Ledger, signer: Signer, now: int) -> bytes:
    """The transaction, by a clock that may be behind block time."""
    return signer.transaction(next_body(ledger.door, signer.address, [Tick()], now, VALID))
