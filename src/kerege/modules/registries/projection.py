"""Event → rows of registries."""

from kerege.kernel.messages import Event
from kerege.kernel.rows import Projection, Put, Remove, Row
from kerege.modules.registries import events
from kerege.modules.registries.types import (
    Blank,
    BlankStatus,
    Certificate,
    CertificateStatus,
    ImportedDraft,
    KeyStatus,
    Record,
    RecordStatus,
    UniqueKey,
)


def record_rows(event: events.RecordWritten) -> tuple[Row, ...]:
    """The record's row."""
    return (Put("registries.record", event.record, event.row),)


def key_rows(event: events.KeyWritten) -> tuple[Row, ...]:
    """The key's row."""
    return (Put("registries.unique", event.key, event.row),)


def renewed_rows(event: events.KeysRenewed) -> tuple[Row, ...]:
    """Old keys go, new ones come."""
    row = UniqueKey(event.registry, event.status, event.epoch, event.since, event.blind)
    gone = tuple(Remove("registries.unique", old) for old, _ in event.pairs)
    return gone + tuple(Put("registries.unique", new, row) for _, new in event.pairs)


def epoch_rows(event: events.EpochWritten) -> tuple[Row, ...]:
    """The register's epoch."""
    return (Put("registries.key_epoch", event.registry, event.row),)


def issued_rows(event: events.CertificateIssued) -> tuple[Row, ...]:
    """The certificate, its place in the index of the record's papers, and its blank."""
    paper = Certificate(
        event.record,
        event.version,
        event.kind,
        CertificateStatus.VALID,
        event.since,
        event.blind,
        event.office,
        event.blank,
        event.reason,
    )
    return (
        Put("registries.certificate", event.certificate, paper),
        Put("registries.certificate_of", (event.record, event.certificate), value=True),
        Put("registries.blank", event.blank, Blank(event.office, BlankStatus.ISSUED, event.since, event.blind)),
    )


def certificate_rows(event: events.CertificateWritten) -> tuple[Row, ...]:
    """The certificate's row."""
    return (Put("registries.certificate", event.certificate, event.row),)


def nothing(_event: events.CertificateRevoked) -> tuple[Row, ...]:
    """The reason is told by the event alone; the rows come with `CertificateWritten` and `BlankWritten`."""
    return ()


def received_rows(event: events.BlanksReceived) -> tuple[Row, ...]:
    """A row a blank."""
    return tuple(Put("registries.blank", blank, event.row) for blank in event.blanks)


def blank_rows(event: events.BlankWritten) -> tuple[Row, ...]:
    """The blank's row."""
    return (Put("registries.blank", event.blank, event.row),)


def ticket_rows(event: events.TicketsCounted) -> tuple[Row, ...]:
    """The office's open amendments."""
    return (Put("registries.ticket", event.office, event.open),)


def legalised_rows(event: events.CertificateLegalised) -> tuple[Row, ...]:
    """The legalisation's row."""
    return (Put("registries.legalisation", (event.certificate, event.number), event.row),)


def merged_rows(event: events.RecordsMerged) -> tuple[Row, ...]:
    """The merge's row."""
    return (Put("registries.merge", event.duplicate, event.row),)


def import_rows(event: events.ImportWritten) -> tuple[Row, ...]:
    """The import's row, and its place in the index of files."""
    return (
        Put("registries.import", event.number, event.row),
        Put("registries.import_source", event.row.source, event.number),
    )


def imported_rows(event: events.RecordsImported) -> tuple[Row, ...]:
    """A row a record and a row a key."""
    key = UniqueKey(event.registry, KeyStatus.HELD, event.epoch, event.since, event.blind)
    return tuple(
        row
        for draft in event.drafts
        for row in (
            Put("registries.record", draft.record, _imported(event, draft)),
            *[Put("registries.unique", each, key) for each in draft.keys],
        )
    )


def _imported(event: events.RecordsImported, draft: ImportedDraft) -> Record:
    return Record(
        event.registry,
        1,
        RecordStatus.LIVE,
        draft.content,
        draft.act,
        draft.office,
        event.since,
        event.blind,
        event.number,
    )


PROJECTIONS: dict[type[Event], Projection] = {
    events.RecordWritten: record_rows,
    events.KeyWritten: key_rows,
    events.KeysRenewed: renewed_rows,
    events.EpochWritten: epoch_rows,
    events.CertificateIssued: issued_rows,
    events.CertificateWritten: certificate_rows,
    events.CertificateRevoked: nothing,
    events.BlanksReceived: received_rows,
    events.BlankWritten: blank_rows,
    events.TicketsCounted: ticket_rows,
    events.CertificateLegalised: legalised_rows,
    events.RecordsMerged: merged_rows,
    events.ImportWritten: import_rows,
    events.RecordsImported: imported_rows,
}
