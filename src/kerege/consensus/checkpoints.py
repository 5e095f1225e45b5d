"""Signed checkpoints of the log: C2SP signed notes by checkpoint keys, never by a consensus key."""

from collections.abc import Sequence
from typing import Protocol

from nacl.signing import SigningKey

from kerege import proofs
from kerege.kernel.block import Head
from kerege.proofs.commit import EngineCommit


class Unprovable(Exception):
    """What was asked for is not in the ledger, its height is no longer held, or nobody signed it."""


class NoCommit(Unprovable):
    """There is no engine's commit to put into a proof: none votes here, or it does not show a good one."""


class CheckpointKey:
    """A key that signs checkpoints under a name; the name's first part is the ledger's origin.

    `public` is the 32-byte Ed25519 public key. The secret is made ready once: a node signs each block with it.
    """

    __slots__ = ("_secret", "name", "public")

    def __init__(self, name: str, seed: bytes) -> None:
        self._secret = SigningKey(seed)
        self.name = name
        self.public = bytes(self._secret.verify_key)

    def sign(self, body: bytes) -> bytes:
        """The 64-byte signature over a checkpoint's body."""
        return self._secret.sign(body).signature

    def __repr__(self) -> str:
        return f"CheckpointKey({self.name!r})"


class Checkpoints(Protocol):
    """Where the signatures over the log come from."""

    def covering(self, head: Head) -> Head:
        """A block that can be proven now: `head`, or where its signatures do not come the newest that has some.

        Raises `Unprovable` where there is none.
        """

    def sign(self, head: Head) -> str:
        """The signed note over the log as of a block; raises `Unprovable`."""

    def commit(self, block: int, app_hash: bytes) -> EngineCommit:
        """The engine's votes for the header that carries what a block led to; raises `NoCommit`."""


class OwnCheckpoints:
    """Those of one operator: signed here, as soon as a block is durable."""

    def __init__(self, ledger: str, keys: Sequence[CheckpointKey]) -> None:
        self._origin = origin_of(ledger)
        self._keys = list(keys)
        self._signed: tuple[int, str] | None = None

    def covering(self, head: Head) -> Head:
        """See `Checkpoints`."""
        return head

    def sign(self, head: Head) -> str:
        """See `Checkpoints`; once per height."""
        signed = self._signed
        if signed is None or signed[0] != head.height:
            signed = self._signed = (head.height, sign_checkpoint(self._origin, head, self._keys))
        return signed[1]

    def commit(self, block: int, app_hash: bytes) -> EngineCommit:  # noqa: ARG002 - nothing can be said of any block
        """See `Checkpoints`."""
        raise NoCommit("one operator runs this ledger, no engine votes for its blocks")


def origin_of(ledger: str) -> str:
    """Origin line of a ledger's checkpoints."""
    return f"kerege/{ledger}"


def sign_checkpoint(origin: str, head: Head, keys: Sequence[CheckpointKey]) -> str:
    """The signed note over the log as of a block."""
    body = proofs.note.checkpoint_body(origin, head.log_size, head.log_root)
    signed = [(key.name, key.public, key.sign(body)) for key in keys]
    return proofs.note.assemble(body, signed)
