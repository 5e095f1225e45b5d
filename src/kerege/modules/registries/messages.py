"""What can be asked of registries."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, role
from kerege.kernel.types import Blind, Code, Commitment, Count, Hash, Identifier
from kerege.modules.registries.types import BlankStatus, CertificateDraft, ImportedDraft, UniqueHash

_OFFICE = Meta(description="Office in which the sender acts; the sender's appointment there is checked.")
_BLIND = Meta(description="Random bytes for the stored leaves.")
_IMPORT = Meta(description="Number of the import: its random id.")


class OpenSuccessor(Message, frozen=True, tag="registries.OpenSuccessor"):
    """Open the next version of a record that an amendment of this office closed, under a new random id.

    Names neither the old record nor the case: the link stands only in the dossiers.
    """

    SENDERS: ClassVar[Senders] = role("registrar", "consul")

    office: Annotated[Code, _OFFICE]
    record: Annotated[Identifier, Meta(description="New random id.")]
    registry: Annotated[Code, Meta(description="Register.")]
    version: Annotated[Count, Meta(description="Version of the act, at least 2.")]
    content: Annotated[Hash, Meta(description="Root over the commitments of the amended fields.")]
    act: Annotated[Commitment, Meta(description="Commitment to office, year and number of the act, salted anew.")]
    blind: Annotated[Blind, _BLIND]


class IssueCertificate(Message, frozen=True, tag="registries.IssueCertificate"):
    """Issue a paper of a live record: changes no record."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul")

    office: Annotated[Code, _OFFICE]
    record: Annotated[Identifier, Meta(description="The record.")]
    draft: Annotated[CertificateDraft, Meta(description="The certificate.")]


class RevokeCertificate(Message, frozen=True, tag="registries.RevokeCertificate"):
    """A paper was lost, damaged or issued in error: touches this certificate and its blank only.

    An official of the office that issued it does so, or the supervisor of the registers for any office.
    """

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "registry-supervisor")

    office: Annotated[Code, _OFFICE]
    certificate: Annotated[Identifier, Meta(description="The certificate.")]
    reason: Annotated[Code, Meta(description="lost, damaged, error, …")]
    blank: Annotated[
        BlankStatus, Meta(description="Where its blank stands now: issued (still out), spoiled, lost or returned.")
    ]
    blind: Annotated[Blind, _BLIND]


class Legalise(Message, frozen=True, tag="registries.Legalise"):
    """Record an apostille or another legalisation of a valid certificate."""

    SENDERS: ClassVar[Senders] = role("registrar", "registry-supervisor", "consul")

    office: Annotated[Code, _OFFICE]
    certificate: Annotated[Identifier, Meta(description="The certificate.")]
    kind: Annotated[Code, Meta(description="apostille, consular, …")]
    number: Annotated[Commitment, Meta(description="Commitment to number and date.")]
    blind: Annotated[Blind, _BLIND]


class ReceiveBlanks(Message, frozen=True, tag="registries.ReceiveBlanks"):
    """Enter strictly accounted blanks that were given to an office."""

    SENDERS: ClassVar[Senders] = role("blanks-keeper")

    office: Annotated[Code, _OFFICE]
    target: Annotated[Code, Meta(description="Office that received the blanks.")]
    blanks: Annotated[list[Hash], Meta(min_length=1, max_length=500, description="Keyed hashes of series and number.")]
    blind: Annotated[Blind, _BLIND]


class WriteOffBlank(Message, frozen=True, tag="registries.WriteOffBlank"):
    """A blank at hand was spoiled, lost or returned."""

    SENDERS: ClassVar[Senders] = role("registrar", "consul", "blanks-keeper")

    office: Annotated[Code, _OFFICE]
    blank: Annotated[Hash, Meta(description="Keyed hash of series and number.")]
    status: Annotated[BlankStatus, Meta(description="spoiled, lost or returned.")]
    blind: Annotated[Blind, _BLIND]


