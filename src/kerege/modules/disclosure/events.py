"""What disclosure announces."""

from typing import Annotated

from msgspec import Meta

from kerege.kernel.messages import Event
from kerege.kernel.types import Hash, Identifier, Time
from kerege.modules.disclosure.types import Consent, Job, Look

_ACCESS = Meta(description="The request's random id.")
_ROW = Meta(description="The row from now on.")


class AccessGranted(Event, frozen=True, tag="disclosure.AccessGranted"):
    """A look was allowed: the key service releases keys until its term ends."""

    access: Annotated[Identifier, _ACCESS]
    row: Annotated[Look, _ROW]


class AccessDenied(Event, frozen=True, tag="disclosure.AccessDenied"):
    """A look was not allowed; no key is released, and everyone sees that it was tried."""

    access: Annotated[Identifier, _ACCESS]
    row: Annotated[Look, _ROW]


class JobStarted(Event, frozen=True, tag="disclosure.JobStarted"):
    """A machine job runs."""

    job: Annotated[Identifier, Meta(description="The run's random id.")]
    row: Annotated[Job, _ROW]


class Erased(Event, frozen=True, tag="disclosure.Erased"):
    """The keys of some dossier were destroyed."""

    tombstone: Annotated[Hash, Meta(description="Tombstone that the key service gave.")]
    at: Annotated[Time, Meta(description="Block time.")]


class ConsentWritten(Event, frozen=True, tag="disclosure.ConsentWritten"):
    """A consent was given or withdrawn."""

    consent: Annotated[Identifier, Meta(description="The consent's random id.")]
    row: Annotated[Consent, _ROW]


EVENTS = (AccessGranted, AccessDenied, JobStarted, Erased, ConsentWritten)
