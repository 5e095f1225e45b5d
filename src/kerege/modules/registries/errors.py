"""Refusals of registries."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Code, Hash, Identifier


class IdentifierTaken(Refused, code="registries.1"):
    """The random id is in use: draw another."""

    identifier: Identifier


class DuplicateKey(Refused, code="registries.2"):
    """This uniqueness key is held: the person or the act number is registered already."""

    registry: Code
    key: Hash


class UnknownRecord(Refused, code="registries.3"):
    """No record stands under this id."""

    record: Identifier


class RecordNotLive(Refused, code="registries.4"):
    """The record was closed by an amendment, or merged."""

    record: Identifier
    status: str


class UnknownCertificate(Refused, code="registries.5"):
    """No certificate stands under this id."""

    certificate: Identifier


class CertificateNotValid(Refused, code="registries.6"):
    """The certificate is superseded, revoked or annulled already."""

    certificate: Identifier
    status: str


class BlankNotAtHand(Refused, code="registries.7"):
    """The office has received no such blank, or it is used, spoiled, lost or returned."""

    blank: Hash
    office: Code


class PrimaryExists(Refused, code="registries.8"):
    """The record version has its primary certificate: issue a repeat, with a reason."""

    record: Identifier


class ReasonMissing(Refused, code="registries.9"):
    """A repeat or extract is issued for a reason; a primary certificate for none."""

    kind: str


class NoAmendmentOpen(Refused, code="registries.10"):
    """The office has closed no record whose next version is still to be opened."""

    office: Code


class BlankKnown(Refused, code="registries.11"):
    """The blank was received before."""

    blank: Hash


class NotMerged(Refused, code="registries.12"):
    """The record is not merged into another now."""

    record: Identifier


class SameRecord(Refused, code="registries.13"):
    """A record cannot be merged into itself."""

    record: Identifier


class KeyNotHeld(Refused, code="registries.14"):
    """The key is not held, or was renewed in this epoch already."""

    key: Hash


class RekeyingNotOpen(Refused, code="registries.15"):
    """The epoch named is not the register's (for a new one: not the next), or the re-keying before is not complete."""

    registry: Code
    epoch: int
    held: int
    renewed: int


class MissingKey(Refused, code="registries.16"):
    """A record brings at least the uniqueness key over its act number, none twice, and during a re-keying each of them
    under the authority's key before too.
    """

    registry: Code


class TooManyCertificates(Refused, code="registries.17"):
    """The record has as many certificates as one record may have."""

    record: Identifier
    limit: int


class WrongVersion(Refused, code="registries.18"):
    """The next version of an amended record is at least 2."""

    version: int


class SourceImported(Refused, code="registries.19"):
    """This file was imported, or its import has begun: go on with that one."""

    source: Hash
    number: Identifier


class UnknownImport(Refused, code="registries.20"):
    """No import stands under this number."""

    number: Identifier


class ImportNotOpen(Refused, code="registries.21"):
    """The import is closed: it takes no records and is not closed again."""

    number: Identifier


class ImportOfOtherOffice(Refused, code="registries.22"):
    """An import is continued and closed by the office that began it."""

    number: Identifier
    office: Code


class WrongImportCount(Refused, code="registries.23"):
    """As many rows are said to be accepted as records were opened under the import, no more and no fewer."""

    number: Identifier
    told: int
    opened: int
