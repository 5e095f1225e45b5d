"""Who signs in tests, in the demo and on the command line: real keys of the three kinds in this process.

Deterministic: the same secret and body give the same witness. Not for keys that guard anything: a secret is
held in memory as it is.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any, Protocol

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.signing import SigningKey

from kerege.kernel import crypto
from kerege.kernel.authenticators import webauthn
from kerege.kernel.transaction import Body, Witness, encode_body, seal
from kerege.testing.wallet import hash_typed_data

SECRET_LENGTH = 32
MAINNET = 1


class Signer(Protocol):
    """A key with its account."""

    kind: int
    key: bytes
    address: bytes
    """Of the key's own account."""

    def witness(self, body: Body) -> Witness:
        """Kind, key and signature over the body."""

    def transaction(self, body: Body) -> bytes:
        """The signed transaction's bytes."""


class _Signer:
    """What the kinds share."""

    kind = 0

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.address = crypto.address_of(self.kind, key)

    def _sign(self, body: Body, transaction: bytes) -> bytes:
        raise NotImplementedError

    def witness(self, body: Body) -> Witness:
        """Kind, key and signature over the body."""
        return self._witness(body, encode_body(body))

    def transaction(self, body: Body) -> bytes:
        """The signed transaction's bytes."""
        raw = encode_body(body)
        return seal(raw, self._witness(body, raw))

    def _witness(self, body: Body, raw: bytes) -> Witness:
        return Witness(self.kind, self.key, self._sign(body, sha256(raw).digest()))


class Ed25519Signer(_Signer):
    """An Ed25519 key of a 32-byte secret."""

    kind = crypto.ED25519

    def __init__(self, secret: bytes) -> None:
        self._secret = SigningKey(secret)
        super().__init__(bytes(self._secret.verify_key))

    def _sign(self, body: Body, transaction: bytes) -> bytes:  # noqa: ARG002 - the wallet's kind needs the body
        return self._secret.sign(crypto.payload(transaction)).signature


class PasskeySigner(_Signer):
    """A software authenticator with one P-256 credential, and the browser before it.

    `flags` and `extra` (members behind `crossOrigin`, as browsers add them) are for tests of what is refused.
    """

    kind = crypto.WEBAUTHN

    def __init__(
        self,
        secret: bytes,
        *,
        rp_id: str = "portal.gov.kg",
        origin: str = "https://portal.gov.kg",
        flags: int = webauthn.USER_PRESENT | webauthn.USER_VERIFIED,
        extra: str = "",
        counter: int = 0,
    ) -> None:
        self._secret = ec.derive_private_key(_scalar(secret, webauthn.ORDER), ec.SECP256R1())
        self._rp_id, self._origin, self._extra = rp_id, origin, extra
        self._status = bytes([flags]) + counter.to_bytes(4)
        super().__init__(self._secret.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint))

    @property
    def settings(self) -> crypto.SignatureSettings:
        """Settings under which it may sign."""
        return crypto.SignatureSettings((self._origin,), (self._rp_id,))

    def _sign(self, body: Body, transaction: bytes) -> bytes:  # noqa: ARG002 - the wallet's kind needs the body
        challenge = urlsafe_b64encode(transaction).rstrip(b"=").decode()
        members = f'"type":"webauthn.get","challenge":"{challenge}","origin":"{self._origin}","crossOrigin":false'
        client_data = f"{{{members}{self._extra}}}".encode()
        authenticator_data = sha256(self._rp_id.encode()).digest() + self._status
        signed = authenticator_data + sha256(client_data).digest()
        der = self._secret.sign(signed, ec.ECDSA(SHA256(), deterministic_signing=True))
        signature = webauthn.normalise(*decode_dss_signature(der))
        return webauthn.encode(webauthn.Assertion(authenticator_data, client_data, signature))


class WalletSigner(_Signer):
    """An Ethereum wallet: sees nothing but the JSON document and signs what that says."""

    kind = crypto.SECP256K1

    def __init__(self, secret: bytes, *, chain_id: int = MAINNET) -> None:
        self._secret, self._chain_id = PrivateKey(secret), chain_id
        super().__init__(self._secret.public_key.format(compressed=True))

    def _sign(self, body: Body, transaction: bytes) -> bytes:
        document: dict[str, Any] = crypto.typed_data(body, transaction, self._chain_id)
        signature = self._secret.sign_recoverable(hash_typed_data(document), hasher=None)
        return self._chain_id.to_bytes(8) + signature[:64]


def _scalar(secret: bytes, order: int) -> int:
    """A private scalar of any 32 bytes."""
    return int.from_bytes(sha256(secret).digest()) % (order - 1) + 1
