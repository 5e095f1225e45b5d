"""Rate bucket and sequences: pure formulas."""

from kerege.modules.accounts.types import Account, Recovery, Usage

Bucket = tuple[int, int]
"""Units of work that a rate bucket holds (a burst), and that flow into it in a second of block time."""

PERSON_BUCKET: Bucket = (2_000, 50)
"""Where no rule says otherwise."""

OFFICE_BUCKET: Bucket = (20_000, 2_000)
"""Of accounts that act for an office: an import brings thousands of records a second."""

SPONSORED_ENTRIES = 1_000
"""State entries of one account for which a sponsor answers: a family's cases and payments of many years."""

THOUSANDTHS = 1_000
"""A unit of work is counted in thousandths, so that every millisecond brings whole ones and nothing is rounded."""

_LARGEST = 10**12

NEW = Usage((), 0, 0, 0)
"""Usage of an account that has not sent yet: its bucket has been filling since 1970."""


def rule_or(value: object, default: int) -> int:
    """The value where it is a whole number above 0: a rule of another kind must not stop everybody from sending."""
    return min(value, _LARGEST) if type(value) is int and value > 0 else default


def refill(usage: Usage, now: int, capacity: int, per_second: int) -> int:
    """Thousandths in the bucket now: what was there and what flowed in since, at most the capacity (in units)."""
    return min(capacity * THOUSANDTHS, usage.tokens + (now - usage.refilled) * per_second)


def enough_at(tokens: int, weight: int, now: int, per_second: int) -> int:
    """When the bucket, now of so many thousandths, will hold `weight` units: the ceiling, in milliseconds."""
    return now + -((tokens - weight * THOUSANDTHS) // per_second)


def with_sequence(sequences: tuple[int, ...], lane: int, sequence: int) -> tuple[int, ...]:
    """The sequences with a lane's next one set."""
    if lane == 0 and len(sequences) <= 1:
        return (sequence,)
    padded = sequences + (0,) * (lane + 1 - len(sequences))
    return (*padded[:lane], sequence, *padded[lane + 1 :])


def approved(account: Account, recovery: Recovery) -> bool:
    """Whether enough of those who are guardians now have approved.

    Where no office started it, at least one of them: an account that has no guardians any more is nobody's to recover.
    """
    needed = account.threshold if recovery.office else max(1, account.threshold)
    return sum(guardian in account.guardians for guardian in recovery.approvals) >= needed
