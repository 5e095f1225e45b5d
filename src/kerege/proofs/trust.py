"""The trust file: the only thing a verifier must have from a source it trusts.

It names the ledger and its log, and the keys that sign checkpoints with the time in which each was valid. Where several
institutions run the ledger, it also says what each key weighs, which key its holder votes with, and from which header
of the engine a client starts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import canonical, note, text
from .bundle import NO_VALIDATORS
from .ed25519 import KEY_SIZE, is_sound_point
from .light.block import Validator, Validators
from .outcome import Malformed

FORMAT = "kerege-trust/1"
ONE_OPERATOR = "one operator"
"""The engine of an embedded ledger: a single institution runs it."""
COMETBFT = "cometbft"
"""The engine of a replicated ledger: institutions that vote, each with a power."""
TWO_THIRDS = "more than 2/3 of the power"
"""The threshold of a replicated ledger, in the file's own words."""
POWER_LIMIT = 10**15
"""Most that all keys of a file weigh together, so that three times as much is still exact in every JSON reader."""
CHAIN_LIMIT = 50
"""Characters of a chain id."""

_MEMBERS = frozenset({"format", "ledger", "genesis", "origin", "engine", "threshold", "keys"})
_KEY_MEMBERS = frozenset({"name", "key", "from", "until"})
_WEIGHED_MEMBERS = _KEY_MEMBERS | {"power"}
_CHAIN_MEMBERS = frozenset({"id", "height", "hash", "time", "period"})

Span = tuple[int, int]
"""First and last moment, in milliseconds, at which something may have happened."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A checkpoint key: valid from `since` (ms, inclusive) until `until` (ms, exclusive; None: no end known)."""

    name: str
    key: bytes
    since: int
    until: int | None
    power: int = 1
    """Weight of its holder's vote; one operator's keys all weigh the same."""
    consensus: bytes | None = None
    """Key by which its holder votes for blocks; None: not known."""

    def valid_within(self, first: int, last: int) -> bool:
        """Say whether the key was valid at some moment from `first` to `last`."""
        return self.since <= last and (self.until is None or first < self.until)

    def meets(self, other: "TrustedKey") -> bool:
        """Say whether both were valid at some moment."""
        return (other.until is None or self.since < other.until) and (self.until is None or other.since < self.until)


@dataclass(frozen=True, slots=True)
class Chain:
    """The engine's chain, and the header of it that is trusted: where a light client starts."""

    id: str
    height: int
    hash: bytes
    time: int
    """The header's, in milliseconds."""
    period: int
    """Trusting period in milliseconds: how long after `time` the header may be built on."""


@dataclass(frozen=True, slots=True)
class Trust:
    """A parsed trust file."""

    ledger: str
    genesis: bytes
    origin: str
    threshold: int | None
    """How many different key names make a checkpoint; None: those of more than two thirds of the power."""
    keys: tuple[TrustedKey, ...]
    chain: Chain | None = None
    """None: one operator."""

    @property
    def engine(self) -> str:
        """Who runs the ledger, in the word of the trust file."""
        return ONE_OPERATOR if self.chain is None else COMETBFT

    def find(self, name: str, key_id: bytes) -> tuple[TrustedKey, ...]:
        """The key that a signature line names, once for each time in which it was valid."""
        return tuple(k for k in self.keys if k.name == name and note.key_id(k.name, k.key) == key_id)

    def is_enough(self, signed: Iterable[TrustedKey], span: Span) -> bool:
        """Say whether the holders of these keys make a checkpoint, signed at some moment of the span.

        Power counts at one moment: keys that were never valid together do not add up.
        """
        signers = {(k.name, k.key) for k in signed}
        if self.threshold is not None:
            return len({name for name, _ in signers}) >= self.threshold
        return any(
            3 * sum(k.power for k in valid if (k.name, k.key) in signers) > 2 * sum(k.power for k in valid)
            for valid in self._valid_together(span)
        )

    def _valid_together(self, span: Span) -> Iterable[list[TrustedKey]]:
        """The keys valid at the first moment of the span, and at each later one at which a key began or ended."""
        turns = {moment for k in self.keys for moment in (k.since, k.until) if moment is not None}
        for moment in (span[0], *sorted(turn for turn in turns if span[0] < turn <= span[1])):
            yield [k for k in self.keys if k.valid_within(moment, moment)]

    def validators_at(self, moment: int) -> Validators | None:
        """Who voted for blocks at a moment (ms); None where not every key by which they did is known."""
        valid = [k for k in self.keys if k.valid_within(moment, moment)]
        known = [Validator(k.consensus, k.power) for k in valid if k.consensus is not None]
        return Validators.of(known) if known and len(known) == len(valid) else None

    def is_of_engine(self, validators: bytes) -> bool:
        """Say whether a block record with this validators hash is of a ledger that is run as this file says."""
        return (validators == NO_VALIDATORS) == (self.chain is None)


