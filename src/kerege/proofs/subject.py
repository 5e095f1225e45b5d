"""What a receipt says, and what it is about: the certificate it issued, if it issued one.

Read by position from the front, so that later versions may add members at the end.
"""

from dataclasses import dataclass

from . import msgpack
from .bundle import Bundle
from .outcome import Issued, Malformed, Status

CERTIFICATE_ISSUED = "registries.CertificateIssued"
MODULE = "registries"
TABLE = "registries.certificate"

_EVENT_TYPES = (str, bytes, bytes, int, str, bytes, bytes, str, str, str, bytes)
_ROW_TYPES = (bytes, int, str, str, int)
_RECEIPT_TYPES = (str, bytes, bytes, int, int, str, list, list)
_BLOCK_RECEIPT_TYPES = (str, int, int, list)
_ID_SIZE = 16
_HASH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Receipt:
    """Outcome of a transaction, or (without transaction) of a block's schedule."""

    transaction: bytes | None
    height: int
    time: int
    code: str
    """Empty where it was applied, else the number of the refusal."""
    events: tuple[list[msgpack.Value], ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as its receipt issued it."""

    issued: Issued
    content: bytes
    """Root over the commitments of the record version's fields."""

    @property
    def key(self) -> bytes:
        """The state key of the certificate's row."""
        return TABLE.encode() + b"\x00" + self.issued.certificate


@dataclass(frozen=True, slots=True)
class Standing:
    """What a certificate's row says."""

    record: bytes
    version: int
    kind: str
    word: str
    since: int

    @property
    def status(self) -> Status:
        """The status word as one this verifier knows."""
        known = (Status.VALID, Status.SUPERSEDED, Status.REVOKED, Status.ANNULLED)
        return next((s for s in known if s == self.word), Status.UNKNOWN)


def _has_shape(items: msgpack.Value, types: tuple[type, ...]) -> bool:
    """Say whether `items` is a list that begins with values of exactly these types, whole numbers from 0."""
    return (
        isinstance(items, list)
        and len(items) >= len(types)
        and all(type(item) is kind for item, kind in zip(items, types, strict=False))
        and all(item >= 0 for item in items[: len(types)] if isinstance(item, int))
    )


def _events(value: list[msgpack.Value]) -> tuple[list[msgpack.Value], ...]:
    events = []
    for event in value:
        if not isinstance(event, list) or not event or not isinstance(event[0], str):
            raise Malformed("an event of the receipt has no tag")
        events.append(event)
    return tuple(events)


def read_receipt(data: bytes) -> Receipt:
    """Read a receipt or a block receipt, or raise `Malformed`."""
    items = msgpack.decode(data)
    match items:
        case ["receipt", bytes(transaction), bytes(witness), int(height), int(time), str(code), list(), list(events)]:
            if not _has_shape(items, _RECEIPT_TYPES) or len(transaction) != _HASH_SIZE or len(witness) != _HASH_SIZE:
                raise Malformed("the receipt is not one")
            return Receipt(transaction, height, time, code, _events(events))
        case ["block-receipt", int(height), int(time), list(events)]:
            if not _has_shape(items, _BLOCK_RECEIPT_TYPES):
                raise Malformed("the receipt is not one")
            return Receipt(None, height, time, "", _events(events))
        case _:
            raise Malformed("the receipt is not one")


def _certificate(event: list[msgpack.Value]) -> Certificate:
    match event:
        case [
            str(),
            bytes(certificate),
            bytes(record),
            int(version),
            str(kind),
            bytes(content),
            bytes(),
            str(service),
            str(office),
            str(role),
            bytes(appointment),
            *_,
        ]:
            sizes = (len(certificate), len(record), len(appointment), len(content))
            if not _has_shape(event, _EVENT_TYPES) or sizes != (_ID_SIZE, _ID_SIZE, _ID_SIZE, _HASH_SIZE):
                raise Malformed("the event that issued the certificate is malformed")
            issued = Issued(certificate, record, version, kind, service, office, role, appointment)
            return Certificate(issued, content)
        case _:
            raise Malformed("the event that issued the certificate is malformed")


def certificates(receipt: Receipt) -> dict[int, Certificate]:
    """Return the certificates that a receipt issued, by their position among its events, or raise `Malformed`."""
    return {i: _certificate(e) for i, e in enumerate(receipt.events) if e[0] == CERTIFICATE_ISSUED}


def choose(bundle: Bundle, issued: dict[int, Certificate]) -> Certificate | None:
    """Return the certificate that the bundle is about: the only one, or the one its `event` names.

    None where the receipt issued none, or several of which none is named.

    Raises:
        Malformed: the bundle names an event needlessly or wrongly, or shows state or fields of no certificate.
    """
    if bundle.event is not None:
        if len(issued) < 2 or bundle.event not in issued:  # noqa: PLR2004  (a choice needs two)
            raise Malformed("the bundle names an event that needs no naming or issued no certificate")
        return issued[bundle.event]
    chosen = next(iter(issued.values())) if len(issued) == 1 else None
    if chosen is None and (bundle.state is not None or bundle.disclosures):
        raise Malformed("the bundle shows state or fields, but not of which certificate")
    return chosen


def read_standing(value: bytes) -> Standing:
    """Read a certificate's row (one schema byte, then MessagePack), or raise `Malformed`."""
    row = msgpack.decode(value[1:])
    match row:
        case [bytes(record), int(version), str(kind), str(word), int(since), bytes(), *_] if _has_shape(
            row, _ROW_TYPES
        ):
            return Standing(record, version, kind, word, since)
        case _:
            raise Malformed("the certificate's row is not one")
