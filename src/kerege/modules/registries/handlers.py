"""What happens to the messages of registries: authorise, check, change.

Version 1 of an act is opened by the outcome of a case (`services.Decide`), which needs the signatures of two officials
where the service says so, or by the import of an old registry, which its records name for ever. An act is closed for an
amendment only by the outcome of a case, and that always needs two.
"""

from msgspec.structs import replace

from kerege.kernel.context import Context, Handler
from kerege.kernel.errors import BadForm
from kerege.kernel.messages import Message
from kerege.modules.authority.keeper import Authority
from kerege.modules.registries.errors import WrongImportCount
from kerege.modules.registries.keeper import Registry
from kerege.modules.registries.messages import (
    BeginImport,
    BeginRekeying,
    CloseImport,
    ImportRecords,
    IssueCertificate,
    Legalise,
    MergeRecords,
    OpenSuccessor,
    ReceiveBlanks,
    Rekey,
    RevokeCertificate,
    SplitRecords,
    WriteOffBlank,
)
from kerege.modules.registries.types import (
    Acting,
    BlankStatus,
    Import,
    ImportStatus,
    Legalisation,
    Record,
    RecordStatus,
)

SUPERVISOR = "registry-supervisor"
"""Revokes papers of whatever office."""


def _authorise(ctx: Context, message: Message, office: str) -> Acting:
    acting = ctx.use(Authority).acting_as_any(ctx.sender, message.SENDERS.roles, office)
    return Acting(acting.office, acting.role, acting.appointment)


def open_successor(ctx: Context, message: OpenSuccessor) -> None:
    """Open the next version of an amended act."""
    _authorise(ctx, message, message.office)

    row = Record(
        message.registry,
        message.version,
        RecordStatus.LIVE,
        message.content,
        message.act,
        message.office,
        ctx.time,
        message.blind,
    )

    ctx.use(Registry).open_successor(message.record, row)


def issue_certificate(ctx: Context, message: IssueCertificate) -> None:
    """Issue a paper."""
    acting = _authorise(ctx, message, message.office)

    ctx.use(Registry).check_issues(message.record, message.draft, message.office)

    ctx.use(Registry).issue(message.record, message.draft, acting)


def revoke_certificate(ctx: Context, message: RevokeCertificate) -> None:
    """Revoke a paper."""
    acting = _authorise(ctx, message, message.office)
    paper = ctx.use(Registry).valid(message.certificate)
    if acting.role != SUPERVISOR:
        _authorise(ctx, message, paper.office)

    if message.blank is BlankStatus.RECEIVED:
        raise BadForm(field="blank", reason="issued, spoiled, lost or returned")

    ctx.use(Registry).revoke(message.certificate, message.reason, message.blank, message.blind)


def legalise(ctx: Context, message: Legalise) -> None:
    """Record a legalisation."""
    _authorise(ctx, message, message.office)

    ctx.use(Registry).valid(message.certificate)

    row = Legalisation(message.kind, message.number, message.office, ctx.time, message.blind)
    ctx.use(Registry).legalise(message.certificate, row)


def receive_blanks(ctx: Context, message: ReceiveBlanks) -> None:
    """Enter blanks."""
    _authorise(ctx, message, message.office)

    ctx.use(Authority).office(message.target)

    ctx.use(Registry).receive_blanks(message.target, message.blanks, message.blind)


def write_off_blank(ctx: Context, message: WriteOffBlank) -> None:
    """Account for a blank that will not be issued."""
    _authorise(ctx, message, message.office)

    if message.status in {BlankStatus.RECEIVED, BlankStatus.ISSUED}:
        raise BadForm(field="status", reason="spoiled, lost or returned")

    ctx.use(Registry).write_off(message.blank, message.office, message.status, message.blind)


def merge_records(ctx: Context, message: MergeRecords) -> None:
    """Merge a duplicate."""
    _authorise(ctx, message, message.office)

    ctx.use(Registry).merge(message.duplicate, message.survivor, message.ground, message.blind)


def split_records(ctx: Context, message: SplitRecords) -> None:
    """Reverse a merge."""
    _authorise(ctx, message, message.office)

    ctx.use(Registry).split(message.duplicate, message.blind)


def begin_rekeying(ctx: Context, message: BeginRekeying) -> None:
    """Start a key epoch."""
    _authorise(ctx, message, message.office)

    ctx.use(Registry).begin_rekeying(message.registry, message.epoch)


def rekey(ctx: Context, message: Rekey) -> None:
    """Replace keys, as many new as old."""
    _authorise(ctx, message, message.office)

    ctx.use(Registry).rekey(message.registry, message.pairs, message.blind)


def begin_import(ctx: Context, message: BeginImport) -> None:
    """Start an import."""
    _authorise(ctx, message, message.office)

    ctx.use(Registry).check_imports_source(message.number, message.source)

    row = Import(
        message.registry,
        message.office,
        message.source,
        ImportStatus.OPEN,
        accepted=0,
        duplicate=0,
        review=0,
        rejected=0,
        root=None,
        since=ctx.time,
        blind=message.blind,
    )
    ctx.use(Registry).begin_import(message.number, row)


def import_records(ctx: Context, message: ImportRecords) -> None:
    """Open many records."""
    _authorise(ctx, message, message.office)

    row = ctx.use(Registry).open_import(message.number, message.office)
    ctx.use(Registry).check_imports(row.registry, message.drafts, message.epoch, message.before)

    ctx.use(Registry).import_records(message.number, message.drafts, message.blind)


def close_import(ctx: Context, message: CloseImport) -> None:
    """End an import."""
    _authorise(ctx, message, message.office)

    row = ctx.use(Registry).open_import(message.number, message.office)
    if message.accepted != row.accepted:
        raise WrongImportCount(number=message.number, told=message.accepted, opened=row.accepted)

    closed = replace(
        row,
        status=ImportStatus.CLOSED,
        duplicate=message.duplicate,
        review=message.review,
        rejected=message.rejected,
        root=message.root,
        since=ctx.time,
        blind=message.blind,
    )
    ctx.use(Registry).close_import(message.number, closed)


HANDLERS: dict[type[Message], Handler] = {
    OpenSuccessor: open_successor,
    IssueCertificate: issue_certificate,
    RevokeCertificate: revoke_certificate,
    Legalise: legalise,
    ReceiveBlanks: receive_blanks,
    WriteOffBlank: write_off_blank,
    MergeRecords: merge_records,
    SplitRecords: split_records,
    BeginRekeying: begin_rekeying,
    Rekey: rekey,
    BeginImport: begin_import,
    ImportRecords: import_records,
    CloseImport: close_import,
}
