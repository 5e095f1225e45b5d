"""The engine's commit for a proof: asked of the node's own engine, and checked before anybody is given it."""

import time
from collections.abc import Sequence

from kerege import proofs
from kerege.consensus.checkpoints import NoCommit
from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.proofs.commit import EngineCommit, check_votes, make
from kerege.proofs.light import Validator, Validators
from kerege.proofs.light.rpc import read_signed_header

SECONDS = 4.0
"""How long the header after a block is waited for: the engine makes it at once, and idles only after it."""
ASK_SECONDS = 1.0
"""How long one answer may take."""
EVERY = 0.05
"""Between two questions."""
ANSWER_MAX = 8 * 1024 * 1024
"""Bytes of an answer at most: a vote has some 250, and there may be ten thousand."""
_PRUNED = " is not available, lowest height is "
"""What the engine says of a height that it had: waiting does not bring it back."""


class EngineCommits:
    """Commits as the engine at a `url` shows them."""

    def __init__(self, chain: str, url: str) -> None:
        self._chain = chain
        self.url = url

    def after(self, block: int, app_hash: bytes, voters: Sequence[tuple[bytes, int]]) -> EngineCommit:
        """The votes for the header after a block, which carries its app hash, by keys and powers of who votes for it.

        Raises `NoCommit` where the engine does not show it in time, or shows what would not verify.
        """
        until, height = time.monotonic() + SECONDS, block + 1
        while True:
            try:
                validators = Validators.of(Validator(key, power) for key, power in voters)
                shown = self._ask(height, validators)
                check_votes(shown, self._chain, height, app_hash, validators)
            except (RpcError, Unreachable) as error:
                if _PRUNED in str(error):
                    reason = f"the engine no longer has header {height} ({error}), ask again after the next transaction"
                    raise NoCommit(reason) from None
                if time.monotonic() > until:
                    reason = f"the engine does not show the votes for header {height} ({error}), ask again later"
                    raise NoCommit(reason) from None
                time.sleep(EVERY)
            except (proofs.Malformed, proofs.Failed) as error:
                raise NoCommit(f"the engine's votes for header {height} do not hold ({error})") from None
            else:
                return shown

    def _ask(self, height: int, validators: Validators) -> EngineCommit:
        rpc = Rpc(self.url, ASK_SECONDS, ANSWER_MAX)
        try:
            with rpc.bounded(2 * ASK_SECONDS):  # the first for the connection itself
                told = rpc.call("commit", height=str(height)).get("signed_header")
        finally:
            rpc.close()
        return make(*read_signed_header(told), validators)
