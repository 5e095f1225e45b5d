"""What registries announces."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Blind, Code, Count, Hash, Identifier, Time
from kerege.modules.registries.types import (
    Blank,
    Certificate,
    CertificateKind,
    Import,
    ImportedDraft,
    KeyEpoch,
    KeyStatus,
    Legalisation,
    Merge,
    Record,
    UniqueKey,
)

_RECORD = Meta(description="The record's random id.")
_ROW = Meta(description="The row from now on.")


class RecordWritten(Event, frozen=True, tag="registries.RecordWritten"):
    """A record was opened, closed, merged or split."""

    record: Annotated[Identifier, _RECORD]
    row: Annotated[Record, _ROW]


class KeyWritten(Event, frozen=True, tag="registries.KeyWritten"):
    """A uniqueness key is held or released."""

    key: Annotated[Hash, Meta(description="Keyed hash over register and PIN or act number.")]
    row: Annotated[UniqueKey, _ROW]


class KeysRenewed(Event, frozen=True, tag="registries.KeysRenewed"):
    """Held keys were replaced by as many under the new epoch's key."""

    registry: Annotated[Code, Meta(description="Register.")]
    pairs: Annotated[list[tuple[Hash, Hash]], Meta(description="Old key, new key.")]
    epoch: Annotated[Count, Meta(description="Epoch of the new keys.")]
    status: Annotated[KeyStatus, Meta(description="held.")]
    since: Annotated[Time, Meta(description="Block time.")]
    blind: Annotated[Blind, Meta(description="Random bytes of the new leaves.")]


class EpochWritten(Event, frozen=True, tag="registries.EpochWritten"):
    """A register's key epoch, or its counts of keys, changed."""

    registry: Annotated[Code, Meta(description="Register.")]
    row: Annotated[KeyEpoch, _ROW]


class CertificateIssued(Event, frozen=True, tag="registries.CertificateIssued"):
    """A paper of a record version was issued. Read by position by the offline verifier.

    The one event of an issue: the rows of certificate and blank follow from it, so that a bundle stays small.
    """

    certificate: Annotated[Identifier, Meta(description="The certificate's random id.")]
    record: Annotated[Identifier, _RECORD]
    version: Annotated[Count, Meta(description="Version of the record.")]
    kind: Annotated[CertificateKind, Meta(description="Primary, repeat, extract or PIN certificate.")]
    content: Annotated[Hash, Meta(description="Root over the commitments of the act's fields.")]
    blank: Annotated[Hash, Meta(description="Accounting key of the blank.")]
    service: Annotated[Code, Meta(description="Service under which it was issued.")]
    office: Annotated[Code, Meta(description="Office that issued it.")]
    role: Annotated[Code, Meta(description="Role of the official.")]
    appointment: Annotated[Identifier, Meta(description="The official's appointment in force.")]
    since: Annotated[Time, Meta(description="Block time.")]
    blind: Annotated[Blind, Meta(description="Random bytes of the certificate's and the blank's leaves.")]
    reason: Annotated[Code | None, Meta(description="Why a repeat or extract was issued; none for a primary one.")] = (
        None
    )


class CertificateWritten(Event, frozen=True, tag="registries.CertificateWritten"):
    """A certificate changed its status."""

    certificate: Annotated[Identifier, Meta(description="The certificate's random id.")]
    row: Annotated[Certificate, _ROW]


class CertificateRevoked(Event, frozen=True, tag="registries.CertificateRevoked"):
    """A paper was revoked; its record is untouched."""

    certificate: Annotated[Identifier, Meta(description="The certificate's random id.")]
    reason: Annotated[Code, Meta(description="lost, damaged, error, …")]


class BlanksReceived(Event, frozen=True, tag="registries.BlanksReceived"):
    """Blanks were given to an office."""

    blanks: Annotated[list[Hash], Meta(description="Keyed hashes of series and number.")]
    row: Annotated[Blank, Meta(description="The row that each of them has from now on.")]


class BlankWritten(Event, frozen=True, tag="registries.BlankWritten"):
    """A blank was issued, spoiled, lost or returned."""

    blank: Annotated[Hash, Meta(description="Keyed hash of series and number.")]
    row: Annotated[Blank, _ROW]


class TicketsCounted(Event, frozen=True, tag="registries.TicketsCounted"):
    """An office closed a record by an amendment, or opened a next version."""

    office: Annotated[Code, Meta(description="Office.")]
    open: Annotated[Count, Meta(description="Closed records whose next version is not opened yet.")]


class CertificateLegalised(Event, frozen=True, tag="registries.CertificateLegalised"):
    """An apostille or another legalisation was recorded."""

    certificate: Annotated[Identifier, Meta(description="The certificate's random id.")]
    number: Annotated[Count, Meta(description="Number of the legalisation, from 1.")]
    row: Annotated[Legalisation, _ROW]


class RecordsMerged(Event, frozen=True, tag="registries.RecordsMerged"):
    """A duplicate was merged into another record, or split off again."""

    duplicate: Annotated[Identifier, _RECORD]
    row: Annotated[Merge, _ROW]


class ImportWritten(Event, frozen=True, tag="registries.ImportWritten"):
    """An import began, brought records or was closed."""

    number: Annotated[Identifier, Meta(description="The import's random id.")]
    row: Annotated[Import, _ROW]


class RecordsImported(Event, frozen=True, tag="registries.RecordsImported"):
    """Records of an old registry were opened: one event for all of a message, from which their rows follow."""

    number: Annotated[Identifier, Meta(description="The import's random id.")]
    registry: Annotated[Code, Meta(description="Register.")]
    drafts: Annotated[list[ImportedDraft], Meta(description="The records with their keys.")]
    epoch: Annotated[Count, Meta(description="Epoch of the keys.")]
    since: Annotated[Time, Meta(description="Block time.")]
    blind: Annotated[Blind, Meta(description="Random bytes of the new leaves.")]


EVENTS = (
    RecordWritten,
    KeyWritten,
    KeysRenewed,
    EpochWritten,
    CertificateIssued,
    CertificateWritten,
    CertificateRevoked,
    BlanksReceived,
    BlankWritten,
    TicketsCounted,
    CertificateLegalised,
    RecordsMerged,
    ImportWritten,
    RecordsImported,
)
