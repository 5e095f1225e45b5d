"""Refusals of policy."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Code


class UnknownParameter(Refused, code="policy.1"):
    """No value of this parameter is in force at that time."""

    name: str
    time: int


class BasisMissing(Refused, code="policy.2"):
    """A rule names its legal basis in full, or says that it is unverified."""

    name: str


class ChangesThePast(Refused, code="policy.3"):
    """A rule is in force from now or later: what has happened was judged by the rules of its day."""

    name: str
    since: int
    time: int


class BadPeriod(Refused, code="policy.4"):
    """The value would end before it begins."""

    name: str
    since: int
    until: int


class WrongType(Refused, code="policy.5"):
    """The parameter holds values of another type."""

    name: Code
    expected: str


class PastDay(Refused, code="policy.6"):
    """The calendar of a day that has begun cannot change."""

    day: int
    today: int
