"""From a nation's pack and the founding officials' keys to the first bytes of a ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from msgspec.structs import asdict, replace

from kerege.kernel import crypto
from kerege.kernel.codec import encode
from kerege.kernel.days import start_of
from kerege.kernel.genesis import Genesis
from kerege.modules.accounts.genesis import Founding
from kerege.modules.accounts.genesis import Genesis as AccountsGenesis
from kerege.modules.accounts.types import AccountKind
from kerege.modules.authority.genesis import Genesis as AuthorityGenesis
from kerege.modules.authority.genesis import ReplicatedGenesis
from kerege.modules.authority.types import Appointment, Board, Institution, Office, Role, Validator
from kerege.modules.bank.genesis import Genesis as BankGenesis
from kerege.modules.bank.keeper import BASE_CURRENCY
from kerege.modules.bank.types import CurrencyRow
from kerege.modules.policy.genesis import Genesis as PolicyGenesis
from kerege.modules.policy.keeper import REST
from kerege.modules.policy.types import CalendarDay, LegalBasis, Revision, Value
from kerege.modules.services.genesis import Genesis as ServicesGenesis
from kerege.modules.services.keeper.cases import FEE_ACCOUNT
from kerege.node.home import HomeError
from kerege.node.pack import Pack
from kerege.node.pack.types import Value as PackValue

GOVERNMENT = "government"
CENTRAL_BANK = "central-bank"
TREASURER = "treasurer"
"""Role whose founding holder's account receives fees, until a proposal names another."""
BOARDS = {GOVERNMENT: ("minister-justice", "system-operator", TREASURER), CENTRAL_BANK: ("central-banker",)}
"""Founding boards and the roles whose holders sit on them; more than half of them decide."""
CONSENSUS_BOARD = "authority.consensus_board"
"""Parameter that names the board whose proposals change the validators."""

_UNVERIFIED = [LegalBasis("", "", "", None, unverified=True)]


@dataclass(frozen=True, slots=True)
class Post:
    """A founding official: who holds which role at which office, with which key."""

    office: str
    role: str
    key: bytes
    """32-byte Ed25519 public key."""

    @property
    def address(self) -> bytes:
        """The official's account."""
        return crypto.address_of(crypto.ED25519, self.key)


@dataclass(frozen=True, slots=True)
class ValidatorPost:
    """A founding validator: which institution runs it, with which keys.

    Genesis is trusted as a whole, so that no proof of possession stands beside the keys: who accepts a founding has
    seen it in the offers, from which it is made anew.
    """

    institution: str
    consensus_key: bytes
    """32-byte Ed25519 public key that signs blocks."""
    checkpoint_key: bytes
    """32-byte Ed25519 public key that signs checkpoints; never the consensus key."""
    power: int


def genesis_of(
    pack: Pack,
    posts: Sequence[Post],
    ledger: str,
    time: int,
    validators: Sequence[ValidatorPost] = (),
    gateways: Sequence[tuple[str, bytes]] = (),
) -> Genesis:
    """The genesis of a ledger of this nation; raises `HomeError` where a founding board has no member.

    With `validators` it begins as a replicated one: they sign from the first block on, and the pack's validating
    institutions sit on the board that names later ones. `gateways`: institutions and the keys of their nodes.
    """
    return Genesis(
        ledger=ledger,
        prefix=pack.nation.prefix,
        time=time,
        modules=[
            ("accounts", encode(_accounts(posts))),
            ("authority", encode(_authority(pack, posts, validators, gateways))),
            ("policy", encode(_policy(pack, posts))),
            ("bank", encode(_bank(pack))),
            ("services", encode(ServicesGenesis([encode(s.definition) for s in pack.services]))),
        ],
    )


def _accounts(posts: Sequence[Post]) -> AccountsGenesis:
    keys = dict.fromkeys(post.key for post in posts)
    return AccountsGenesis([Founding(AccountKind.OFFICIAL, crypto.ED25519, key) for key in keys])


def _authority(
    pack: Pack, posts: Sequence[Post], validators: Sequence[ValidatorPost], gateways: Sequence[tuple[str, bytes]]
) -> AuthorityGenesis:
    plain = _bodies(pack, posts)
    if not validators:
        return plain
    seats = [Validator(v.institution, v.consensus_key, v.checkpoint_key, v.power) for v in validators]
    boards = [*plain.boards, (_consensus_board(pack), _speakers(pack, posts))]
    return ReplicatedGenesis(**asdict(replace(plain, boards=boards)), validators=seats, gateways=list(gateways))


