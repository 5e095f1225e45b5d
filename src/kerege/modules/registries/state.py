"""Tables of registries."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Code, Count, Hash, Identifier
from kerege.modules.registries.types import Blank, Certificate, Import, KeyEpoch, Legalisation, Merge, Record, UniqueKey

RECORDS = Table[bytes, Record](
    "registries.record", key=Identifier, value=Record, personal=True, doc="Acts of registers, as commitments."
)
UNIQUE = Table[bytes, UniqueKey](
    "registries.unique",
    key=Hash,
    value=UniqueKey,
    personal=True,
    doc="Uniqueness keys that live records hold; a key does not name its record.",
)
EPOCHS = Table[str, KeyEpoch](
    "registries.key_epoch", key=Code, value=KeyEpoch, doc="Per register: key epoch, keys held, keys renewed."
)
CERTIFICATES = Table[bytes, Certificate](
    "registries.certificate", key=Identifier, value=Certificate, personal=True, doc="Papers of record versions."
)
CERTIFICATES_OF = Table[tuple[bytes, bytes], bool](
    "registries.certificate_of",
    key=(Identifier, Identifier),
    value=bool,
    doc="Index: certificates of a record (record, certificate).",
)
BLANKS = Table[bytes, Blank](
    "registries.blank", key=Hash, value=Blank, personal=True, doc="Strictly accounted blanks under keyed hashes."
)
TICKETS = Table[str, int](
    "registries.ticket",
    key=Code,
    value=Count,
    doc="Per office: records closed by an amendment whose next version is not opened yet.",
)
LEGALISATIONS = Table[tuple[bytes, int], Legalisation](
    "registries.legalisation",
    key=(Identifier, int),
    value=Legalisation,
    personal=True,
    doc="Legalisations of a certificate, numbered from 1.",
)
MERGES = Table[bytes, Merge](
    "registries.merge",
    key=Identifier,
    value=Merge,
    personal=True,
    doc="Duplicates and the records they are duplicates of.",
)
IMPORTS = Table[bytes, Import](
    "registries.import",
    key=Identifier,
    value=Import,
    personal=True,
    doc="Files of old registries: who imports them, how many records each brought, what became of the other rows.",
)
IMPORT_SOURCES = Table[bytes, bytes](
    "registries.import_source",
    key=Hash,
    value=Identifier,
    doc="Index: import that a file, under its keyed hash, was imported by; no file is imported twice.",
)

TABLES = (
    RECORDS,
    UNIQUE,
    EPOCHS,
    CERTIFICATES,
    CERTIFICATES_OF,
    BLANKS,
    TICKETS,
    LEGALISATIONS,
    MERGES,
    IMPORTS,
    IMPORT_SOURCES,
)
