"""What services announces."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Address, Code, Count, Identifier, Time
from kerege.modules.services.types import Act, Case, Optional, Payment

_CASE = Meta(description="The case's random id.")


class DefinitionPublished(Event, frozen=True, tag="services.DefinitionPublished"):
    """A version of a service was published."""

    service: Annotated[Code, Meta(description="Service.")]
    version: Annotated[Count, Meta(description="Version.")]
    definition: Annotated[
        bytes,
        Meta(description="Canonical bytes of the definition.", extra={"plain": "law, public", "readers": "public"}),
    ]


class CaseWritten(Event, frozen=True, tag="services.CaseWritten"):
    """A case began or moved: the row says who must act next and until when."""

    case: Annotated[Identifier, _CASE]
    row: Annotated[Case, Meta(description="The row from now on.")]


class StepTaken(Event, frozen=True, tag="services.StepTaken"):
    """Somebody took an action in a case: who, in which office, by which appointment, with which reasons."""

    case: Annotated[Identifier, _CASE]
    act: Annotated[Act, Meta(description="Step, action, account, office, role, appointment, time.")]
    reasons: Annotated[list[Code], Meta(description="Reason codes of the definition.")]


class CaseOverdue(Event, frozen=True, tag="services.CaseOverdue"):
    """The holder let a deadline pass; the case stays open, and everyone sees it. Announced once per deadline."""

    case: Annotated[Identifier, _CASE]
    holder: Annotated[Optional, Meta(description="Office, or institution appealed to; empty for the requester.")]
    due: Annotated[Time, Meta(description="The deadline missed.")]


class CaseEnded(Event, frozen=True, tag="services.CaseEnded"):
    """A case came to an outcome."""

    case: Annotated[Identifier, _CASE]
    outcome: Annotated[Code, Meta(description="Outcome of the definition.")]


class ClockStopped(Event, frozen=True, tag="services.ClockStopped"):
    """The clock of a step stopped, or ran again."""

    case: Annotated[Identifier, _CASE]
    stopped: Annotated[bool, Meta(description="Whether it stands.", extra={"plain": "a state of the procedure"})]


class FeePaid(Event, frozen=True, tag="services.FeePaid"):
    """A fee of the service was paid."""

    case: Annotated[Identifier, _CASE]
    payment: Annotated[Payment, Meta(description="Fee, currency and amount.")]
    payer: Annotated[Address, Meta(description="Account that paid.")]


EVENTS = (DefinitionPublished, CaseWritten, StepTaken, CaseOverdue, CaseEnded, ClockStopped, FeePaid)
