"""The door to cryptography: kinds of key, addresses, who signed. Nothing else in the kernel reaches a library.

Three kinds of key sign the same transaction id, each with its own payload (blueprint §4 "Who signed"):
Ed25519 by ZIP 215, WebAuthn on P-256, secp256k1 with EIP-712. A verdict is a function of (kind, key,
transaction, signature) alone; whether the key may act for the sender, and from which web pages passkeys may
sign, is state and is asked when the transaction is executed.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256 as _sha256
from typing import NamedTuple, Protocol

from kerege.kernel.authenticators import ed25519, secp256k1, typed, webauthn
from kerege.kernel.authenticators.typed import BodyLike
from kerege.kernel.errors import BadForm

try:
    import kerege_native as _native
except ImportError:  # the plain form gives the same verdicts, slower
    _native = None  # type: ignore[assignment]

ED25519, WEBAUTHN, SECP256K1 = 1, 2, 3
"""Kinds of key."""

ADDRESS_TAG = b"kerege/address/1"
"""Domain of the hash that makes an address of an Ed25519 or P-256 key."""

PAYLOAD_DOMAIN = b"kerege/transaction/1"
"""What stands before the transaction id in the bytes that an Ed25519 key signs."""

ADDRESS_LENGTH = 20

typed_data = typed.typed_data


class Signed(Protocol):
    """What was signed: `kernel.transaction.Transaction` is one."""

    @property
    def id(self) -> bytes:
        """SHA-256 of the canonical body."""

    @property
    def body(self) -> BodyLike:
        """The decoded body."""


class SignatureSettings(NamedTuple):
    """Where passkeys may sign, from state: texts like `https://portal.gov.kg` and `gov.kg`."""

    origins: tuple[str, ...] = ()
    rp_ids: tuple[str, ...] = ()


NO_ORIGINS = SignatureSettings()
"""Nowhere: no passkey may sign."""

Item = tuple[int, bytes, Signed, bytes]
"""(kind, key, transaction, signature)."""


def sha256_plain(data: bytes) -> bytes:
    """The 32-byte digest."""
    return _sha256(data).digest()


def sha256_many_plain(items: Sequence[bytes]) -> bytes:
    """The digests of several, concatenated."""
    return b"".join([_sha256(item).digest() for item in items])


sha256: Callable[[bytes], bytes] = getattr(_native, "sha256", sha256_plain)
"""The 32-byte digest."""
sha256_many: Callable[[Sequence[bytes]], bytes] = getattr(_native, "sha256_many", sha256_many_plain)
"""The digests of several, concatenated."""


def address_of(kind: int, key: bytes) -> bytes:
    """Address of a key's own account; raises `ValueError` where it is no key of its kind.

    secp256k1: the Ethereum address. Ed25519 and P-256: the first 20 bytes of the tagged hash (as in BIP-340)
    SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ kind ‖ key) with the tag `kerege/address/1` and the kind as one byte,
    so that no key of one kind has the address of a key of another.
    """
    fault = key_fault(kind, key)
    if fault:
        raise ValueError(f"not a key: {fault}")
    if kind == SECP256K1:
        return secp256k1.address(key)
    return sha256(_ADDRESS_PREFIX + bytes([kind]) + key)[:ADDRESS_LENGTH]


_ADDRESS_PREFIX = sha256(ADDRESS_TAG) * 2

_FAULTS = {ED25519: ed25519.key_fault, WEBAUTHN: webauthn.key_fault, SECP256K1: secp256k1.key_fault}
if _native is not None:
    _FAULTS[ED25519] = _native.ed25519_key_fault


def key_fault(kind: int, key: bytes) -> str:
    """Why a key may not be registered; empty where it may: kind, length, encoding, not on the curve, small order."""
    check = _FAULTS.get(kind)
    return "kind" if check is None else check(key)


def check_key(kind: int, key: bytes) -> None:
    """Before a key is registered; raises `BadForm` with the reason.

    Refused is also what would still verify: small-order Ed25519 points, under which anybody can make
    signatures, and non-canonical encodings, which would give one key two names.
    """
    fault = key_fault(kind, key)
    if fault:
        raise BadForm(field="key", reason=fault)


def payload(transaction: bytes) -> bytes:
    """What an Ed25519 key signs for a transaction id."""
    return PAYLOAD_DOMAIN + transaction


def well_signed(kind: int, key: bytes, transaction: Signed, signature: bytes) -> bool:
    """Whether the key signed the transaction; total over any bytes, never a matter of state."""
    if kind == ED25519:
        return ed25519.verify(key, payload(transaction.id), signature)
    if kind == WEBAUTHN:
        return webauthn.verify(key, transaction.id, signature)
    if kind == SECP256K1:
        return typed.verify(key, transaction.body, transaction.id, signature)
    return False


def allowed_here(kind: int, transaction: Signed, signature: bytes, settings: SignatureSettings) -> bool:
    """Whether a passkey's assertion was made at a place of the ledger's lists; true of other kinds."""
    if kind != WEBAUTHN:
        return True
    return webauthn.is_allowed(transaction.id, signature, settings.origins, settings.rp_ids)


def verify(
    kind: int, key: bytes, transaction: Signed, signature: bytes, settings: SignatureSettings = NO_ORIGINS
) -> bool:
    """Whether the witness is good: signed by the key, and at an allowed place. Total over any bytes."""
    return allowed_here(kind, transaction, signature, settings) and well_signed(kind, key, transaction, signature)


def ed25519_verify(key: bytes, payload: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 key signed a payload of its own (proof of possession), by ZIP 215; never raises."""
    return ed25519.verify(key, payload, signature)


