"""What an engine's clients may ask a member's application: committed state, where it stands, its signed checkpoint.

No proofs: those are made by a node, from its own store, under the checkpoints of all.
"""

from collections.abc import Sequence

from kerege.consensus import rows
from kerege.consensus.agreed import read_agreed
from kerege.consensus.checkpoints import CheckpointKey, origin_of, sign_checkpoint
from kerege.consensus.codes import NO_STATE, NOT_YET, RESTORING
from kerege.consensus.cometbft import messages as m
from kerege.kernel.codec import encode
from kerege.storage.port import Area, Store

_DIGITS = 16


class Queries:
    """Answers from a store, on any thread. `keys` sign checkpoints; none where this member signs nothing."""

    def __init__(self, store: Store, ledger: str, keys: Sequence[CheckpointKey] = ()) -> None:
        self._store = store
        self._origin = origin_of(ledger)
        self._keys = list(keys)
        self.signed = 0
        """Checkpoints signed so far."""
        self._paths = {"state": self._state, "head": self._head, "checkpoint": self._checkpoint}

    def answer(self, request: m.RequestQuery) -> m.ResponseQuery:
        """The answer to a query: path `state` (data: the key), `head`, or `checkpoint` (data: a height in digits).

        Of the newest block alone, whose height it names. Who asked for another one, or for a proof, and was answered
        with neither would take the value for what it is not. While a snapshot is being restored there is no ledger to
        ask: rows come in before anybody knows what they are.
        """
        restoring = rows.is_restoring(self._store)
        answer = self._answer(request)
        if restoring or rows.is_restoring(self._store):  # it may have begun while this was read
            text = "restoring: this member is being filled from a snapshot; ask again when it has joined"
            return m.ResponseQuery(code=RESTORING, codespace="kerege", log=text)
        return answer

    def _answer(self, request: m.RequestQuery) -> m.ResponseQuery:
        agreed, found = read_agreed(self._store), self._paths.get(request.path.strip("/"))
        newest = 0 if agreed is None else agreed.height
        if found is None:
            answer = _refusal(f"known paths: {', '.join(self._paths)}")
        elif request.height not in {0, newest}:
            answer = _refusal(f"height {request.height} is not kept here, only the newest, {newest}: leave height out")
        elif request.prove:
            answer = _refusal("no proofs here: a node makes them, at /api/v1/proofs; leave prove out")
        else:
            answer = found(bytes(request.data))
        answer.height = newest
        return answer

    def _state(self, key: bytes) -> m.ResponseQuery:
        return m.ResponseQuery(key=key, value=self._store.get(Area.STATE, key) or b"")

    def _head(self, _data: bytes) -> m.ResponseQuery:
        head = rows.read_head(self._store)
        return m.ResponseQuery(value=b"" if head is None else encode(head))

    def _checkpoint(self, height: bytes) -> m.ResponseQuery:
        """This member's signature over the log as of a block that the next one has confirmed."""
        if not (self._keys and height.isdigit() and len(height) <= _DIGITS):
            return _refusal("a validator is asked for the digits of a height")
        agreed, summary = read_agreed(self._store), rows.read_summary(self._store, int(height))
        if agreed is None or summary is None or summary.height >= agreed.height:
            return m.ResponseQuery(code=NOT_YET, codespace="kerege", log="no later block confirms this one yet")
        self.signed += 1
        return m.ResponseQuery(value=sign_checkpoint(self._origin, summary.head, self._keys).encode())


def _refusal(log: str) -> m.ResponseQuery:
    return m.ResponseQuery(code=NO_STATE, codespace="kerege", log=log)