def _key(value: object, *, weighed: bool) -> TrustedKey:
    names, more = (_WEIGHED_MEMBERS, frozenset({"consensus"})) if weighed else (_KEY_MEMBERS, frozenset[str]())
    members = canonical.members(value, "a key of the trust file", names, more)
    name = canonical.text(members["name"], "a key's name")
    key = text.from_base64url(members["key"], "a key", KEY_SIZE)
    since = canonical.natural(members["from"], "a key's beginning")
    until = None if members["until"] is None else canonical.natural(members["until"], "a key's end")
    power = canonical.natural(members["power"], "a key's power") if weighed else 1
    known = "consensus" in members
    consensus = text.from_base64url(members["consensus"], "a consensus key", KEY_SIZE) if known else None
    if not note.is_key_name(name):
        raise Malformed("a key's name is empty or holds spaces, plus or control characters")
    if not is_sound_point(key) or (consensus is not None and not is_sound_point(consensus)):
        raise Malformed("a key is of small order or not canonical")
    if until is not None and until <= since:
        raise Malformed("a key ends before it begins")
    if power == 0:
        raise Malformed("a key has no power")
    return TrustedKey(name, key, since, until, power, consensus)


def _check_names(keys: Sequence[TrustedKey]) -> None:
    for i, one in enumerate(keys):
        for other in keys[i + 1 :]:
            if one.name == other.name and one.meets(other):
                raise Malformed("two keys of one name are valid at the same time")


def _check_counted(keys: Sequence[TrustedKey], threshold: int) -> None:
    """Refuse what would let one key holder count twice."""
    if len({k.key for k in keys}) != len(keys):
        raise Malformed("a key is listed twice")
    if not 0 < threshold <= len({k.name for k in keys}):
        raise Malformed("the threshold is not between 1 and the number of key names")
    _check_names(keys)


def _check_weighed(keys: Sequence[TrustedKey]) -> None:
    """The same where keys weigh: one may be listed again for another time, when its holder had another power."""
    for held in ({(k.key, k.name) for k in keys}, {(k.consensus, k.name) for k in keys if k.consensus is not None}):
        if len({key for key, _ in held}) != len(held):
            raise Malformed("a key is listed under two names")
    if not 0 < sum(k.power for k in keys) <= POWER_LIMIT:
        raise Malformed("the power of all keys is not between 1 and 10^15")
    _check_names(keys)


def _origin(value: object) -> str:
    origin = canonical.text(value, "the origin")
    if not origin or not origin.isprintable():
        raise Malformed("the origin is not one printable line")
    return origin


def _chain(value: object) -> Chain:
    members = canonical.members(value, "the chain", _CHAIN_MEMBERS)
    chain = Chain(
        canonical.text(members["id"], "the chain id"),
        canonical.natural(members["height"], "the trusted height"),
        text.from_hex(members["hash"], "the trusted header's hash", text.HASH_SIZE),
        canonical.natural(members["time"], "the trusted header's time"),
        canonical.natural(members["period"], "the trusting period"),
    )
    if not 0 < len(chain.id) <= CHAIN_LIMIT or not chain.id.isprintable():
        raise Malformed("the chain id is not printable text of at most 50 characters")
    if chain.height == 0 or chain.period == 0:
        raise Malformed("the trusted height or the trusting period is 0")
    return chain


