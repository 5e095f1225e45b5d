"""Words of services: a case, who holds it, what is due, what stopped the clock."""

from enum import StrEnum

from msgspec import Struct

from kerege.kernel.types import Address, Blind, Code, Commitment, Count, Identifier, Time


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    SUSPENDED = "suspended"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    APPEALED = "appealed"


class Ruling(StrEnum):
    """How an appeal ends."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"


class Stop(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What stopped the clock: never without a cause, an owner and an end."""

    cause: Code
    """Suspension of the definition."""
    owner: Code
    """Who caused it: requester, office or other-body."""
    office: Code
    """Office that stopped the clock."""
    since: Time
    """When it stopped."""
    until: Time
    """When it ends by itself."""
    left: Time
    """Milliseconds of the step's term that were left."""


class Act(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A step taken: who, in which office, by which appointment."""

    step: Code
    """Step of the definition."""
    action: Code
    """Action taken."""
    account: Address
    """Account that signed."""
    office: str
    """Office, empty for the requester."""
    role: Code
    """Role, `requester` for the requester."""
    appointment: Identifier
    """Appointment in force; 16 zero bytes for the requester."""
    at: Time
    """Block time."""


class Case(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The handling of a request: holder, what is due, until when, what stopped the clock."""

    service: Code
    """Service."""
    version: Count
    """Version of its definition under which the case began."""
    status: CaseStatus
    """Where it stands."""
    step: Code
    """Step that is due, or the last one."""
    office: str
    """Office that holds the case; empty while the requester does."""
    official: Address | None
    """Official of the office who took the case, if one did."""
    opened: Time
    """When it began."""
    due: Time
    """Deadline of the step; with the clock stopped, the end of the stop."""
    stop: Stop | None
    """What stopped the clock, while it stands."""
    requester: Address | None
    """Account of who asks, fresh for this case; None until a notified parent claims it."""
    claim: Commitment | None
    """Commitment to the claim code that the notifier gave the parent."""
    content: Commitment
    """Commitment to what is asked: root over the fields of the request."""
    parties: list[Address]
    """Other accounts known to be party: none of them may handle the case."""
    evidence: list[Commitment]
    """Commitments to the evidence attached."""
    acts: list[Act]
    """Steps taken so far."""
    outcome: str
    """Outcome of the definition, empty until there is one."""
    reasons: list[Code]
    """Reason codes of the decision."""
    appeal: str
    """Institution appealed to, empty where none is."""
    blind: Blind
    """Makes the leaf unguessable."""
