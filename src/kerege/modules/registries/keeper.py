"""What other modules may do with records, certificates and blanks: guards and announces."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.kernel.context import Context, Keeper
from kerege.modules.registries.errors import (
    BlankKnown,
    BlankNotAtHand,
    CertificateNotValid,
    DuplicateKey,
    IdentifierTaken,
    ImportNotOpen,
    ImportOfOtherOffice,
    KeyNotHeld,
    MissingKey,
    NoAmendmentOpen,
    NotMerged,
    PrimaryExists,
    ReasonMissing,
    RecordNotLive,
    RekeyingNotOpen,
    SameRecord,
    SourceImported,
    TooManyCertificates,
    UnknownCertificate,
    UnknownImport,
    UnknownRecord,
    WrongVersion,
)
from kerege.modules.registries.events import (
    BlanksReceived,
    BlankWritten,
    CertificateIssued,
    CertificateLegalised,
    CertificateRevoked,
    CertificateWritten,
    EpochWritten,
    ImportWritten,
    KeysRenewed,
    KeyWritten,
    RecordsImported,
    RecordsMerged,
    RecordWritten,
    TicketsCounted,
)
from kerege.modules.registries.state import (
    BLANKS,
    CERTIFICATES,
    CERTIFICATES_OF,
    EPOCHS,
    IMPORT_SOURCES,
    IMPORTS,
    LEGALISATIONS,
    MERGES,
    RECORDS,
    TICKETS,
    UNIQUE,
)
from kerege.modules.registries.types import (
    Acting,
    Blank,
    BlankStatus,
    Certificate,
    CertificateDraft,
    CertificateKind,
    CertificateStatus,
    Import,
    ImportedDraft,
    ImportStatus,
    KeyEpoch,
    KeyStatus,
    Legalisation,
    Merge,
    Record,
    RecordDraft,
    RecordStatus,
    UniqueKey,
)

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound

MAXIMUM_CERTIFICATES = 1_000
"""Papers of one record: bounds the work of an amendment."""

FIRST_EPOCH = 1
"""Of a register's uniqueness keys, until a re-keying begins."""


class RegistryView(Keeper):
    """Reads registers; changes nothing."""

    MODULE = "registries"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._records: Bound[bytes, Record] = self._table(RECORDS)
        self._unique: Bound[bytes, UniqueKey] = self._table(UNIQUE)
        self._epochs: Bound[str, KeyEpoch] = self._table(EPOCHS)
        self._certificates: Bound[bytes, Certificate] = self._table(CERTIFICATES)
        self._certificates_of: Bound[tuple[bytes, bytes], bool] = self._table(CERTIFICATES_OF)
        self._blanks: Bound[bytes, Blank] = self._table(BLANKS)
        self._tickets: Bound[str, int] = self._table(TICKETS)
        self._legalisations: Bound[tuple[bytes, int], Legalisation] = self._table(LEGALISATIONS)
        self._merges: Bound[bytes, Merge] = self._table(MERGES)
        self._imports: Bound[bytes, Import] = self._table(IMPORTS)
        self._sources: Bound[bytes, bytes] = self._table(IMPORT_SOURCES)

    def record(self, identifier: bytes) -> Record:
        """The record of an id; raises `UnknownRecord`."""
        found = self._records.find(identifier)
        if found is None:
            raise UnknownRecord(record=identifier)
        return found

    def live(self, identifier: bytes) -> Record:
        """The live record of an id; raises `UnknownRecord` or `RecordNotLive`."""
        found = self.record(identifier)
        if found.status is not RecordStatus.LIVE:
            raise RecordNotLive(record=identifier, status=found.status.value)
        return found

    def valid(self, identifier: bytes) -> Certificate:
        """The valid certificate of an id; raises `UnknownCertificate` or `CertificateNotValid`."""
        found = self._certificates.find(identifier)
        if found is None:
            raise UnknownCertificate(certificate=identifier)
        if found.status is not CertificateStatus.VALID:
            raise CertificateNotValid(certificate=identifier, status=found.status.value)
        return found

    def certificates_of(self, record: bytes) -> list[bytes]:
        """Ids of a record's certificates, in key order."""
        return [key[1] for key, _ in self._certificates_of.scan(record)]

    def epoch(self, registry: str) -> KeyEpoch:
        """Epoch and counts of a register's uniqueness keys."""
        return self._epochs.find(registry) or KeyEpoch(FIRST_EPOCH, 0, 0)

    def open_import(self, number: bytes, office: str) -> Import:
        """The import that an office may continue; raises `UnknownImport`, `ImportOfOtherOffice` or `ImportNotOpen`."""
        found = self._imports.find(number)
        if found is None:
            raise UnknownImport(number=number)
        if found.office != office:
            raise ImportOfOtherOffice(number=number, office=found.office)
        if found.status is not ImportStatus.OPEN:
            raise ImportNotOpen(number=number)
        return found

    def tickets(self, office: str) -> int:
        """Records the office closed by an amendment whose next version is not opened yet."""
        return self._tickets.find(office) or 0


