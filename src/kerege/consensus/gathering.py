"""Checkpoints of a network: each validator signs for itself, and whoever makes proofs gathers more than two thirds.

Outside consensus, over the engines' own query: a validator signs a block's log once the next block has confirmed its
app hash (`queries.py`). A signature that is not one of the named key over exactly this log is as good as none.
"""

import base64
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from kerege import proofs
from kerege.consensus.checkpoints import Unprovable, origin_of
from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.kernel.block import Head

SECONDS = 4.0
"""How long the signatures of a block are waited for: the block that confirms it, and some more."""
ASK_SECONDS = 1.0
"""How long one validator may take."""
EVERY = 0.05
KEPT = 128
"""Signed notes kept: one a height."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A validator: under which name its checkpoint key signs, with how much power, and where it is asked."""

    name: str
    key: bytes
    power: int
    url: str


class GatheredCheckpoints:
    """`Checkpoints` signed by validators with more than two thirds of the power."""

    def __init__(self, ledger: str, witnesses: Sequence[Witness]) -> None:
        self._origin = origin_of(ledger)
        self._witnesses = list(witnesses)
        self._notes: dict[int, tuple[Head, str]] = {}
        self._lock = threading.Lock()
        self.newest = (0, 0)
        """Height of the newest block for which enough signatures were asked and given, and how many those were."""

    def covering(self, head: Head) -> Head:
        """See `Checkpoints`."""
        with self._lock:
            until = time.monotonic() + SECONDS
            while head.height not in self._notes and not self._gather(head):
                if time.monotonic() > until:
                    return self._newest(head)
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

    def _newest(self, head: Head) -> Head:
        signed = [kept for height, (kept, _) in self._notes.items() if height < head.height]
        if not signed:
            raise Unprovable("no block is signed by more than two thirds of the validators yet: ask again later")
        return max(signed, key=lambda kept: kept.height)

    def _gather(self, head: Head) -> bool:
        """Ask all at once; True where enough have signed."""
        body = proofs.note.checkpoint_body(self._origin, head.log_size, head.log_root)
        with ThreadPoolExecutor(len(self._witnesses)) as pool:
            found = list(pool.map(lambda each: self._ask(each, head.height, body), self._witnesses))
        signed = [(w, signature) for w, signature in zip(self._witnesses, found, strict=True) if signature is not None]
        if 3 * sum(w.power for w, _ in signed) <= 2 * sum(w.power for w in self._witnesses):
            return False
        self._notes[head.height] = head, proofs.note.assemble(body, [(w.name, w.key, s) for w, s in signed])
        self.newest = max(self.newest, (head.height, len(signed)))
        if len(self._notes) > KEPT:
            del self._notes[min(self._notes)]
        return True

    def _ask(self, witness: Witness, height: int, body: bytes) -> bytes | None:
        """A validator's signature over a log, where it gives one that holds."""
        rpc = Rpc(witness.url, ASK_SECONDS)
        try:
            answer = rpc.call("abci_query", path="checkpoint", data=str(height).encode().hex())["response"]
        except (RpcError, Unreachable):
            return None
        finally:
            rpc.close()
        with suppress(ValueError, BadSignatureError, proofs.Malformed):
            note = proofs.note.parse(base64.b64decode(answer.get("value") or "").decode())
            for line in note.signatures:
                if note.body == body and line.name == witness.name:
                    VerifyKey(witness.key).verify(body, line.signature)
                    return line.signature
        return None
