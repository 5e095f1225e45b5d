"""The trust file: the only thing a verifier must have from a source it trusts.

It names the ledger and its log, and the keys that sign checkpoints with the time in which each was valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from . import canonical, note, text
from .ed25519 import KEY_SIZE, is_sound_point
from .outcome import Malformed

FORMAT = "kerege-trust/1"
ONE_OPERATOR = "one operator"
"""The engine of an embedded ledger: a single institution runs it."""

_MEMBERS = frozenset({"format", "ledger", "genesis", "origin", "engine", "threshold", "keys"})
_KEY_MEMBERS = frozenset({"name", "key", "from", "until"})


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A checkpoint key: valid from `since` (ms, inclusive) until `until` (ms, exclusive; None: no end known)."""

    name: str
    key: bytes
    since: int
    until: int | None

    def valid_within(self, first: int, last: int) -> bool:
        """Say whether the key was valid at some moment from `first` to `last`."""
        return self.since <= last and (self.until is None or first < self.until)


@dataclass(frozen=True, slots=True)
class Trust:
    """A parsed trust file; `threshold` signatures of different key names make a checkpoint."""

    ledger: str
    genesis: bytes
    origin: str
    threshold: int
    keys: tuple[TrustedKey, ...]

    def find(self, name: str, key_id: bytes) -> TrustedKey | None:
        """Return the key that a signature line names, if it is here."""
        return next((k for k in self.keys if k.name == name and note.key_id(k.name, k.key) == key_id), None)


def _key(value: object) -> TrustedKey:
    members = canonical.members(value, "a key of the trust file", _KEY_MEMBERS)
    name = canonical.text(members["name"], "a key's name")
    key = text.from_base64url(members["key"], "a key", KEY_SIZE)
    since = canonical.natural(members["from"], "a key's beginning")
    until = None if members["until"] is None else canonical.natural(members["until"], "a key's end")
    if not note.is_key_name(name):
        raise Malformed("a key's name is empty or holds spaces, plus or control characters")
    if not is_sound_point(key):
        raise Malformed("a key is of small order or not canonical")
    if until is not None and until <= since:
        raise Malformed("a key ends before it begins")
    return TrustedKey(name, key, since, until)


def _check_keys(keys: Sequence[TrustedKey], threshold: int) -> None:
    """Refuse what would let one key holder count twice."""
    if len({k.key for k in keys}) != len(keys):
        raise Malformed("a key is listed twice")
    if not 0 < threshold <= len({k.name for k in keys}):
        raise Malformed("the threshold is not between 1 and the number of key names")
    for i, one in enumerate(keys):
        for other in keys[i + 1 :]:
            same = one.name == other.name
            if (
                same
                and (other.until is None or one.since < other.until)
                and (one.until is None or other.since < one.until)
            ):
                raise Malformed("two keys of one name are valid at the same time")


def _origin(value: object) -> str:
    origin = canonical.text(value, "the origin")
    if not origin or not origin.isprintable():
        raise Malformed("the origin is not one printable line")
    return origin


def parse(data: bytes) -> Trust:
    """Read a trust file: strict JSON, spacing free.

    Raises:
        Malformed: a member is missing, unknown or malformed, or the file names an engine this verifier does not know.
    """
    members = canonical.members(canonical.parse(data), "the trust file", _MEMBERS)
    if members["format"] != FORMAT:
        raise Malformed(f"the trust file's format is not {FORMAT}")
    if members["engine"] != ONE_OPERATOR:
        raise Malformed("the trust file names an engine that this verifier does not know")
    ledger = canonical.text(members["ledger"], "the ledger id")
    if not ledger or not ledger.isprintable():
        raise Malformed("the ledger id is not printable text")
    threshold = canonical.natural(members["threshold"], "the threshold")
    keys = tuple(map(_key, canonical.sequence(members["keys"], "the list of keys")))
    _check_keys(keys, threshold)
    return Trust(
        ledger, text.from_hex(members["genesis"], "the genesis hash", 32), _origin(members["origin"]), threshold, keys
    )


def make(*, ledger: str, genesis: bytes, origin: str, threshold: int, keys: Sequence[TrustedKey]) -> bytes:
    """Write the trust file of a ledger with one operator, or raise `Malformed` where it could not be read back."""
    data = canonical.encode(
        {
            "format": FORMAT,
            "ledger": ledger,
            "genesis": genesis.hex(),
            "origin": origin,
            "engine": ONE_OPERATOR,
            "threshold": threshold,
            "keys": [
                {"name": k.name, "key": text.to_base64url(k.key), "from": k.since, "until": k.until} for k in keys
            ],
        }
    )
    parse(data)
    return data
