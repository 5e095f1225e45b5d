"""Signing a transaction with an Ed25519 key that is in this process' memory."""

from hashlib import sha256

from nacl.signing import SigningKey

from kerege.kernel import crypto
from kerege.kernel.transaction import Body, Witness, encode_body, seal

SEED_LENGTH = 32


class KeySigner:
    """An official's or person's key with its account; the seed stays inside."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public = bytes(self._key.verify_key)
        """The 32-byte public key."""
        self.address = crypto.address_of(crypto.ED25519, self.public)
        """The key's own account."""

    def transaction(self, body: Body) -> bytes:
        """The signed transaction's bytes."""
        raw = encode_body(body)
        signature = self._key.sign(crypto.payload(sha256(raw).digest())).signature
        return seal(raw, Witness(crypto.ED25519, self.public, signature))
