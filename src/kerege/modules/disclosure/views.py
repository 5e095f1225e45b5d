"""What people see of looks: who asked to see what, for which case, and the answer. Reads, never writes."""

from collections.abc import Iterator

from msgspec import Struct

from kerege.kernel.context import Context
from kerege.modules.disclosure.keeper import Cursor, DisclosureView
from kerege.modules.disclosure.rules import countdown
from kerege.modules.disclosure.types import Look

MAXIMUM_LINES = 200
"""Of a page: bounds the work of one answer."""


class LookLine(Struct, frozen=True):
    """A look as one line."""

    access: bytes
    look: Look

    @property
    def granted(self) -> bool:
        """Whether a key could be released."""
        return not self.look.denial


class Page(Struct, frozen=True):
    """Part of a list of looks, the newest first."""

    lines: tuple[LookLine, ...]
    after: Cursor | None
    """Pass it to see what is older; None at the end."""


def looks_of_case(ctx: Context, case: bytes, after: Cursor | None = None, limit: int = 50) -> Page:
    """Looks asked for with this case, granted and denied, the newest first."""
    return _page(ctx.use(DisclosureView).for_case(case, after, _bounded(limit)), limit)


def looks_by_officer(ctx: Context, officer: bytes, after: Cursor | None = None, limit: int = 50) -> Page:
    """Looks that an account asked for, granted and denied, the newest first."""
    return _page(ctx.use(DisclosureView).by_officer(officer, after, _bounded(limit)), limit)


def looks_at_reference(ctx: Context, reference: bytes, after: Cursor | None = None, limit: int = 50) -> Page:
    """Looks at a dossier that somebody can name by its salted reference: the subject's log, the newest first.

    Only who was told the salt (the subject, the controller) knows whose dossier a reference means.
    """
    return _page(ctx.use(DisclosureView).with_reference(reference, after, _bounded(limit)), limit)


def _bounded(limit: int) -> int:
    return max(1, min(limit, MAXIMUM_LINES))


def _page(found: Iterator[tuple[bytes, Look]], limit: int) -> Page:
    lines = tuple(LookLine(access, look) for access, look in found)
    full = len(lines) == _bounded(limit)
    return Page(lines, (countdown(lines[-1].look.at), lines[-1].access) if full else None)