class Registry(RegistryView):
    """Writes registers: one live record under one key, certificates apart from records."""

    # Records

    def check_opens(self, draft: RecordDraft) -> None:
        """Raise `IdentifierTaken`, `MissingKey`, `RekeyingNotOpen` or `DuplicateKey` where it cannot be opened.

        While a re-keying is under way some keys are held under the authority's old key and some under the new one: a
        record then brings both, or somebody could be registered again in between.
        """
        self._check_free(draft.record)
        at, epoch = self.epoch(draft.registry), draft.epoch or FIRST_EPOCH
        if epoch != at.epoch:
            raise RekeyingNotOpen(registry=draft.registry, epoch=epoch, held=at.held, renewed=at.renewed)
        both = [*draft.keys, *draft.before]
        before = len(draft.keys) if at.renewed < at.held else 0
        if not draft.keys or len(draft.before) != before or len(dict.fromkeys(both)) != len(both):
            raise MissingKey(registry=draft.registry)
        self._check_keys_free(draft.registry, both)

    def open(self, draft: RecordDraft, office: str) -> Record:
        """Open version 1 of an act and hold its keys."""
        self.check_opens(draft)
        now, epoch = self._ctx.time, self.epoch(draft.registry)
        row = Record(draft.registry, 1, RecordStatus.LIVE, draft.content, draft.act, office, now, draft.blind)
        self._write_record(draft.record, row)
        for key in draft.keys:
            self._write_key(key, UniqueKey(draft.registry, KeyStatus.HELD, epoch.epoch, now, draft.blind))
        count = len(draft.keys)
        self._write_epoch(draft.registry, KeyEpoch(epoch.epoch, epoch.held + count, epoch.renewed + count))
        return row

    def close(self, identifier: bytes, office: str, blind: bytes) -> None:
        """Close a live record for an amendment: its papers are superseded, its keys stay held."""
        row = self.live(identifier)
        self._write_record(identifier, replace(row, status=RecordStatus.CLOSED, since=self._ctx.time, blind=blind))
        self._supersede(identifier, blind)
        self._count_ticket(office, 1)

    def open_successor(self, identifier: bytes, row: Record) -> None:
        """Open the next version under a new id, consuming the office's ticket."""
        self._check_free(identifier)
        if row.version < 2:  # noqa: PLR2004 - the first version is opened by a case
            raise WrongVersion(version=row.version)
        if self.tickets(row.office) < 1:
            raise NoAmendmentOpen(office=row.office)
        self._count_ticket(row.office, -1)
        self._write_record(identifier, row)

    def merge(self, duplicate: bytes, survivor: bytes, ground: bytes, blind: bytes) -> None:
        """Close a duplicate in favour of another record; raises `SameRecord` and what `live` raises.

        Its papers are superseded: the register speaks through the survivor. Its keys stay held.
        """
        if duplicate == survivor:
            raise SameRecord(record=duplicate)
        row = self.live(duplicate)
        self.live(survivor)
        now = self._ctx.time
        self._write_record(duplicate, replace(row, status=RecordStatus.MERGED, since=now, blind=blind))
        self._write_merge(duplicate, Merge(survivor, ground, now, split=False, blind=blind))
        self._supersede(duplicate, blind)

    def split(self, duplicate: bytes, blind: bytes) -> None:
        """Reverse a merge; raises `NotMerged`. The papers that it superseded, and no others, are valid again."""
        merged, row = self._merges.find(duplicate), self.record(duplicate)
        if merged is None or merged.split:
            raise NotMerged(record=duplicate)
        now = self._ctx.time
        self._write_record(duplicate, replace(row, status=RecordStatus.LIVE, since=now, blind=blind))
        self._write_merge(duplicate, replace(merged, split=True, since=now, blind=blind))
        for certificate in self.certificates_of(duplicate):
            paper = self._certificates.get(certificate)
            if paper.status is CertificateStatus.SUPERSEDED and paper.since == merged.since:
                self._set_certificate(certificate, paper, CertificateStatus.VALID, blind)

    # Imports of old registries

    def check_imports_source(self, number: bytes, source: bytes) -> None:
        """Raise `SourceImported` or `IdentifierTaken` where an import of this file cannot begin."""
        before = self._sources.find(source)
        if before is not None:
            raise SourceImported(source=source, number=before)
        if self._imports.find(number) is not None:
            raise IdentifierTaken(identifier=number)

    def begin_import(self, number: bytes, row: Import) -> None:
        """Start an import; no file is imported twice."""
        self.check_imports_source(number, row.source)
        self._sources.put(row.source, number)
        self._write_import(number, row)

    def check_imports(self, registry: str, drafts: list[ImportedDraft], epoch: int, before: list[bytes]) -> None:
        """Raise `RekeyingNotOpen`, `MissingKey`, `IdentifierTaken` or `DuplicateKey` where one cannot be opened.

        The rules of `check_opens`; ids and keys that two of the drafts share are taken by the first of them.
        """
        at = self.epoch(registry)
        if epoch != at.epoch:
            raise RekeyingNotOpen(registry=registry, epoch=epoch, held=at.held, renewed=at.renewed)
        keys = [key for draft in drafts for key in draft.keys]
        if len(before) != (len(keys) if at.renewed < at.held else 0):
            raise MissingKey(registry=registry)
        seen = set[bytes]()
        for draft in drafts:
            if draft.record in seen:
                raise IdentifierTaken(identifier=draft.record)
            seen.add(draft.record)
            self._check_free(draft.record)
        self._check_keys_free(registry, [*keys, *before])

    def import_records(self, number: bytes, drafts: list[ImportedDraft], blind: bytes) -> None:
        """Open version 1 of each act and hold its keys, in one announcement; `check_imports` has been asked."""
        row, now = self._imports.get(number), self._ctx.time
        registry, live, put = row.registry, RecordStatus.LIVE, self._records.put
        at = self.epoch(registry)
        key_row = UniqueKey(registry, KeyStatus.HELD, at.epoch, now, blind)
        for draft in drafts:
            put(
                draft.record,
                Record(registry, 1, live, draft.content, draft.act, draft.office, now, blind, number),
            )
            for key in draft.keys:
                self._unique.put(key, key_row)
        count = sum([len(draft.keys) for draft in drafts])
        self._announce(RecordsImported(number, registry, drafts, at.epoch, now, blind))
        self._write_epoch(registry, KeyEpoch(at.epoch, at.held + count, at.renewed + count))
        self._write_import(number, replace(row, accepted=row.accepted + len(drafts), since=now, blind=blind))

    def close_import(self, number: bytes, row: Import) -> None:
        """End an import that is open: it takes no records any more."""
        self.open_import(number, row.office)
        self._write_import(number, row)

    # Uniqueness keys

    def begin_rekeying(self, registry: str, epoch: int) -> None:
        """Start the next key epoch; raises `RekeyingNotOpen` unless the one before is complete."""
        at = self.epoch(registry)
        if epoch != at.epoch + 1 or at.renewed != at.held:
            raise RekeyingNotOpen(registry=registry, epoch=epoch, held=at.held, renewed=at.renewed)
        self._write_epoch(registry, KeyEpoch(epoch, at.held, 0))

    def rekey(self, registry: str, pairs: list[tuple[bytes, bytes]], blind: bytes) -> None:
        """Replace held keys of the epoch before by as many of the present one."""
        at, now = self.epoch(registry), self._ctx.time
        fresh = UniqueKey(registry, KeyStatus.HELD, at.epoch, now, blind)
        for old, new in pairs:
            held, taken = self._unique.find(old), self._unique.find(new)
            if held is None or held.registry != registry or held.epoch >= at.epoch:
                raise KeyNotHeld(key=old)
            if taken is not None:
                raise DuplicateKey(registry=registry, key=new)
            self._unique.delete(old)
            self._unique.put(new, fresh)
        self._announce(KeysRenewed(registry, pairs, at.epoch, KeyStatus.HELD, now, blind))
        self._write_epoch(registry, KeyEpoch(at.epoch, at.held, at.renewed + len(pairs)))

    # Certificates

    def check_issues(self, record: bytes, draft: CertificateDraft, office: str) -> Record:
        """The live record, if the paper may be issued now; raises what stands in the way."""
        row = self.live(record)
        if self._certificates.find(draft.certificate) is not None:
            raise IdentifierTaken(identifier=draft.certificate)
        needless = draft.kind in {CertificateKind.PRIMARY, CertificateKind.PIN} and draft.reason is not None
        if needless or (draft.kind is CertificateKind.REPEAT and draft.reason is None):
            raise ReasonMissing(kind=draft.kind.value)
        papers = self.certificates_of(record)
        if len(papers) >= MAXIMUM_CERTIFICATES:
            raise TooManyCertificates(record=record, limit=MAXIMUM_CERTIFICATES)
        if draft.kind is CertificateKind.PRIMARY:
            rows = map(self._certificates.get, papers)
            if any(r.kind is CertificateKind.PRIMARY and r.status is CertificateStatus.VALID for r in rows):
                raise PrimaryExists(record=record)
        self._check_at_hand(draft.blank, office)
        return row

    def issue(self, record: bytes, draft: CertificateDraft, acting: Acting) -> None:
        """Issue a paper; changes no record."""
        row = self.check_issues(record, draft, acting.office)
        now, blind = self._ctx.time, draft.blind
        paper = Certificate(
            record,
            row.version,
            draft.kind,
            CertificateStatus.VALID,
            now,
            blind,
            acting.office,
            draft.blank,
            draft.reason,
        )
        self._certificates.put(draft.certificate, paper)
        self._certificates_of.put((record, draft.certificate), True)  # noqa: FBT003 - the index holds nothing else
        self._blanks.put(draft.blank, Blank(acting.office, BlankStatus.ISSUED, now, blind))
        self._announce(
            CertificateIssued(
                draft.certificate,
                record,
                row.version,
                draft.kind,
                row.content,
                draft.blank,
                draft.service,
                acting.office,
                acting.role,
                acting.appointment,
                now,
                blind,
                draft.reason,
            )
        )

    def revoke(self, identifier: bytes, reason: str, blank: BlankStatus, blind: bytes) -> None:
        """Revoke a valid paper and say where its blank stands; its record is untouched."""
        paper = self.valid(identifier)
        self._announce(CertificateRevoked(identifier, reason))
        self._set_certificate(identifier, paper, CertificateStatus.REVOKED, blind)
        if blank is not BlankStatus.ISSUED:
            self._set_blank(paper.blank, blank, blind)

    def legalise(self, identifier: bytes, row: Legalisation) -> None:
        """Record a legalisation of a valid paper."""
        self.valid(identifier)
        number = 1 + sum(1 for _ in self._legalisations.scan(identifier))
        self._legalisations.put((identifier, number), row)
        self._announce(CertificateLegalised(identifier, number, row))

    # Blanks

    def receive_blanks(self, office: str, blanks: list[bytes], blind: bytes) -> None:
        """Enter blanks given to an office; raises `BlankKnown`."""
        row = Blank(office, BlankStatus.RECEIVED, self._ctx.time, blind)
        for blank in blanks:
            if self._blanks.find(blank) is not None:
                raise BlankKnown(blank=blank)
            self._blanks.put(blank, row)
        self._announce(BlanksReceived(blanks, row))

    def write_off(self, blank: bytes, office: str, status: BlankStatus, blind: bytes) -> None:
        """Account for a blank at hand that will not be issued; raises `BlankNotAtHand`."""
        self._check_at_hand(blank, office)
        self._set_blank(blank, status, blind)

    # Guards and announcements

    def _check_free(self, identifier: bytes) -> None:
        if self._records.find(identifier) is not None:
            raise IdentifierTaken(identifier=identifier)

    def _check_keys_free(self, registry: str, keys: list[bytes]) -> None:
        seen = set[bytes]()
        for key in keys:
            if key in seen or self._unique.find(key) is not None:
                raise DuplicateKey(registry=registry, key=key)
            seen.add(key)

    def _check_at_hand(self, blank: bytes, office: str) -> None:
        row = self._blanks.find(blank)
        if row is None or row.office != office or row.status is not BlankStatus.RECEIVED:
            raise BlankNotAtHand(blank=blank, office=office)

    def _write_record(self, identifier: bytes, row: Record) -> None:
        self._records.put(identifier, row)
        self._announce(RecordWritten(identifier, row))

    def _write_key(self, key: bytes, row: UniqueKey) -> None:
        self._unique.put(key, row)
        self._announce(KeyWritten(key, row))

    def _write_import(self, number: bytes, row: Import) -> None:
        self._imports.put(number, row)
        self._announce(ImportWritten(number, row))

    def _write_epoch(self, registry: str, row: KeyEpoch) -> None:
        self._epochs.put(registry, row)
        self._announce(EpochWritten(registry, row))

    def _write_certificate(self, identifier: bytes, row: Certificate) -> None:
        self._certificates.put(identifier, row)
        self._announce(CertificateWritten(identifier, row))

    def _set_certificate(self, identifier: bytes, row: Certificate, status: CertificateStatus, blind: bytes) -> None:
        self._write_certificate(identifier, replace(row, status=status, since=self._ctx.time, blind=blind))

    def _set_blank(self, blank: bytes, status: BlankStatus, blind: bytes) -> None:
        row = replace(self._blanks.get(blank), status=status, since=self._ctx.time, blind=blind)
        self._blanks.put(blank, row)
        self._announce(BlankWritten(blank, row))

    def _count_ticket(self, office: str, change: int) -> None:
        count = self.tickets(office) + change
        self._tickets.put(office, count)
        self._announce(TicketsCounted(office, count))

    def _supersede(self, record: bytes, blind: bytes) -> None:
        for certificate in self.certificates_of(record):
            paper = self._certificates.get(certificate)
            if paper.status is CertificateStatus.VALID:
                self._set_certificate(certificate, paper, CertificateStatus.SUPERSEDED, blind)

    def _write_merge(self, duplicate: bytes, row: Merge) -> None:
        self._merges.put(duplicate, row)
        self._announce(RecordsMerged(duplicate, row))
