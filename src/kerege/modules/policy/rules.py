"""Which revision is in force: pure formulas."""

from kerege.modules.policy.errors import WrongType
from kerege.modules.policy.types import LegalBasis, Revision, Value

WEEKDAYS = ("0", "1", "2", "3", "4", "5", "6")


def in_force(revisions: list[tuple[int, Revision]], at: int, known: int) -> Revision | None:
    """The revision in force at a time as known at a time: of those enacted by `known`, the one with the latest
    beginning not after `at`, the later enacted of two that begin together; None where it has ended.

    `revisions`: (enacted, revision) in order of enactment.
    """
    best: Revision | None = None
    for enacted, revision in revisions:
        if enacted <= known and revision.since <= at and (best is None or revision.since >= best.since):
            best = revision
    return None if best is None or (best.until is not None and best.until <= at) else best


def basis_complete(basis: list[LegalBasis]) -> bool:
    """Whether each legal basis is whole or says that it is unverified."""
    return bool(basis) and all(
        b.unverified or (b.act and b.article and b.url.startswith("https://") and b.read_on is not None) for b in basis
    )


def type_name(value: Value) -> str:
    """Name of a value's type: bool, int, str or list."""
    return type(value).__name__


def weekdays(name: str, value: Value) -> tuple[int, ...]:
    """Days of the week, 0 Monday … 6 Sunday, of a rule that lists them as words; raises `WrongType`."""
    if not isinstance(value, list) or not all(word in WEEKDAYS for word in value):
        raise WrongType(name=name, expected="list of 0 to 6")
    return tuple(WEEKDAYS.index(word) for word in value)