class MergeRecords(Message, frozen=True, tag="registries.MergeRecords"):
    """A live record is a duplicate of another: close it in favour of the other, reversibly."""

    SENDERS: ClassVar[Senders] = role("registry-supervisor")

    office: Annotated[Code, _OFFICE]
    duplicate: Annotated[Identifier, Meta(description="The record that is a duplicate.")]
    survivor: Annotated[Identifier, Meta(description="The record that goes on.")]
    ground: Annotated[Commitment, Meta(description="Commitment to the ground document.")]
    blind: Annotated[Blind, _BLIND]


class SplitRecords(Message, frozen=True, tag="registries.SplitRecords"):
    """The merge was wrong: the duplicate is a record of its own again."""

    SENDERS: ClassVar[Senders] = role("registry-supervisor")

    office: Annotated[Code, _OFFICE]
    duplicate: Annotated[Identifier, Meta(description="The merged record.")]
    blind: Annotated[Blind, _BLIND]


class BeginRekeying(Message, frozen=True, tag="registries.BeginRekeying"):
    """The civil-registration authority changes its uniqueness key: from now on new records use the new one."""

    SENDERS: ClassVar[Senders] = role("pin-officer")

    office: Annotated[Code, _OFFICE]
    registry: Annotated[Code, Meta(description="Register.")]
    epoch: Annotated[Count, Meta(description="The new epoch: the present one plus 1.")]


class Rekey(Message, frozen=True, tag="registries.Rekey"):
    """Replace held uniqueness keys by the same ones under the new key: as many new as old."""

    SENDERS: ClassVar[Senders] = role("pin-officer")
    WEIGHT: ClassVar[int] = 20

    office: Annotated[Code, _OFFICE]
    registry: Annotated[Code, Meta(description="Register.")]
    pairs: Annotated[
        list[tuple[UniqueHash, UniqueHash]], Meta(min_length=1, max_length=500, description="Old key, new key.")
    ]
    blind: Annotated[Blind, _BLIND]


class BeginImport(Message, frozen=True, tag="registries.BeginImport"):
    """A file of an old registry is about to be imported; no file is imported twice."""

    SENDERS: ClassVar[Senders] = role("import-officer")

    office: Annotated[Code, _OFFICE]
    number: Annotated[Identifier, _IMPORT]
    registry: Annotated[Code, Meta(description="Register that its rows are written into.")]
    source: Annotated[Hash, Meta(description="Keyed hash (HMAC) of the whole file, under a key of the office.")]
    blind: Annotated[Blind, _BLIND]


class ImportRecords(Message, frozen=True, tag="registries.ImportRecords"):
    """Open a live record, version 1, for each of some accepted rows of the file; all of them or none."""

    SENDERS: ClassVar[Senders] = role("import-officer")
    WEIGHT: ClassVar[int] = 20

    office: Annotated[Code, _OFFICE]
    number: Annotated[Identifier, _IMPORT]
    drafts: Annotated[
        list[ImportedDraft], Meta(min_length=1, max_length=500, description="The records, in order of the file.")
    ]
    epoch: Annotated[Count, Meta(description="Epoch of the authority's key that the drafts' keys were computed with.")]
    blind: Annotated[Blind, Meta(description="Random bytes for all stored leaves of this message.")]
    before: Annotated[
        list[UniqueHash],
        Meta(
            max_length=1_000,
            description="While a re-keying is under way, the drafts' keys in their order under the key before it.",
        ),
    ] = []  # noqa: RUF012 - msgspec gives every message an empty list of its own


class CloseImport(Message, frozen=True, tag="registries.CloseImport"):
    """The file is imported to its end: what became of its rows."""

    SENDERS: ClassVar[Senders] = role("import-officer")

    office: Annotated[Code, _OFFICE]
    number: Annotated[Identifier, _IMPORT]
    accepted: Annotated[Count, Meta(description="Rows accepted: as many as records opened under the import.")]
    duplicate: Annotated[Count, Meta(description="Rows that repeat an accepted one.")]
    review: Annotated[Count, Meta(description="Rows that became a case for an official.")]
    rejected: Annotated[Count, Meta(description="Rows that cannot be an act.")]
    root: Annotated[
        Hash, Meta(description="RFC 6962 root over id and content root of the accepted rows, in order of the file.")
    ]
    blind: Annotated[Blind, _BLIND]
