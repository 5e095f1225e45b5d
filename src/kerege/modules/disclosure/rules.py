"""Formulas of disclosure."""

from collections.abc import Sequence

from kerege.kernel.types import MAXIMUM_TIME
from kerege.modules.disclosure.types import SUCCESSOR
from kerege.modules.services.types import ServiceDefinition

OFFICIALS = "institution"
"""The word by which a definition's field says that officials may be shown it."""


def countdown(at: int) -> int:
    """A time as a key part that puts the newest first."""
    return MAXIMUM_TIME - at


def shows(definition: ServiceDefinition, fields: Sequence[str]) -> bool:
    """Whether the service shows every one of these fields to the officials who handle its cases.

    A field that the service does not know is shown to nobody, but for the link from a record to its next version: the
    key service keeps that from everyone but the roles of its purpose.
    """
    shown = [f.code for f in (*definition.record_fields, *definition.request_fields) if OFFICIALS in f.readers]
    return all(field in shown or field == SUCCESSOR for field in fields)
