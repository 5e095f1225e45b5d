"""Bringing the trust file of a replicated ledger up to date: a newer header, and the keys of who votes by then.

The light client follows the engine from the file's header. Who signs checkpoints is read from the ledger's state, row
by row, each proven under the app hash of a header that was followed: nobody is asked to be believed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from . import entry, light, msgpack
from .light.moments import MILLISECOND
from .outcome import Failed, Malformed
from .trust import Chain, Trust, TrustedKey

SETS = "authority.validators"
"""Table of validator sets, by the height from which on each signs."""
NEWEST = "authority.validators_newest"
"""Table with one row, `newest`: the key of the newest set."""
CHANGES_LIMIT = 1_000
"""Sets that may have followed each other between the two headers."""

Prove = Callable[[str, int | str], bytes]
"""Gives the newest state proof (`kerege-state/1`) of a row, by table and key; raises `light.NotShown`."""


class Unprovable(light.NotFollowed):
    """The validators changed, and nothing proves which checkpoint keys the new ones have."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One who signs blocks and checkpoints, as the state names it."""

    name: str
    consensus: bytes
    """Key that signs blocks."""
    key: bytes
    """Checkpoint key."""
    power: int


@dataclass(frozen=True, slots=True)
class Term:
    """A validator set, and from which height on it signs."""

    height: int
    seats: tuple[Seat, ...]
    hash: bytes
    before: int | None
    """Height of the set before it."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The trust file as it should be now."""

    trust: Trust
    followed: light.Followed
    changes: tuple[int, ...]
    """Heights from which on other validators signed, after the header that was trusted."""


def key_name(origin: str, institution: str) -> str:
    """Name under which an institution's checkpoint key signs."""
    return f"{origin}/{institution}"


def _seat(item: msgpack.Value) -> Seat:
    match item:
        case [str(institution), bytes(consensus), bytes(key), int(power), *_] if power > 0:
            return Seat(institution, consensus, key, power)
        case _:
            raise Malformed("a seat in the validator set is not one")


def _height(value: bytes) -> int:
    match msgpack.decode(value[1:]):
        case int() as height if height >= 0:
            return height
        case _:
            raise Malformed("the newest validator set has no height")


def read_term(height: int, value: bytes) -> Term:
    """Read a row of the table of validator sets (one schema byte, then MessagePack); raises `Malformed`."""
    match msgpack.decode(value[1:]):
        case [list(seats), bytes(hash_), (int() | None) as before, *_] if seats and (before is None or before < height):
            return Term(height, tuple(map(_seat, seats)), hash_, before)
        case _:
            raise Malformed("the validator set in the state is not one")


@dataclass(slots=True)
class _Ledger:
    """The ledger as followed so far; headers are verified once."""

    trust: Trust
    fetch: light.Fetch
    witnesses: Mapping[str, light.Fetch]
    rules: light.Rules
    now: int
    known: dict[int, light.Trusted]
    last: int
    """Height of the newest header: the state must be proven as of then, for older proofs may hide a change."""

    def header(self, height: int) -> light.Header:
        """The verified header of a height after the trusted one."""
        if height not in self.known:
            nearest = self.known[max(h for h in self.known if h < height)]
            done = light.follow(nearest, self.fetch, self.rules, self.now, height=height, witnesses=self.witnesses)
            self.known[height] = done.trusted
        return self.known[height].header

    def row(self, prove: Prove, table: str, key: int | str) -> bytes:
        """A row of the state, proven under the app hash of a verified header; raises `light.Invalid`.

        The header after a block carries what the block led to, and so do the next ones while nothing happens.
        """
        written = key.to_bytes(8, "big") if isinstance(key, int) else key.encode() + b"\0"
        data = prove(table, key)
        try:
            height = max(entry.parse(data).record.height + 1, self.last)
            final = self.header(height).app_hash
            held = entry.verify_final(data, self.trust.ledger, self.trust.origin, final)
        except (Malformed, Failed) as error:
            raise light.Invalid(f"the proof of {table} {key} does not hold: {error}") from error
        if held.key != table.encode() + b"\0" + written or held.value is None:
            raise light.Invalid(f"the proof of {table} {key} is of another row, or of none")
        return held.value

    def terms(self, prove: Prove, since: int) -> list[Term]:
        """The set in force at height `since`, and those after it, as far as the state has decided them."""
        try:
            newest = _height(self.row(prove, NEWEST, "newest"))
            terms = [read_term(newest, self.row(prove, SETS, newest))]
            while (before := terms[-1].before) is not None and terms[-1].height > since:
                if len(terms) == CHANGES_LIMIT:
                    raise light.Invalid(f"more than {CHANGES_LIMIT} validator sets since height {since}")
                terms.append(read_term(before, self.row(prove, SETS, before)))
        except Malformed as error:
            raise light.Invalid(str(error)) from error
        return terms[::-1]


