"""Truths about registers."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.registries.state import BLANKS, CERTIFICATES, EPOCHS, RECORDS, UNIQUE
from kerege.modules.registries.types import BlankStatus, CertificateStatus, KeyStatus, RecordStatus


def _records_stay(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A record is never removed, and its content, act and version never change."""
    for _, before, now in differences.get(RECORDS.name, []):
        if now is None:
            return False
        if before is not None and (before.content, before.act, before.version) != (now.content, now.act, now.version):
            return False
    return True


def _records_have_content(ctx: Context) -> bool:
    """Every record has a version from 1 up."""
    return all(row.version >= 1 for _, row in ctx.scan(RECORDS))


def _papers_only_fade(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A certificate that ceased to be valid never becomes valid again."""
    for _, before, now in differences.get(CERTIFICATES.name, []):
        if now is None:
            return False
        if (
            before is not None
            and before.status is not CertificateStatus.VALID
            and now.status is CertificateStatus.VALID
        ):
            return False
    return True


def _valid_papers_speak_for_open_records(ctx: Context) -> bool:
    """A valid certificate names a record that is not closed, and a blank that is accounted as issued."""
    records, blanks = dict(ctx.scan(RECORDS)), dict(ctx.scan(BLANKS))
    for _, paper in ctx.scan(CERTIFICATES):
        if blanks[paper.blank].status is not BlankStatus.ISSUED:
            return False
        if paper.status is CertificateStatus.VALID and records[paper.record].status is RecordStatus.CLOSED:
            return False
    return True


def _keys_are_counted(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """Held keys change by what the registers' counts change."""
    held: dict[str, int] = {}
    for _, before, now in differences.get(UNIQUE.name, []):
        for row, sign in ((before, -1), (now, 1)):
            if row is not None and row.status is KeyStatus.HELD:
                held[row.registry] = held.get(row.registry, 0) + sign
    counted: dict[str, int] = {}
    for key, before, now in differences.get(EPOCHS.name, []):
        registry = EPOCHS.decode_key(key)
        counted[registry] = (0 if now is None else now.held) - (0 if before is None else before.held)
    return all(held.get(r, 0) == counted.get(r, 0) for r in (*held, *counted))


def _keys_are_counted_in_full(ctx: Context) -> bool:
    """As many held keys as the registers' counts say."""
    held: dict[str, int] = {}
    for _, row in ctx.scan(UNIQUE):
        held[row.registry] = held.get(row.registry, 0) + (row.status is KeyStatus.HELD)
    return held == {registry: row.held for registry, row in ctx.scan(EPOCHS) if row.held or registry in held}


INVARIANTS = (
    Invariant(name="registries.records_stay", watches=(RECORDS,), cheap=_records_stay, full=_records_have_content),
    Invariant(
        name="registries.papers",
        watches=(CERTIFICATES,),
        cheap=_papers_only_fade,
        full=_valid_papers_speak_for_open_records,
    ),
    Invariant(
        name="registries.keys_counted",
        watches=(UNIQUE, EPOCHS),
        cheap=_keys_are_counted,
        full=_keys_are_counted_in_full,
    ),
)
