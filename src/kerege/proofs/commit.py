"""An engine's commit in a proof: the votes by which what the proof leads to became final, to be checked offline.

The header after a block carries the block's app hash, which is a hash of the state root and the log root that the proof
leads to; validators voted for that header. Of its 14 fields the proof shows the five that are compared, the others are
one path; who may vote is the trust file's to say. Only as many votes are shown as more than two thirds of the power
needs, each in its validator's place: nothing can be left out, added or put in another order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import canonical, merkle, text
from .ed25519 import SIGNATURE_SIZE
from .light import wire
from .light.block import BlockId, Commit, Flag, Header, Validators, sign_bytes
from .light.block import Vote as Cast
from .light.moments import MILLISECOND
from .light.zip215 import is_signed
from .outcome import Check, Failed, Final, Malformed

if TYPE_CHECKING:
    from .trust import Trust

PARTS_LIMIT = 2**32
ROUND_LIMIT = 2**31
VOTES_LIMIT = 10_000
"""The engine's own limit of validators."""

_FIELDS = 14
_SHOWN = (1, 2, 3, 7, 10)
"""Places of chain id, height, time, validators' hash and app hash among a header's fields."""
_TIME_SIZE = 8
_TIMES = range(2 ** (8 * _TIME_SIZE))
"""When a vote may be dated, to be written here; a validator may date its own as it likes."""
_MEMBERS = frozenset({"hash", "parts", "parts_hash", "path", "round", "time", "validators", "votes"})

Vote = tuple[int, bytes]
"""When a validator voted (ns since 1970), and its signature."""


@dataclass(frozen=True, slots=True)
class EngineCommit:
    """A header, as far as it is compared, and votes for it."""

    hash: bytes
    """The header's: what the votes are for."""
    time: int
    """The header's, in nanoseconds since 1970."""
    validators: bytes
    """Hash of the validators who may vote for it."""
    path: tuple[bytes, ...]
    """Multi-target path of the fields that are compared to the header's hash."""
    parts: int
    parts_hash: bytes
    """Of the block as it was spread: votes name them."""
    round: int
    votes: tuple[Vote | None, ...]
    """By the validators' places, up to the last one that is needed; None where none is shown."""

    def reached(self, chain: str, height: int, app_hash: bytes) -> bytes:
        """The hash of a header with these fields; raises `Malformed` where the path is none of a header's."""
        fields = (
            wire.data(1, chain.encode()),
            wire.number(1, height),
            wire.timestamp(self.time),
            wire.data(1, self.validators),
            wire.data(1, app_hash),
        )
        leaves = {place: merkle.leaf_hash(field) for place, field in zip(_SHOWN, fields, strict=True)}
        return merkle.fold(leaves, _FIELDS, self.path)[0]


def _vote(value: object) -> Vote | None:
    if value is None:
        return None
    data = text.from_base64url(value, "a vote", _TIME_SIZE + SIGNATURE_SIZE)
    return int.from_bytes(data[:_TIME_SIZE], "big"), data[_TIME_SIZE:]


def _vote_member(vote: Vote | None) -> str | None:
    return None if vote is None else text.to_base64url(vote[0].to_bytes(_TIME_SIZE, "big") + vote[1])


def _below(value: object, what: str, limit: int) -> int:
    number = canonical.natural(value, what)
    if number >= limit:
        raise Malformed(f"{what} is too large")
    return number


def read(value: object) -> EngineCommit:
    """Read a commit from its members, or raise `Malformed`."""
    members = canonical.members(value, "the engine's commit", _MEMBERS)
    votes = canonical.sequence(members["votes"], "the list of votes")
    if not 0 < len(votes) <= VOTES_LIMIT or votes[-1] is None:
        raise Malformed("the list of votes does not end with a vote, or is too long")
    return EngineCommit(
        text.from_base64url(members["hash"], "the header's hash", text.HASH_SIZE),
        text.from_digits(members["time"], "the header's time"),
        text.from_base64url(members["validators"], "the header's validators hash", text.HASH_SIZE),
        text.to_hashes(text.from_base64url(members["path"], "the header's path"), "the header's path"),
        _below(members["parts"], "the number of parts", PARTS_LIMIT),
        text.from_base64url(members["parts_hash"], "the hash of the parts", text.HASH_SIZE),
        _below(members["round"], "the round", ROUND_LIMIT),
        tuple(map(_vote, votes)),
    )