def native_present() -> bool:
    """Whether Ed25519 is checked by `native/` on threads of its own."""
    return _native is not None


class Ticket:
    """Checks under way; given by `Verifier.submit`, taken by `Verifier.collect`."""

    __slots__ = ("batch", "batched", "items", "marks", "verdicts")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items: Sequence[Item] | None = items
        """None once collected."""
        self.marks: list[bytes] = []
        self.verdicts: list[bool | None] = []
        """Remembered verdicts, None where there is none."""
        self.batched: list[int] = []
        """Positions of what is being checked elsewhere."""
        self.batch = 0


class Batches(Protocol):
    """Checks Ed25519 signatures elsewhere: `kerege_native.BatchVerifier` is one."""

    def submit(self, items: Sequence[tuple[bytes, bytes, bytes]]) -> int:
        """Begin with (key, payload, signature); returns a ticket at once."""

    def done(self, ticket: int) -> bool:
        """Whether `collect` would not wait."""

    def collect(self, ticket: int) -> bytes:
        """Wait for the verdicts of a ticket, once: one byte each, 1 good, 0 bad."""

    def close(self) -> None:
        """Finish what was begun, take nothing more."""


WORTH_HANDING_OVER = 64
"""Signatures from which on `batches` are asked where no native threads are: fewer are checked sooner in line."""


