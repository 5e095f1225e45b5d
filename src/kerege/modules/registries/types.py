"""Words of registries: record, certificate, amendment are three things."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Blind, Code, Commitment, Count, Flag, Hash, Identifier, Time


class RecordStatus(StrEnum):
    """Where a record stands."""

    LIVE = "live"
    CLOSED = "closed"
    MERGED = "merged"


class CertificateKind(StrEnum):
    """What paper a certificate is."""

    PRIMARY = "primary"
    REPEAT = "repeat"
    EXTRACT = "extract"
    PIN = "pin"


class CertificateStatus(StrEnum):
    """Whether a certificate still speaks for the register."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    ANNULLED = "annulled"


class BlankStatus(StrEnum):
    """Where a strictly accounted blank stands."""

    RECEIVED = "received"
    ISSUED = "issued"
    SPOILED = "spoiled"
    LOST = "lost"
    RETURNED = "returned"


class KeyStatus(StrEnum):
    """Whether a uniqueness key is in use."""

    HELD = "held"
    RELEASED = "released"


class ImportStatus(StrEnum):
    """Whether an import still takes records."""

    OPEN = "open"
    CLOSED = "closed"


class Record(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An act of a register: its values stand outside, committed to by the content root."""

    registry: Code
    """Register, e.g. birth."""
    version: Count
    """Version of the act, from 1; an amendment opens the next under a new id."""
    status: RecordStatus
    """Live, closed by an amendment, or merged into another."""
    content: Hash
    """Root over the commitments of the act's fields."""
    act: Commitment
    """Commitment to office, year and number of the act."""
    office: Code
    """Office that wrote it."""
    since: Time
    """When the row last changed."""
    blind: Blind
    """Makes the leaf unguessable."""
    provenance: Identifier | None = None
    """Import that brought it from an old registry; none: registered live."""


class Certificate(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A paper of one record version. The first members are read by position by the offline verifier."""

    record: Identifier
    """The record."""
    version: Count
    """Its version."""
    kind: CertificateKind
    """Primary, repeat, extract or PIN certificate."""
    status: CertificateStatus
    """Whether it still speaks for the register."""
    since: Time
    """When the status was set."""
    blind: Blind
    """Makes the leaf unguessable."""
    office: Code
    """Office that issued it."""
    blank: Hash
    """Accounting key of the blank it is printed on."""
    reason: Code | None = None
    """Why a repeat or extract was issued; none for a primary one."""


class Blank(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A strictly accounted blank, under a keyed hash of its series and number."""

    office: Code
    """Office that holds or held it."""
    status: BlankStatus
    """Where it stands."""
    since: Time
    """When the status was set."""
    blind: Blind
    """Makes the leaf unguessable."""


class UniqueKey(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """That a live record holds a uniqueness key; it does not say which."""

    registry: Code
    """Register the key is unique in."""
    status: KeyStatus
    """Held or released."""
    epoch: Count
    """Epoch of the authority's key that the uniqueness key was computed with."""
    since: Time
    """When the status was set."""
    blind: Blind
    """Makes the leaf unguessable."""


class Legalisation(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """An apostille or another legalisation of a certificate, for use abroad."""

    kind: Code
    """apostille, consular, …"""
    number: Commitment
    """Commitment to number and date of the legalisation."""
    office: Code
    """Office that recorded it."""
    at: Time
    """Block time."""
    blind: Blind
    """Makes the leaf unguessable."""


class Merge(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """That a record is a duplicate of another; reversible."""

    survivor: Identifier
    """The record that goes on."""
    ground: Commitment
    """Commitment to the ground document."""
    since: Time
    """When it was merged or split."""
    split: Flag
    """Whether the merge was reversed."""
    blind: Blind
    """Makes the leaf unguessable."""


class KeyEpoch(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """How many keys a register holds, and how far a re-keying has come."""

    epoch: Count
    """Epoch of the authority's key in use for new records."""
    held: Count
    """Keys held in all."""
    renewed: Count
    """Of these, computed with the key of `epoch`."""


UniqueHash = Annotated[bytes, Meta(min_length=32, max_length=32, extra={"form": "hash"})]
"""Keyed hash (PRF) over a register and a PIN or act number; personal data while the authority's key lives."""


class RecordDraft(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A record to be opened, as another message brings it (the outcome of a case)."""

    record: Identifier
    """Random id."""
    registry: Code
    """Register."""
    content: Hash
    """Root over the commitments of the act's fields."""
    act: Commitment
    """Commitment to office, year and number of the act, reserved before submission."""
    keys: Annotated[list[UniqueHash], Meta(max_length=4)]
    """Uniqueness keys: over the act number, and over the PIN where there is one."""
    blind: Blind
    """Makes the leaves unguessable."""
    epoch: Count | None = None
    """Epoch of the authority's key that `keys` were computed with; none: the first, before any re-keying."""
    before: Annotated[list[UniqueHash], Meta(max_length=4)] = []
    """While a re-keying is under way, the same keys under the authority's key before it; else none."""


class ImportedDraft(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A record of an old registry, as an import brings it: one accepted row of the file."""

    record: Identifier
    """Id, random to everybody without the controller's key."""
    content: Hash
    """Root over the commitments of the act's fields."""
    act: Commitment
    """Commitment to office, year and number of the act."""
    keys: Annotated[list[UniqueHash], Meta(min_length=1, max_length=2)]
    """Uniqueness keys: over the act number, and over the PIN where there is one."""
    office: Code
    """Office that wrote the act, as the old registry names it; it need not stand any more."""


class Import(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One file of an old registry, and what became of its rows."""

    registry: Code
    """Register that its rows are written into."""
    office: Code
    """Office that imports."""
    source: Hash
    """Keyed hash (HMAC) of the whole file."""
    status: ImportStatus
    """Open, or closed: takes no records any more."""
    accepted: Count
    """Records opened under it so far."""
    duplicate: Count
    """Rows that repeat an accepted one; told when it closes."""
    review: Count
    """Rows that became a case for an official; told when it closes."""
    rejected: Count
    """Rows that cannot be an act; told when it closes."""
    root: Hash | None
    """RFC 6962 root over id and content root of the accepted rows, in order of the file; none while it is open."""
    since: Time
    """When the row last changed."""
    blind: Blind
    """Makes the leaf unguessable."""


class CertificateDraft(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A certificate to be issued."""

    certificate: Identifier
    """Random id."""
    kind: CertificateKind
    """Primary, repeat, extract or PIN certificate."""
    blank: Hash
    """Accounting key of a blank that the issuing office has received."""
    reason: Code | None
    """Why a repeat or extract is issued; none for a primary one."""
    service: Code
    """Service under which it is issued."""
    blind: Blind
    """Makes the leaves unguessable."""


class Acting(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """In which office, by which role and appointment somebody acts."""

    office: Code
    """Office."""
    role: Code
    """Role held there."""
    appointment: Identifier
    """Appointment in force at block time."""