def _consensus_board(pack: Pack) -> str:
    """Name of the board that names validators: the parameter's first value."""
    named = next((p.history[0].value for p in pack.parameters if p.name == CONSENSUS_BOARD), None)
    if not isinstance(named, str):
        raise HomeError(f"the nation's pack does not say which board names validators: add {CONSENSUS_BOARD}.")
    return named


def _speakers(pack: Pack, posts: Sequence[Post]) -> Board:
    """One founding official for every institution of the pack that may validate; more than two thirds decide."""
    members: list[bytes] = []
    for body in pack.validators:
        own = {office.code for office in pack.offices if office.institution == body.institution}
        speaker = next((post.address for post in posts if post.role == body.role and post.office in own), None)
        if speaker is None or speaker in members:
            raise HomeError(f"no founding official of its own speaks for {body.institution}: add one as {body.role}.")
        members.append(speaker)
    if not members:
        raise HomeError("the nation's pack names no institutions as validators: add them to institutions.yaml.")
    return Board(sorted(members), 2 * len(members) // 3 + 1)


def _bodies(pack: Pack, posts: Sequence[Post]) -> AuthorityGenesis:
    offset = pack.nation.offset_minutes
    kinds_of: dict[str, list[str]] = {role.code: [] for role in pack.roles}
    for kind in pack.office_kinds:
        for role in kind.roles:
            kinds_of[role].append(kind.code)
    return AuthorityGenesis(
        institutions=[(i.code, Institution(i.parent, list(i.roles))) for i in _parents_first(pack)],
        roles=[(role, Role(kinds)) for role, kinds in kinds_of.items()],
        offices=[
            (o.code, Office(o.kind, o.institution, o.territory, *_period(o.valid_from, o.valid_to, offset)))
            for o in pack.offices
        ],
        appointments=[(_appointment_id(p), Appointment(p.address, p.office, p.role, 0, None, None)) for p in posts],
        boards=[(name, _board(name, roles, posts)) for name, roles in BOARDS.items()],
    )


def _parents_first(pack: Pack) -> list[Any]:
    known, ordered, waiting = {""}, [], list(pack.institutions)
    while waiting:
        ready = [i for i in waiting if i.parent in known]
        if not ready:
            reason = (
                f"institutions of the pack form a circle: {', '.join(i.code for i in waiting)}; mend their parents."
            )
            raise HomeError(reason)
        ordered += ready
        known.update(i.code for i in ready)
        waiting = [i for i in waiting if i.code not in known]
    return ordered


def _period(first: int | None, last: int | None, offset: int) -> tuple[int, int | None]:
    """From the first to the last day of validity, both included, as times."""
    since = 0 if first is None else max(0, start_of(first, offset))
    return since, None if last is None else start_of(last + 1, offset)


def _appointment_id(post: Post) -> bytes:
    """An id for a founding appointment: these are public, and a replay must find the same."""
    return sha256(encode(("kerege/founding/1", post.office, post.role, post.key))).digest()[:16]


def _board(name: str, roles: tuple[str, ...], posts: Sequence[Post]) -> Board:
    members = sorted({post.address for post in posts if post.role in roles})
    if not members:
        reason = f"no founding official holds a role of the board {name} ({', '.join(roles)}): add one to the keys."
        raise HomeError(reason)
    return Board(members, len(members) // 2 + 1)


def _policy(pack: Pack, posts: Sequence[Post]) -> PolicyGenesis:
    offset = pack.nation.offset_minutes
    parameters = [
        (parameter.name, Revision(_value(d.value), _period(d.valid_from, None, offset)[0], None, _basis(d.legal_basis)))
        for parameter in pack.parameters
        for d in parameter.history
    ]
    rest = [str(day) for day in pack.nation.rest_weekdays]
    parameters.append((REST, Revision(rest, 0, None, _UNVERIFIED)))
    parameters.append((BASE_CURRENCY, Revision(pack.nation.currency, 0, None, _UNVERIFIED)))
    treasury = next((post.address.hex() for post in posts if post.role == TREASURER), None)
    if treasury is not None:
        parameters.append((FEE_ACCOUNT, Revision(treasury, 0, None, _UNVERIFIED)))
    calendar = [(h.day, CalendarDay(h.works, h.code, _basis((h.legal_basis,)))) for h in pack.holidays]
    return PolicyGenesis(parameters, calendar)


def _value(value: PackValue) -> Value:
    return list(value) if isinstance(value, tuple) else value


def _basis(bases: Sequence[Any]) -> list[LegalBasis]:
    return [LegalBasis(b.act, b.article, b.url, b.read_on, b.unverified) for b in bases]


def _bank(pack: Pack) -> BankGenesis:
    return BankGenesis([(c.code, CurrencyRow(c.decimals, CENTRAL_BANK)) for c in pack.nation.currencies], [])
