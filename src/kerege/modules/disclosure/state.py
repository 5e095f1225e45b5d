"""Tables of disclosure."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Address, Commitment, Hash, Identifier, Time
from kerege.modules.disclosure.types import Consent, Job, Look

LOOKS = Table[bytes, Look](
    "disclosure.look", key=Identifier, value=Look, personal=True, doc="Requests to look, granted and denied."
)
LOOKS_AT = Table[tuple[int, bytes], bool](
    "disclosure.look_at", key=(Time, Identifier), value=bool, doc="Index: looks by block time."
)
LOOKS_OF = Table[tuple[bytes, int, bytes], bool](
    "disclosure.look_of", key=(Identifier, Time, Identifier), value=bool, doc="Index: looks of a case."
)
LOOKS_FOR = Table[tuple[bytes, int, bytes], bool](
    "disclosure.look_for",
    key=(Identifier, Time, Identifier),
    value=bool,
    doc="Index: looks of a case, the newest first (time counted down).",
)
LOOKS_BY = Table[tuple[bytes, int, bytes], bool](
    "disclosure.look_by",
    key=(Address, Time, Identifier),
    value=bool,
    doc="Index: looks of an official, the newest first (time counted down).",
)
LOOKS_WITH = Table[tuple[bytes, int, bytes], bool](
    "disclosure.look_with",
    key=(Commitment, Time, Identifier),
    value=bool,
    doc="Index: looks at a dossier by its salted reference, the newest first (time counted down).",
)
JOBS = Table[bytes, Job]("disclosure.job", key=Identifier, value=Job, doc="Runs of machine jobs.")
TOMBSTONES = Table[bytes, int](
    "disclosure.tombstone", key=Hash, value=Time, doc="Erasures: what cannot be read any more, and since when."
)
CONSENTS = Table[bytes, Consent](
    "disclosure.consent", key=Identifier, value=Consent, personal=True, doc="Consents, as commitments."
)

TABLES = (LOOKS, LOOKS_AT, LOOKS_OF, LOOKS_FOR, LOOKS_BY, LOOKS_WITH, JOBS, TOMBSTONES, CONSENTS)
