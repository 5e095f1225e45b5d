"""Truths about registers."""

from kerege.kernel.context import Context
from kerege.kernel.invariant import Difference, Invariant
from kerege.modules.registries.state import (
    BLANKS,
    CERTIFICATES,
    EPOCHS,
    IMPORT_SOURCES,
    IMPORTS,
    MERGES,
    RECORDS,
    UNIQUE,
)
from kerege.modules.registries.types import BlankStatus, CertificateStatus, ImportStatus, KeyStatus, RecordStatus

_FOR_EVER = ("content", "act", "version", "provenance")
"""What a record is opened with."""


def _records_stay(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A record is never removed, and its content, act, version and provenance never change."""
    for _, before, now in differences.get(RECORDS.name, []):
        if now is None:
            return False
        if before is not None and any(getattr(before, name) != getattr(now, name) for name in _FOR_EVER):
            return False
    return True


def _records_have_content(ctx: Context) -> bool:
    """Every record has a version from 1 up."""
    return all(row.version >= 1 for _, row in ctx.scan(RECORDS))


def _papers_only_fade(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A certificate that ceased to be valid becomes valid again only where the merge that superseded it is reversed."""
    merges = {MERGES.decode_key(key): now for key, _, now in differences.get(MERGES.name, [])}
    for _, before, now in differences.get(CERTIFICATES.name, []):
        if now is None:
            return False
        if before is None or before.status is now.status or now.status is not CertificateStatus.VALID:
            continue
        merge = merges.get(now.record)
        if merge is None or not merge.split or before.status is not CertificateStatus.SUPERSEDED:
            return False
    return True


def _valid_papers_speak_for_live_records(ctx: Context) -> bool:
    """A valid certificate is of a live record and of its version; its blank is issued; no blank bears two papers."""
    records, blanks, used = dict(ctx.scan(RECORDS)), dict(ctx.scan(BLANKS)), dict[bytes, bytes]()
    for identifier, paper in ctx.scan(CERTIFICATES):
        if used.setdefault(paper.blank, identifier) != identifier:
            return False
        if blanks[paper.blank].status is BlankStatus.RECEIVED:
            return False
        if paper.status is CertificateStatus.VALID:
            record = records[paper.record]
            if record.status is not RecordStatus.LIVE or record.version != paper.version:
                return False
            if blanks[paper.blank].status is not BlankStatus.ISSUED:
                return False
    issued = [blank for blank, row in blanks.items() if row.status is BlankStatus.ISSUED]
    return all(blank in used for blank in issued)


def _merges_stand(ctx: Context) -> bool:
    """A record is merged if and only if a merge that was not reversed says so."""
    merges = dict(ctx.scan(MERGES))
    for identifier, row in ctx.scan(RECORDS):
        merge = merges.get(identifier)
        if (row.status is RecordStatus.MERGED) != (merge is not None and not merge.split):
            return False
    return True


def _merges_agree(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """A merge is written with its record, and names another one."""
    merges = differences.get(MERGES.name)
    if not merges:  # an import brings records by the hundred, and no merge
        return True
    records = {RECORDS.decode_key(key): now for key, _, now in differences.get(RECORDS.name, [])}
    for key, _, now in merges:
        duplicate = MERGES.decode_key(key)
        row = records.get(duplicate)
        if now is None or row is None or now.survivor == duplicate:
            return False
        if (row.status is RecordStatus.MERGED) == now.split:
            return False
    return True


def _keys_are_counted(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """Held keys change by what the registers' counts change."""
    held: dict[str, int] = {}
    for _, before, now in differences.get(UNIQUE.name, []):
        if before is not None and before.status is KeyStatus.HELD:
            held[before.registry] = held.get(before.registry, 0) - 1
        if now is not None and now.status is KeyStatus.HELD:
            held[now.registry] = held.get(now.registry, 0) + 1
    counted: dict[str, int] = {}
    for key, before, now in differences.get(EPOCHS.name, []):
        registry = EPOCHS.decode_key(key)
        counted[registry] = (0 if now is None else now.held) - (0 if before is None else before.held)
    return all(held.get(r, 0) == counted.get(r, 0) for r in (*held, *counted))


def _keys_are_counted_in_full(ctx: Context) -> bool:
    """As many held keys, and as many of them of the present epoch, as the registers' counts say."""
    epochs = dict(ctx.scan(EPOCHS))
    held: dict[str, tuple[int, int]] = dict.fromkeys(epochs, (0, 0))
    for _, row in ctx.scan(UNIQUE):
        if row.status is KeyStatus.HELD:
            count, renewed = held.get(row.registry, (0, 0))
            present = row.registry in epochs and row.epoch == epochs[row.registry].epoch
            held[row.registry] = (count + 1, renewed + present)
    return held == {registry: (row.held, row.renewed) for registry, row in epochs.items()}


def _imports_are_counted(_ctx: Context, differences: dict[str, list[Difference]]) -> bool:
    """An import's count changes by the records that name it; one that is closed never changes."""
    opened: dict[bytes, int] = {}
    for _, before, now in differences.get(RECORDS.name, []):
        if before is None and now is not None and now.provenance is not None:
            opened[now.provenance] = opened.get(now.provenance, 0) + 1
    counted: dict[bytes, int] = {}
    for key, before, now in differences.get(IMPORTS.name, []):
        if now is None or (before is not None and before.status is ImportStatus.CLOSED and before != now):
            return False
        counted[IMPORTS.decode_key(key)] = now.accepted - (0 if before is None else before.accepted)
    return all(opened.get(number, 0) == counted.get(number, 0) for number in (*opened, *counted))


def _imports_are_counted_in_full(ctx: Context) -> bool:
    """As many records name an import as it says; every file names the import that names the file."""
    imports = dict(ctx.scan(IMPORTS))
    opened = dict.fromkeys(imports, 0)
    for _, row in ctx.scan(RECORDS):
        if row.provenance is not None:
            if row.provenance not in opened:
                return False
            opened[row.provenance] += 1
    sources = {row.source: number for number, row in imports.items()}
    return opened == {number: row.accepted for number, row in imports.items()} and sources == dict(
        ctx.scan(IMPORT_SOURCES)
    )


INVARIANTS = (
    Invariant(name="registries.records_stay", watches=(RECORDS,), cheap=_records_stay, full=_records_have_content),
    Invariant(
        name="registries.papers",
        watches=(CERTIFICATES, MERGES),
        cheap=_papers_only_fade,
        full=_valid_papers_speak_for_live_records,
    ),
    Invariant(name="registries.merges", watches=(MERGES, RECORDS), cheap=_merges_agree, full=_merges_stand),
    Invariant(
        name="registries.keys_counted",
        watches=(UNIQUE, EPOCHS),
        cheap=_keys_are_counted,
        full=_keys_are_counted_in_full,
    ),
    Invariant(
        name="registries.imports_counted",
        watches=(RECORDS, IMPORTS),
        cheap=_imports_are_counted,
        full=_imports_are_counted_in_full,
    ),
)
