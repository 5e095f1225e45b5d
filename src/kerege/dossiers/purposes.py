"""What dossiers are kept for: every purpose with its retention and who may be shown what is in it.

The data key is one per subject *and purpose*, so that a refused application can be destroyed while the person's act
stays. Purposes are data: a nation pack may bring its own list.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kerege.dossiers.errors import PurposeUnknown


class Retention(StrEnum):
    """How long dossiers of a purpose are kept."""

    PERMANENT = "permanent"
    """For ever: acts of civil status and what makes them readable."""

    ERASABLE = "erasable"
    """Until the term of the procedure is over, or the subject demands it and no hold stands against it."""


class Audience(StrEnum):
    """Who can be shown a dossier of a purpose."""

    OFFICIALS = "officials"
    """Whoever has an access granted on the ledger."""

    ROLES = "roles"
    """The same, and only under one of the roles the purpose names."""

    NOBODY = "nobody"
    """No person: mappings that only the controller's machine reads to build transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One purpose of keeping personal data."""

    code: str
    retention: Retention
    audience: Audience = Audience.OFFICIALS
    roles: tuple[str, ...] = ()
    about: str


PURPOSES: tuple[Purpose, ...] = (
    Purpose(code="acts", retention=Retention.PERMANENT, about="Versions of acts of civil status."),
    Purpose(
        code="requests",
        retention=Retention.ERASABLE,
        about="Applications, refused ones included; what led to an act is written again under `acts`.",
    ),
    Purpose(code="import-staging", retention=Retention.ERASABLE, about="Rows of an old registry under comparison."),
    Purpose(code="links", retention=Retention.PERMANENT, about="Which record id an amendment closed and opened."),
    Purpose(
        code="adoption",
        retention=Retention.PERMANENT,
        audience=Audience.ROLES,
        roles=("judge",),
        about="The same link where the ground is an adoption: for the court alone.",
    ),
    Purpose(
        code="identity",
        retention=Retention.ERASABLE,
        audience=Audience.NOBODY,
        about="Which pseudonyms and accounts are one person.",
    ),
)
"""Purposes of the civil registry. Every amendment has one row under `links` or `adoption`, so that their number, which
the size of the store shows, says nothing."""


class Purposes:
    """The purposes of one controller, by code."""

    def __init__(self, purposes: Iterable[Purpose]) -> None:
        self._purposes: Mapping[str, Purpose] = {purpose.code: purpose for purpose in purposes}

    def get(self, code: str) -> Purpose:
        """Give the purpose; raises `PurposeUnknown`."""
        if code not in self._purposes:
            raise PurposeUnknown(purpose=code)
        return self._purposes[code]

    def codes(self) -> tuple[str, ...]:
        """All codes, in the order of the list."""
        return tuple(self._purposes)
