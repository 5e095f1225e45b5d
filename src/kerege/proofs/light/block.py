"""What the engine says about one block without its transactions: header, commit, validators; and how each is hashed.

Facts of CometBFT v0.38: `types/block.go`, `types/validator.go`, `types/canonical.go`, `spec/core/data_structures.md`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import sha256

from .. import merkle
from ..outcome import Malformed
from . import wire

ADDRESS_SIZE = 20
BLOCK_PROTOCOL = 11
"""The one version of blocks in the 0.38 line."""
CHAIN_LIMIT = 50
"""Characters of a chain id."""
POWER_LIMIT = (2**63 - 1) // 8
"""Largest power of all validators together; the engine itself stops beyond it."""
_PRECOMMIT = 2


class Flag(IntEnum):
    """What a validator's place in a commit holds."""

    ABSENT = 1
    """No vote arrived."""
    COMMIT = 2
    """A vote for the block."""
    NIL = 3
    """A vote for no block: it counts for nothing."""


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block by its header's hash and by the parts it was spread in; all empty before the first block."""

    hash: bytes = b""
    parts: int = 0
    parts_hash: bytes = b""

    @property
    def is_zero(self) -> bool:
        """Whether it names no block."""
        return not self.hash and not self.parts and not self.parts_hash

    def encode(self) -> bytes:
        """Its Protocol Buffers form; the canonical form in votes has the same bytes."""
        parts = wire.number(1, self.parts) + wire.data(2, self.parts_hash)
        return wire.data(1, self.hash) + wire.data(2, parts, always=True)


@dataclass(frozen=True)
class Header:
    """A block's header. `app_hash` is the state after the block before."""

    version: int
    app_version: int
    chain: str
    height: int
    time: int
    """Nanoseconds since 1970."""
    last_block: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer: bytes

    @property
    def fields(self) -> list[bytes]:
        """What is hashed, in its order: each field as the engine wraps it."""
        wrapped = (
            self.last_commit_hash,
            self.data_hash,
            self.validators_hash,
            self.next_validators_hash,
            self.consensus_hash,
            self.app_hash,
            self.last_results_hash,
            self.evidence_hash,
            self.proposer,
        )
        return [
            wire.number(1, self.version) + wire.number(2, self.app_version),
            wire.data(1, self.chain.encode()),
            wire.number(1, self.height),
            wire.timestamp(self.time),
            self.last_block.encode(),
            *(wire.data(1, value) for value in wrapped),
        ]

    @cached_property
    def hash(self) -> bytes:
        """Root of a Merkle tree over its fields."""
        return merkle.root_of(self.fields)


@dataclass(frozen=True, slots=True)
class Vote:
    """One validator's place in a commit."""

    flag: Flag
    validator: bytes
    """Address; empty where absent."""
    time: int
    signature: bytes


def sign_bytes(chain: str, height: int, round_: int, block: BlockId, time: int, *, kind: int = _PRECOMMIT) -> bytes:
    """What a validator signs: the canonical vote behind its length. Two validators' differ in the time only."""
    return wire.prefixed(
        wire.number(1, kind)
        + wire.fixed(2, height)
        + wire.fixed(3, round_)
        + (b"" if block.is_zero else wire.data(4, block.encode()))
        + wire.data(5, wire.timestamp(time), always=True)
        + wire.data(6, chain.encode())
    )


@dataclass(frozen=True, slots=True)
class Commit:
    """The votes by which a block became final; a place per validator, in the order of the set."""

    height: int
    round: int
    block: BlockId
    votes: tuple[Vote, ...]

    def signed(self, chain: str, vote: Vote) -> bytes:
        """What the validator signed who voted for the block."""
        return sign_bytes(chain, self.height, self.round, self.block, vote.time)


@dataclass(frozen=True, slots=True)
class Validator:
    """One who votes, with an Ed25519 key."""

    key: bytes
    power: int

    @property
    def address(self) -> bytes:
        """By which commits name it."""
        return sha256(self.key).digest()[:ADDRESS_SIZE]

    def encode(self) -> bytes:
        """The form that is hashed: key and power, no address and no turn to propose."""
        return wire.data(1, wire.data(1, self.key), always=True) + wire.number(2, self.power)


@dataclass(frozen=True)
class Validators:
    """A validator set in the engine's order, which its hash binds.

    Raises:
        Malformed: nobody votes, one is there twice, or the power is more than the engine bears.
    """

    members: tuple[Validator, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise Malformed("the validator set is empty")
        if len(self.by_address) != len(self.members):
            raise Malformed("a validator is in the set twice")
        if any(v.power < 0 for v in self.members) or not 0 < self.power <= POWER_LIMIT:
            raise Malformed("the power of the validators is not between 1 and the engine's limit")

    @classmethod
    def of(cls, members: Iterable[Validator]) -> "Validators":
        """A set in the engine's order: most power first, then by address."""
        return cls(tuple(sorted(members, key=lambda v: (-v.power, v.address))))

    def __iter__(self) -> Iterator[Validator]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def by_address(self) -> dict[bytes, Validator]:
        """The members by the name that commits use."""
        return {v.address: v for v in self.members}

    @cached_property
    def power(self) -> int:
        """Of all together."""
        return sum(v.power for v in self.members)

    @cached_property
    def hash(self) -> bytes:
        """As headers carry it."""
        return merkle.root_of([v.encode() for v in self.members])


@dataclass(frozen=True, slots=True)
class LightBlock:
    """All that a light client needs of one height."""

    header: Header
    commit: Commit
    validators: Validators
    """Who voted on this block."""
    next_validators: Validators
    """Who votes on the next one."""