def _holder(key: TrustedKey) -> tuple[str, bytes, int, bytes | None]:
    return key.name, key.key, key.power, key.consensus


def _change(keys: Sequence[TrustedKey], origin: str, term: Term, since: int) -> list[TrustedKey]:
    """The keys after a term began: who is in it goes on or begins, who is not ends."""
    seats = {(key_name(origin, s.name), s.key, s.power, s.consensus) for s in term.seats}
    going_on = {_holder(k) for k in keys if k.until is None} & seats
    until = [k if k.until is not None or _holder(k) in going_on else replace(k, until=since) for k in keys]
    begun = [TrustedKey(n, key, since, None, power, voting) for n, key, power, voting in sorted(seats - going_on)]
    return [*(k for k in until if k.until is None or k.since < k.until), *begun]


def _keys(ledger: _Ledger, prove: Prove, first: light.Header, last: light.Header) -> tuple[list[TrustedKey], list[int]]:
    """The keys as of the last header, and the heights at which they changed."""
    terms = [t for t in ledger.terms(prove, first.height) if t.height <= last.height]
    if not terms or terms[-1].hash != last.validators_hash:
        raise light.Invalid(f"the validators of height {last.height} are not those that the state names")
    keys, changes = list(ledger.trust.keys), []
    for term in terms:
        began = max(term.height, first.height)
        keys = _change(keys, ledger.trust.origin, term, ledger.header(began).time // MILLISECOND)
        if term.height > first.height:
            changes.append(term.height)
    return keys, changes


def begin(trust: Trust, fetch: light.Fetch) -> tuple[light.Trusted, light.Rules]:
    """The header that a trust file names, and the rules for following from it.

    Raises:
        Malformed: the file is of one operator, whose ledger no engine replicates.
        light.NotFollowed: the header is not shown, or is not the one that the file names.
    """
    chain = trust.chain
    if chain is None:
        raise Malformed("the trust file is of one operator: there is no engine to follow")
    block = light.begin(fetch, chain.id, chain.height, chain.hash)
    if block.header.time // MILLISECOND != chain.time:
        raise light.Invalid(f"the trust file dates height {chain.height} otherwise than its header does")
    return light.Trusted(block.header, block.next_validators), light.Rules(chain.period * MILLISECOND)


def renew(
    trust: Trust,
    fetch: light.Fetch,
    now: int,
    *,
    witnesses: Mapping[str, light.Fetch] | None = None,
    prove: Prove | None = None,
) -> Renewed:
    """Follow the engine to its newest header and write down what is trusted then; `now` in nanoseconds since 1970.

    Without `prove` only a header with the same validators can be reached: their checkpoint keys are then taken to be
    the same as well.

    Raises:
        Unprovable: the validators changed, and there is no `prove`.
        light.NotFollowed: see `light.follow`; `light.Invalid` also where the state's rows are not proven.
        Malformed: see `begin`.
    """
    first, rules = begin(trust, fetch)
    followed = light.follow(first, fetch, rules, now, witnesses=witnesses)
    last = followed.block.header
    known = {first.header.height: first, last.height: followed.trusted}
    keys, changes = list(trust.keys), list[int]()
    if prove is not None:
        ledger = _Ledger(trust, fetch, witnesses or {}, rules, now, known, last.height)
        keys, changes = _keys(ledger, prove, first.header, last)
    elif last.validators_hash != first.header.validators_hash:
        raise Unprovable(
            f"other validators sign height {last.height} than height {first.header.height}: their checkpoint keys need "
            "a proof from a node of the ledger"
        )
    if trust.chain is None:
        raise AssertionError("a file that was begun with has a chain")
    chain = Chain(trust.chain.id, last.height, last.hash, last.time // MILLISECOND, trust.chain.period)
    return Renewed(replace(trust, keys=tuple(keys), chain=chain), followed, tuple(changes))
