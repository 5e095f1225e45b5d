"""Refusals of disclosure: only ill-formed requests; a look that is not allowed is applied, as denied."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Hash, Identifier


class IdentifierTaken(Refused, code="disclosure.1"):
    """The random id is in use: draw another."""

    identifier: Identifier


class NamedTwice(Refused, code="disclosure.2"):
    """A field or a reference stands twice in the request."""

    field: str


class TombstoneKnown(Refused, code="disclosure.3"):
    """This erasure is on the ledger already."""

    tombstone: Hash


class UnknownConsent(Refused, code="disclosure.4"):
    """No consent of the sender in force stands under this id."""

    consent: Identifier
