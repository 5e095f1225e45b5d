"""The order in which the engine may ask: what stands in its published grammar and can be seen on one connection.

`spec/abci/abci++_comet_expected_behavior.md` of the engine. Within a height any sequence of proposals, votes and vote
extensions is legal (each may be a round of its own); a decision is followed by its commit, heights have no gaps.
"""

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.framing import Malformed

CONSENSUS = frozenset({
    "init_chain", "prepare_proposal", "process_proposal", "extend_vote", "verify_vote_extension", "finalize_block",
    "commit",
})  # fmt: skip
"""The methods of consensus by their names in `Request`; one connection has them to itself."""


class Order:
    """What may come next on the connection of consensus. A new connection begins anew: the engine was restarted."""

    __slots__ = ("_begun", "_deciding", "_height")

    def __init__(self) -> None:
        self._begun = False
        self._deciding = False
        """Whether a finalized block waits for its commit."""
        self._height = 0
        """The last finalized height; 0 where this connection has seen none."""

    def check(self, method: str, request: m.Request) -> None:
        """Raise `Malformed` where this method may not come now; otherwise it has come."""
        if method == "commit":
            if not self._deciding:
                raise Malformed("a commit without a finalized block")
            self._deciding = False
        elif self._deciding:
            raise Malformed(f"{method} between a finalized block and its commit")
        elif method == "finalize_block":
            self._finalize(request.finalize_block.height)
        elif method == "init_chain" and self._begun:
            raise Malformed("init_chain after other methods of consensus")
        self._begun = True

    def _finalize(self, height: int) -> None:
        if height < 1 or (self._height and height != self._height + 1):
            raise Malformed(f"finalize_block of height {height} after {self._height}")
        self._height = height
        self._deciding = True