def members(shown: EngineCommit) -> dict[str, object]:
    """The members of a commit, the inverse of `read`."""
    return {
        "hash": text.to_base64url(shown.hash),
        "parts": shown.parts,
        "parts_hash": text.to_base64url(shown.parts_hash),
        "path": text.from_hashes(shown.path),
        "round": shown.round,
        "time": str(shown.time),
        "validators": text.to_base64url(shown.validators),
        "votes": [_vote_member(vote) for vote in shown.votes],
    }


def _is_more(part: int, whole: int) -> bool:
    return 3 * part > 2 * whole


def _is_shown(vote: Cast) -> bool:
    return vote.flag is Flag.COMMIT and vote.time in _TIMES


def needed(commit: Commit, validators: Validators) -> tuple[Vote | None, ...]:
    """The votes to show: from the first place on, as many as more than two thirds of the power needs."""
    votes, power = list[Vote | None](), 0
    for validator, vote in zip(validators, commit.votes, strict=False):
        voted = _is_shown(vote)
        votes.append((vote.time, vote.signature) if voted else None)
        power += validator.power if voted else 0
        if _is_more(power, validators.power):
            break
    return tuple(votes)


def make(header: Header, commit: Commit, validators: Validators) -> EngineCommit:
    """The part of a proof that an engine's header and the commit of it make; whether it holds is for `check_votes`."""
    return EngineCommit(
        header.hash,
        header.time,
        header.validators_hash,
        tuple(merkle.multi_path(header.fields, _SHOWN)),
        commit.block.parts,
        commit.block.parts_hash,
        commit.round,
        needed(commit, validators),
    )


def _check_header(shown: EngineCommit, chain: str, height: int, app_hash: bytes) -> None:
    try:
        reached = shown.reached(chain, height, app_hash)
    except Malformed as error:
        raise Failed(Check.FINAL, "malformed-path") from error
    if reached != shown.hash:
        raise Failed(Check.FINAL, "another-header")


def _check_power(powers: Sequence[int], whole: int) -> None:
    """The votes are enough, and without the last of them they would not be."""
    if not _is_more(sum(powers), whole):
        raise Failed(Check.FINAL, "too-few")
    if _is_more(sum(powers[:-1]), whole):
        raise Failed(Check.FINAL, "more-than-needed")


def check_votes(shown: EngineCommit, chain: str, height: int, app_hash: bytes, validators: Validators) -> None:
    """Raise `Failed` unless more than two thirds of the validators voted for the header with this app hash."""
    if shown.validators != validators.hash or len(shown.votes) > len(validators):
        raise Failed(Check.FINAL, "unknown-validators")
    _check_header(shown, chain, height, app_hash)
    votes = [(v, vote) for v, vote in zip(validators, shown.votes, strict=False) if vote is not None]
    _check_power([validator.power for validator, _ in votes], validators.power)
    block = BlockId(shown.hash, shown.parts, shown.parts_hash)
    for validator, (time, signature) in votes:
        if not is_signed(validator.key, sign_bytes(chain, height, shown.round, block, time), signature):
            raise Failed(Check.FINAL, "bad-signature")


def check(shown: EngineCommit, block: int, app_hash: bytes, trust: "Trust") -> Final:
    """Check the votes for the header after a `block`, by the validators that the trust file names; raises `Failed`."""
    validators = trust.validators_at(shown.time // MILLISECOND)
    if trust.chain is None or validators is None:
        raise Failed(Check.FINAL, "unknown-validators")
    check_votes(shown, trust.chain.id, block + 1, app_hash, validators)
    return Final(trust.chain.id, block + 1, shown.hash)
