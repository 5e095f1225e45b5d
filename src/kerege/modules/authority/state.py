"""Tables of authority."""

from kerege.kernel.misbehaviour import ConsensusAddress
from kerege.kernel.tables import Table
from kerege.kernel.types import Address, Code, Hash, Height, Identifier
from kerege.modules.authority.types import (
    Appointment,
    Board,
    Institution,
    MisbehaviourRecord,
    NodeKey,
    Office,
    Proposal,
    Role,
    ValidatorSet,
)

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
VALIDATORS = Table[int, ValidatorSet](
    "authority.validators",
    key=Height,
    value=ValidatorSet,
    few=True,
    doc="Who signs blocks, by the height from which on.",
)
VALIDATORS_NEWEST = Table[str, int](
    "authority.validators_newest",
    key=Code,
    value=Height,
    derived=True,
    few=True,
    doc="Under `newest`: the key of the newest validator set.",
)
VALIDATOR_KEYS = Table[bytes, bytes](
    "authority.validator_key",
    key=ConsensusAddress,
    value=Hash,
    derived=True,
    doc="Index: consensus keys that ever had a seat, by the address by which an engine names them.",
)
MISBEHAVIOUR = Table[tuple[bytes, int, str], MisbehaviourRecord](
    "authority.misbehaviour",
    key=(ConsensusAddress, Height, Code),
    value=MisbehaviourRecord,
    doc="What validators did that they must not, by address, height of the deed and its kind.",
)

TABLES = (
    INSTITUTIONS,
    OFFICES,
    ROLES,
    APPOINTMENTS,
    APPOINTMENTS_OF,
    BOARDS,
    PROPOSALS,
    NODE_KEYS,
    VALIDATORS,
    VALIDATORS_NEWEST,
    VALIDATOR_KEYS,
    MISBEHAVIOUR,
)
