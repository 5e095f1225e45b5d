"""Words of services: a case, who holds it, what is due, what stopped the clock."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from kerege.kernel.types import Address, Amount, Blind, Code, Commitment, Count, Currency, Identifier, Time
from kerege.modules.services.types.definition import Optional

_PROCEDURE = {"plain": "a state of the procedure, the same words for everybody", "readers": "everyone"}


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


Status = Annotated[CaseStatus, Meta(extra=_PROCEDURE)]
RulingWord = Annotated[Ruling, Meta(extra=_PROCEDURE)]
Guarded = Annotated[
    bool | None,
    Meta(extra={"plain": "whether two officials must act; says nothing of a person", "readers": "everyone"}),
]
"""Whether two officials must act; None while a sample is not drawn yet."""


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
    left: Count
    """Days of the step's term that were left, working or calendar as the term counts them."""


class Act(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A step taken: who, in which office, by which appointment."""

    step: Code
    """Step of the definition."""
    action: Code
    """Action taken."""
    account: Address
    """Account that signed."""
    office: Optional
    """Office, empty for the requester."""
    role: Code
    """Role, `requester` for the requester."""
    appointment: Identifier
    """Appointment in force; 16 zero bytes for the requester."""
    at: Time
    """Block time."""


class Payment(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A fee of the definition that was paid."""

    fee: Code
    """Fee of the definition."""
    currency: Currency
    """Its currency."""
    amount: Amount
    """Minor units paid: what the dated parameter said on that day."""


class Case(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The handling of a request: holder, what is due, until when, what stopped the clock."""

    service: Code
    """Service."""
    version: Count
    """Version of its definition under which the case began."""
    status: Status
    """Where it stands."""
    step: Code
    """Step that is due, or the last one."""
    office: Optional
    """Office that holds the case; empty while the requester does."""
    official: Address | None
    """Official of the office who took the case, if one did."""
    opened: Time
    """When it began."""
    due: Time
    """Deadline of the step; with the clock stopped the end of the stop, once decided the end of the term to appeal,
    while appealed the day by which the body rules."""
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
    """The last act of each step taken, in order of time; acts before them stand in the receipts."""
    guarded: Guarded
    """Whether two officials must act in this case; None while the sample is not drawn yet."""
    paid: list[Payment]
    """Fees paid."""
    outcome: Optional
    """Outcome of the definition, empty until there is one."""
    reasons: list[Code]
    """Reason codes of the last act."""
    kind: Commitment | None
    """Of an amendment: commitment to its kind."""
    ground: Commitment | None
    """Of an amendment: commitment to the ground document."""
    appeal: Optional
    """Institution appealed to, empty where none is."""
    heard: Count
    """How many of the definition's bodies of appeal have ruled on this decision."""
    blind: Blind
    """Makes the leaf unguessable."""
