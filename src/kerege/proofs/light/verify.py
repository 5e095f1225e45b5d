"""One step of a light client: from a trusted header to a later one, by the votes alone.

CometBFT's own rules (`light/verifier.go`, `types/validation.go`). A step to the next height needs the validators that
the trusted header announced. A longer step needs votes of more than a third of their power (then at least one honest
validator is among them, as long as the trusting period holds), and like every header more than two thirds of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ..outcome import Malformed
from . import moments
from .block import BLOCK_PROTOCOL, CHAIN_LIMIT, Commit, Flag, Header, LightBlock, Validator, Validators, Vote
from .outcome import Expired, Invalid, NotEnoughTrust
from .zip215 import is_signed


@dataclass(frozen=True, slots=True)
class Rules:
    """How far trust reaches; times in nanoseconds."""

    trusting_period: int
    """How long a header may be built on: shorter than validators can be held to account for what they signed."""
    clock_drift: int = 10 * moments.SECOND
    """How far ahead of our clock a header may be dated."""
    trust_level: tuple[int, int] = (1, 3)
    """Share of the trusted validators' power that must be exceeded in a longer step, 1/3 to 1."""

    def __post_init__(self) -> None:
        part, whole = self.trust_level
        if not 0 < whole <= 3 * part or part > whole or self.trusting_period <= 0 or self.clock_drift < 0:
            raise Malformed("the rules of trust: a level from 1/3 to 1, a period above 0, a drift from 0")


@dataclass(frozen=True, slots=True)
class Trusted:
    """A header that is believed, and who votes after it."""

    header: Header
    next_validators: Validators


def _check_votes(chain: str, commit: Commit, counted: Iterable[tuple[Validator, Vote]], over: int) -> int | None:
    """Verify signatures until more power than `over` signed; the power there is, where that is not enough.

    Counts before it verifies: a set that cannot suffice costs no arithmetic on curves.
    """
    power, needed = 0, []
    for validator, vote in counted:
        needed.append((validator, vote))
        power += validator.power
        if power > over:
            break
    if power <= over:
        return power
    for validator, vote in needed:
        if not is_signed(validator.key, commit.signed(chain, vote), vote.signature):
            raise Invalid(f"the vote of {vote.validator.hex()} at height {commit.height} is not signed by its key")
    return None


def _by_place(commit: Commit, validators: Validators) -> Iterable[tuple[Validator, Vote]]:
    for validator, vote in zip(validators, commit.votes, strict=True):
        if vote.flag is Flag.COMMIT:
            if vote.validator != validator.address:
                raise Invalid(f"the commit has {vote.validator.hex()} in the place of {validator.address.hex()}")
            yield validator, vote


def _by_address(commit: Commit, validators: Validators) -> Iterable[tuple[Validator, Vote]]:
    seen = set()
    for vote in commit.votes:
        validator = validators.by_address.get(vote.validator)
        if vote.flag is Flag.COMMIT and validator is not None:
            if vote.validator in seen:
                raise Invalid(f"the commit counts {vote.validator.hex()} twice")
            seen.add(vote.validator)
            yield validator, vote


def check_commit(block: LightBlock) -> None:
    """Raise `Invalid` unless validators of more than two thirds of the block's power signed it."""
    header, commit = block.header, block.commit
    if len(commit.votes) != len(block.validators):
        raise Invalid(f"the commit has {len(commit.votes)} places for {len(block.validators)} validators")
    over = block.validators.power * 2 // 3
    power = _check_votes(header.chain, commit, _by_place(commit, block.validators), over)
    if power is not None:
        raise Invalid(f"height {header.height} is signed by {power} of {block.validators.power}: not more than 2/3")


def _check_overlap(trusted: Trusted, block: LightBlock, level: tuple[int, int]) -> None:
    known, part = trusted.next_validators, level[0]
    over = known.power * part // level[1]
    power = _check_votes(trusted.header.chain, block.commit, _by_address(block.commit, known), over)
    if power is not None:
        raise NotEnoughTrust(
            f"of the validators after height {trusted.header.height}, {power} of {known.power} signed height "
            f"{block.header.height}; more than {over} must have"
        )


def check_block(block: LightBlock, chain: str) -> None:
    """Raise `Invalid` where the parts of a block do not belong together; signatures are not looked at."""
    header, commit = block.header, block.commit
    if header.version != BLOCK_PROTOCOL or header.height < 1 or len(header.chain) > CHAIN_LIMIT:
        raise Invalid(f"height {header.height} of block version {header.version} is no header of this engine")
    if header.chain != chain:
        raise Invalid(f"the header is of the chain {header.chain!r}, not {chain!r}")
    if commit.height != header.height or commit.block.hash != header.hash:
        raise Invalid(f"the commit of height {commit.height} is of another header than that of {header.height}")
    if header.validators_hash != block.validators.hash:
        raise Invalid(f"the validators shown for height {header.height} are not those of its header")


def check_next(block: LightBlock) -> Trusted:
    """What is believed with a verified block; raises `Invalid` where its next validators are not the header's."""
    if block.header.next_validators_hash != block.next_validators.hash:
        raise Invalid(f"the validators shown for after height {block.header.height} are not those of its header")
    return Trusted(block.header, block.next_validators)


def check_whole(block: LightBlock, chain: str, hash_: bytes) -> None:
    """Raise `Invalid` unless it is the header of this hash, with its own votes and validators and those after it."""
    check_block(block, chain)
    if block.header.hash != hash_:
        shown = block.header.hash.hex()
        raise Invalid(f"height {block.header.height} has the hash {shown}, not the trusted {hash_.hex()}")
    check_commit(block)
    check_next(block)


def _check_period(trusted: Header, rules: Rules, now: int) -> None:
    if trusted.time + rules.trusting_period <= now:
        raise Expired(f"the trusted header of {moments.show(trusted.time)} is older than the trusting period")


def check_same(trusted: Trusted, block: LightBlock, rules: Rules, now: int) -> None:
    """The trusted header shown again: raise `Invalid` where something beside it is not its own, or `Expired`."""
    _check_period(trusted.header, rules, now)
    check_whole(block, trusted.header.chain, trusted.header.hash)


def check_step(trusted: Trusted, block: LightBlock, rules: Rules, now: int) -> Trusted:
    """Verify one step; returns what is believed after it.

    Raises:
        Expired: the trusted header is too old to build on.
        Invalid: the block is not one that this chain's validators could have made after the trusted header.
        NotEnoughTrust: the step is too long for how much the validators changed.
    """
    known, new = trusted.header, block.header
    _check_period(known, rules, now)
    check_block(block, known.chain)
    if new.height <= known.height:
        raise Invalid(f"height {new.height} does not come after the trusted {known.height}")
    if new.time <= known.time:
        raise Invalid(f"height {new.height} is dated {moments.show(new.time)}, not after the trusted header")
    if new.time >= now + rules.clock_drift:
        raise Invalid(f"height {new.height} is dated {moments.show(new.time)}, later than this machine's clock")
    if new.height == known.height + 1:
        if new.validators_hash != known.next_validators_hash:
            raise Invalid(f"the validators of height {new.height} are not those that height {known.height} announced")
    else:
        _check_overlap(trusted, block, rules.trust_level)
    check_commit(block)
    return check_next(block)
