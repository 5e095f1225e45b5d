"""Signed checkpoints of the log: C2SP signed notes by the operator's checkpoint key, never a consensus key."""

from dataclasses import dataclass

from nacl.signing import SigningKey

from kerege import proofs
from kerege.kernel.block import Head


@dataclass(frozen=True, slots=True)
class CheckpointKey:
    """A key that signs checkpoints under a name; the name's first part is the ledger's origin."""

    name: str
    seed: bytes

    @property
    def public(self) -> bytes:
        """The 32-byte Ed25519 public key."""
        return bytes(SigningKey(self.seed).verify_key)

    def __repr__(self) -> str:
        return f"CheckpointKey({self.name!r})"


def origin_of(ledger: str) -> str:
    """Origin line of a ledger's checkpoints."""
    return f"kerege/{ledger}"


def sign_checkpoint(origin: str, head: Head, keys: list[CheckpointKey]) -> str:
    """The signed note over the log as of a block."""
    body = proofs.note.checkpoint_body(origin, head.log_size, head.log_root)
    signed = [(key.name, key.public, SigningKey(key.seed).sign(body).signature) for key in keys]
    return proofs.note.assemble(body, signed)
