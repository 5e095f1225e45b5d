"""`Idempotency-Key`: the same request again has the same answer, another one under the same key is told.

The ledger itself runs a transaction once, whatever is sent how often; what is kept here, bounded and in memory, spares
a client the difference between its first and its second attempt.
"""

from collections import OrderedDict
from hashlib import sha256
from typing import Any

from kerege.api.problems import Problem

KEPT = 10_000
LONGEST = 128


class Keys:
    """Keys with what was asked under them and what was answered."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[bytes, Any]] = OrderedDict()

    def begin(self, key: str | None, body: bytes) -> Any:  # noqa: ANN401 - the answer of before
        """The answer given before, or None; raises `Problem` for a key that is no good, used otherwise or in use."""
        if key is None:
            return None
        if not 0 < len(key) <= LONGEST or not key.isprintable():
            detail = f"Idempotency-Key has {len(key)} characters: use 1 to {LONGEST} printable ones."
            raise Problem("bad-request", 400, detail)
        asked, known = sha256(body).digest(), self._known.get(key)
        if known is None:
            self._known[key] = (asked, None)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
            return None
        if known[0] != asked:
            raise Problem("key-reused", 422, "This Idempotency-Key came with another body before: draw a new key.")
        if known[1] is None:
            raise Problem("key-in-use", 409, "The first request with this Idempotency-Key is not answered yet: wait.")
        return known[1]

    def end(self, key: str | None, answer: Any) -> None:  # noqa: ANN401
        """Keep the answer; None where there was none, so that the key is free again."""
        if key is None or key not in self._known:
            return
        if answer is None:
            del self._known[key]
        else:
            self._known[key] = (self._known[key][0], answer)
