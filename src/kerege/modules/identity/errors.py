"""Refusals of identity."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Identifier


class IdentifierTaken(Refused, code="identity.1"):
    """The random id is in use: draw another."""

    identifier: Identifier


class UnknownPerson(Refused, code="identity.2"):
    """No person stands under this pseudonym."""

    person: Identifier


class AssuranceNotHigher(Refused, code="identity.3"):
    """The level asked for is not above the present one."""

    present: str
    asked: str


class UnknownLink(Refused, code="identity.4"):
    """No link in force stands under this id."""

    link: Identifier


class UnknownGuardianship(Refused, code="identity.5"):
    """No guardianship in force stands under this id."""

    guardianship: Identifier


class NothingToBlock(Refused, code="identity.6"):
    """The person has no PIN that could be blocked."""

    person: Identifier
