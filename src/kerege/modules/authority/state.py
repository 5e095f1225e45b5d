"""Tables of authority."""

from kerege.kernel.tables import Table
from kerege.kernel.types import Address, Code, Hash, Identifier
from kerege.modules.authority.types import Appointment, Board, Institution, NodeKey, Office, Proposal, Role

INSTITUTIONS = Table[str, Institution]("authority.institution", key=Code, value=Institution, doc="Bodies of the state.")
OFFICES = Table[str, Office]("authority.office", key=Code, value=Office, doc="Offices by code.")
ROLES = Table[str, Role]("authority.role", key=Code, value=Role, doc="Named entitlements.")
APPOINTMENTS = Table[bytes, Appointment](
    "authority.appointment", key=Identifier, value=Appointment, doc="Who holds which role where, dated."
)
APPOINTMENTS_OF = Table[tuple[bytes, bytes], bool](
    "authority.appointment_of",
    key=(Address, Identifier),
    value=bool,
    derived=True,
    doc="Index: appointments of an account (account, appointment).",
)
BOARDS = Table[str, Board]("authority.board", key=Code, value=Board, doc="Bodies that act by m of n.")
PROPOSALS = Table[bytes, Proposal]("authority.proposal", key=Identifier, value=Proposal, doc="Messages put to a board.")
NODE_KEYS = Table[bytes, NodeKey]("authority.node_key", key=Hash, value=NodeKey, doc="Keys of nodes, by public key.")

TABLES = (INSTITUTIONS, OFFICES, ROLES, APPOINTMENTS, APPOINTMENTS_OF, BOARDS, PROPOSALS, NODE_KEYS)