def _engine(members: dict[str, object]) -> tuple[int | None, tuple[TrustedKey, ...], Chain | None]:
    """Threshold, keys and chain, as the engine asks for them."""
    weighed = members["engine"] == COMETBFT
    keys = canonical.sequence(members["keys"], "the list of keys")
    if not weighed:
        threshold = canonical.natural(members["threshold"], "the threshold")
        counted = tuple(_key(value, weighed=False) for value in keys)
        _check_counted(counted, threshold)
        return threshold, counted, None
    if members["threshold"] != TWO_THIRDS:
        raise Malformed(f"the threshold is not {TWO_THIRDS}")
    weights = tuple(_key(value, weighed=True) for value in keys)
    _check_weighed(weights)
    return None, weights, _chain(members["chain"])


def parse(data: bytes) -> Trust:
    """Read a trust file: strict JSON, spacing free.

    Raises:
        Malformed: a member is missing, unknown or malformed, or the file names an engine this verifier does not know.
    """
    value = canonical.parse(data)
    replicated = isinstance(value, dict) and value.get("engine") == COMETBFT
    members = canonical.members(value, "the trust file", _MEMBERS | {"chain"} if replicated else _MEMBERS)
    if members["format"] != FORMAT:
        raise Malformed(f"the trust file's format is not {FORMAT}")
    if members["engine"] not in (ONE_OPERATOR, COMETBFT):  # not a set: what cannot be hashed is no engine either
        raise Malformed("the trust file names an engine that this verifier does not know")
    ledger = canonical.text(members["ledger"], "the ledger id")
    if not ledger or not ledger.isprintable():
        raise Malformed("the ledger id is not printable text")
    threshold, keys, chain = _engine(members)
    genesis = text.from_hex(members["genesis"], "the genesis hash", 32)
    return Trust(ledger, genesis, _origin(members["origin"]), threshold, keys, chain)


def _key_members(key: TrustedKey) -> dict[str, object]:
    return {"name": key.name, "key": text.to_base64url(key.key), "from": key.since, "until": key.until}


def _weighed_members(key: TrustedKey) -> dict[str, object]:
    members = _key_members(key) | {"power": key.power}
    return members if key.consensus is None else members | {"consensus": text.to_base64url(key.consensus)}


def write(trust: Trust) -> bytes:
    """Write a trust file, the inverse of `parse`; raises `Malformed` where it could not be read back."""
    members: dict[str, object] = {
        "format": FORMAT,
        "ledger": trust.ledger,
        "genesis": trust.genesis.hex(),
        "origin": trust.origin,
    }
    if trust.chain is None:
        own: dict[str, object] = {
            "engine": ONE_OPERATOR,
            "threshold": trust.threshold,
            "keys": [_key_members(k) for k in trust.keys],
        }
    else:
        chain = trust.chain
        own = {
            "engine": COMETBFT,
            "threshold": TWO_THIRDS,
            "keys": [_weighed_members(k) for k in trust.keys],
            "chain": {
                "id": chain.id,
                "height": chain.height,
                "hash": chain.hash.hex(),
                "time": chain.time,
                "period": chain.period,
            },
        }
    data = canonical.encode(members | own)
    parse(data)
    return data


def make(*, ledger: str, genesis: bytes, origin: str, threshold: int, keys: Sequence[TrustedKey]) -> bytes:
    """Write the trust file of a ledger with one operator, or raise `Malformed` where it could not be read back."""
    return write(Trust(ledger, genesis, origin, threshold, tuple(keys)))


def make_replicated(*, ledger: str, genesis: bytes, origin: str, chain: Chain, keys: Sequence[TrustedKey]) -> bytes:
    """Write the trust file of a ledger that institutions run together; raises `Malformed` like `make`."""
    return write(Trust(ledger, genesis, origin, None, tuple(keys), chain))
