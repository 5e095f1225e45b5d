"""Tables of identity."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Identifier
from kerege.modules.identity.types import Guardianship, Link, Person, PinAmendment

PERSONS = Table[bytes, Person](
    "identity.person", key=Identifier, value=Person, personal=True, doc="Persons and bodies under sector pseudonyms."
)
LINKS = Table[bytes, Link](
    "identity.link",
    key=Identifier,
    value=Link,
    personal=True,
    doc="That an account belongs to a person, as a commitment.",
)
GUARDIANSHIPS = Table[bytes, Guardianship](
    "identity.guardianship",
    key=Identifier,
    value=Guardianship,
    personal=True,
    doc="Who may act for a child or ward, as a commitment.",
)
PIN_AMENDMENTS = Table[tuple[bytes, int], PinAmendment](
    "identity.pin_amendment",
    key=(Identifier, int),
    value=PinAmendment,
    personal=True,
    doc="History of a person's PIN: one line an amendment, numbered from 1.",
)

TABLES = (PERSONS, LINKS, GUARDIANSHIPS, PIN_AMENDMENTS)