class Verifier:
    """Checks witnesses ahead of execution; remembers the verdicts where the same ones are asked for again.

    Ed25519 goes to native threads in batches where `kerege_native` is present, else to `batches` (what is waited
    for only in good numbers); the rest is checked in line when collected: a Python thread per check beside busy Python
    starves.
    `kind`: "" the best present, "native" (raises `ImportError` where absent), "plain". `threads`: native
    ones. `remembered`: verdicts kept, the oldest half dropped at a time; 0 none, for whoever checks each witness once.

    May be used from several threads, a ticket from one at a time.
    """

    def __init__(
        self, *, kind: str = "", threads: int = 2, remembered: int = 0, batches: Batches | None = None
    ) -> None:
        if kind not in {"", "native", "plain"}:
            raise ValueError(f"no kind of verifier: {kind!r}")
        if kind == "native" and _native is None:
            raise ImportError("kerege_native is not installed: `make native` builds it where Rust is present")
        self.native = kind != "plain" and _native is not None
        self._batches: Batches | None = _native.BatchVerifier(threads) if self.native else batches
        self._least = 1 if self.native else WORTH_HANDING_OVER
        self._generation = remembered // 2
        self.asked = 0
        """Verdicts asked for so far; like `recalled` for whoever watches, not exact where several threads ask."""
        self.recalled = 0
        """Those of them that were remembered, so that nothing was computed."""
        self._young: dict[bytes, bool] = {}
        self._old: dict[bytes, bool] = {}

    def submit(self, items: Sequence[Item]) -> Ticket:
        """Start checking; returns at once."""
        return self._begin(items, self._least)

    def begin(self, items: Sequence[Item]) -> Ticket:
        """The same for verdicts that nobody waits for yet: elsewhere, however few they are."""
        return self._begin(items, 1)

    def _begin(self, items: Sequence[Item], least: int) -> Ticket:
        ticket = Ticket(items)
        if self._generation:
            ticket.marks = [_mark(kind, key, transaction.id, signature) for kind, key, transaction, signature in items]
            ticket.verdicts = [self._recall(mark) for mark in ticket.marks]
        else:
            ticket.verdicts = [None] * len(items)
        self.asked += len(items)
        self.recalled += len(items) - ticket.verdicts.count(None)
        if self._batches is not None:
            ticket.batched = [
                position
                for position, verdict in enumerate(ticket.verdicts)
                if verdict is None and items[position][0] == ED25519
            ]
            if len(ticket.batched) < least:
                ticket.batched = []
            if ticket.batched:
                chosen = [items[position] for position in ticket.batched]
                ticket.batch = self._batches.submit([(key, PAYLOAD_DOMAIN + t.id, sign) for _, key, t, sign in chosen])
        return ticket

    def collect(self, ticket: Ticket, settings: SignatureSettings = NO_ORIGINS) -> list[bool]:
        """Verdicts in the order of the items; waits for those elsewhere. Raises `LookupError` the second time.

        `settings` are state: whoever executes a block gives those in force now, as a submission may be
        older than the previous block's changes.
        """
        items, ticket.items = ticket.items, None
        if items is None:
            raise LookupError("the ticket has been collected")
        found = self._inline(ticket, items)
        if self._batches is not None and ticket.batched:
            for position, good in zip(ticket.batched, self._batches.collect(ticket.batch), strict=True):
                found[position] = good == 1
        if self._generation:
            self._remember(ticket.marks, found)
        if len(ticket.batched) == len(items):  # Ed25519 all of them, which signs anywhere
            return found
        for position, (kind, _key, transaction, signature) in enumerate(items):
            if kind == WEBAUTHN and found[position]:
                found[position] = allowed_here(kind, transaction, signature, settings)
        return found

    def recall(self, number: int) -> None:
        """So many verdicts were known to who would have asked."""
        self.asked += number
        self.recalled += number

    def is_done(self, ticket: Ticket) -> bool:
        """Whether `collect` would wait for nobody elsewhere."""
        return self._batches is None or not ticket.batched or self._batches.done(ticket.batch)

    def close(self) -> None:
        """End what checks elsewhere."""
        if self._batches is not None:
            self._batches.close()

    def _inline(self, ticket: Ticket, items: Sequence[Item]) -> list[bool]:
        """Verdicts remembered or found in this thread; false, for now, of what is checked elsewhere."""
        if len(ticket.batched) == len(items):
            return [False] * len(items)
        elsewhere = set(ticket.batched)
        return [
            well_signed(*items[position]) if verdict is None and position not in elsewhere else bool(verdict)
            for position, verdict in enumerate(ticket.verdicts)
        ]

    def _recall(self, mark: bytes) -> bool | None:
        verdict = self._young.get(mark)
        return self._old.get(mark) if verdict is None else verdict

    def _remember(self, marks: list[bytes], verdicts: list[bool]) -> None:
        """Keep what was found of signatures alone: a passkey's place is asked anew each time."""
        for mark, verdict in zip(marks, verdicts, strict=True):
            if len(self._young) >= self._generation:
                self._old, self._young = self._young, {}
            self._young[mark] = verdict


def _mark(kind: int, key: bytes, transaction: bytes, signature: bytes) -> bytes:
    """What a verdict is remembered under: a hash over all it depends on."""
    return sha256(b"%d:%d:%b%b%b" % (kind, len(key), key, transaction, signature))
