"""Checkpoints of a network: each validator signs for itself, and whoever makes proofs gathers more than two thirds.

Outside consensus, over the engines' own query: a validator signs a block's log once the next block has confirmed its
app hash (`queries.py`). A signature that is not one of the named key over exactly this log is as good as none.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from kerege import proofs
from kerege.consensus.checkpoints import Unprovable, origin_of
from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.consensus.commits import EngineCommits
from kerege.kernel.block import Head
from kerege.proofs.commit import EngineCommit

SECONDS = 4.0
"""How long the signatures of a block are waited for: the block that confirms it, and some more."""
ASK_SECONDS = 1.0
"""How long one validator may take."""
EVERY = 0.05
"""Between two rounds of asking; and for so long more is waited where enough have signed."""
ANSWER_MAX = 64 * 1024
"""Bytes of an answer at most: a signed note has some hundred."""
KEPT = 128
"""Signed notes kept: one a height."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A validator: under which name its checkpoint key signs, with how much power, and where it is asked."""

    name: str
    key: bytes
    power: int
    url: str
    consensus: bytes
    """Key by which it votes for blocks."""


Witnesses = Callable[[int], Sequence[Witness]]
"""The validators that sign the block of a height: they change by law while a node runs."""


class GatheredCheckpoints:
    """`Checkpoints` signed by validators with more than two thirds of the power; `engine` shows their votes."""

    def __init__(self, ledger: str, witnesses: Witnesses, engine: str) -> None:
        self._origin = origin_of(ledger)
        self._witnesses = witnesses
        self._commits = EngineCommits(ledger, engine)
        self._notes: dict[int, tuple[Head, str]] = {}
        self._lock = threading.Lock()
        self.newest = (0, 0)
        """Height of the newest block for which enough signatures were asked and given, and how many those were."""

    def covering(self, head: Head) -> Head:
        """See `Checkpoints`. Who has waited behind others does not wait again: what they found is there."""
        until = time.monotonic() + SECONDS
        with self._lock:
            while head.height not in self._notes:
                if time.monotonic() > until:
                    return self._newest(head)
                if not self._gather(head):
                    time.sleep(EVERY)
        return head

    def sign(self, head: Head) -> str:
        """See `Checkpoints`."""
        with self._lock:
            if head.height in self._notes or self._gather(head):
                return self._notes[head.height][1]
        raise Unprovable(
            f"block {head.height} is not signed by more than two thirds of the validators: ask again later"
        )

    def commit(self, block: int, app_hash: bytes) -> EngineCommit:
        """See `Checkpoints`."""
        return self._commits.after(block, app_hash, [(w.consensus, w.power) for w in self._witnesses(block + 1)])

    def _newest(self, head: Head) -> Head:
        signed = [kept for height, (kept, _) in self._notes.items() if height < head.height]
        if not signed:
            raise Unprovable("no block is signed by more than two thirds of the validators yet: ask again later")
        return max(signed, key=lambda kept: kept.height)

    def _gather(self, head: Head) -> bool:
        """Ask all at once; True where enough have signed."""
        body = proofs.note.checkpoint_body(self._origin, head.log_size, head.log_root)
        witnesses = self._witnesses(head.height)
        pool = ThreadPoolExecutor(len(witnesses) or 1, "gathering")
        asked = {pool.submit(_ask, each, head.height, body): each for each in witnesses}
        found = _answered(asked)
        pool.shutdown(wait=False)
        if not _are_enough(found, witnesses):
            return False
        signed = [(each, found[each]) for each in witnesses if each in found]
        self._notes[head.height] = head, proofs.note.assemble(body, [(w.name, w.key, s) for w, s in signed])
        self.newest = max(self.newest, (head.height, len(signed)))
        if len(self._notes) > KEPT:
            del self._notes[min(self._notes)]
        return True


def _are_enough(some: Iterable[Witness], whole: Iterable[Witness]) -> bool:
    return 3 * sum(each.power for each in some) > 2 * sum(each.power for each in whole)


def _answered(asked: dict[Future[bytes | None], Witness]) -> dict[Witness, bytes]:
    """The signatures that come: a validator that is silent, or lies, holds up nobody."""
    until, waiting, found = time.monotonic() + ASK_SECONDS, set(asked), dict[Witness, bytes]()
    while waiting and (left := until - time.monotonic()) > 0:
        done, waiting = wait(waiting, left, FIRST_COMPLETED)
        for each in done:
            signature = each.result()
            if signature is not None:
                found[asked[each]] = signature
        if _are_enough(found, asked.values()):
            until = min(until, time.monotonic() + EVERY)
    return found


def _ask(witness: Witness, height: int, body: bytes) -> bytes | None:
    """A validator's signature over a log, where it gives one that holds; total over whatever it answers."""
    rpc = Rpc(witness.url, ASK_SECONDS, ANSWER_MAX)
    try:
        with rpc.bounded(2 * ASK_SECONDS):  # the first for the connection itself
            answer = rpc.call("abci_query", path="checkpoint", data=str(height).encode().hex()).get("response")
    except (RpcError, Unreachable):
        return None
    finally:
        rpc.close()
    value = answer.get("value") if isinstance(answer, dict) else None
    with suppress(ValueError, BadSignatureError, proofs.Malformed):
        note = proofs.note.parse(base64.b64decode(value if isinstance(value, str) else "").decode())
        for line in note.signatures:
            if note.body == body and line.name == witness.name:
                VerifyKey(witness.key).verify(body, line.signature)
                return line.signature
    return None
