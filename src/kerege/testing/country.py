"""A small country for tests: a genesis of people, officials, boards, rules and money, by names."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict

from kerege.kernel import crypto
from kerege.kernel.codec import encode
from kerege.modules.accounts.genesis import Founding
from kerege.modules.accounts.genesis import Genesis as AccountsGenesis
from kerege.modules.accounts.types import AccountKind
from kerege.modules.authority.genesis import Genesis as AuthorityGenesis
from kerege.modules.authority.genesis import ReplicatedGenesis
from kerege.modules.authority.types import Appointment, Board, Institution, Office, Role, Validator
from kerege.modules.bank.genesis import Genesis as BankGenesis
from kerege.modules.bank.types import CurrencyRow
from kerege.modules.policy.genesis import Genesis as PolicyGenesis
from kerege.modules.policy.types import LegalBasis, Revision
from kerege.testing import names

UNVERIFIED = [LegalBasis("", "", "", None, unverified=True)]

GOVERNMENT, CENTRAL_BANK, CONSENSUS = "government", "central-bank", "consensus"

RULES: Mapping[str, Any] = {
    "policy.offset_minutes": 360,
    "bank.base_currency": "KGS",
    "bank.minimum_balance_per_entry": 100,
    "accounts.rate_burst": 2_000,
    "accounts.rate_refill_per_second": 50,
}

Posts = Mapping[str, tuple[str, str]]
"""Official → (role, office)."""

Modules = list[tuple[str, bytes]]


def office_institution(office: str) -> str:
    """The institution of an office of the country: the office's name without its number."""
    return office.partition("-")[0]


def found(
    people: Sequence[str] = (),
    posts: Posts | None = None,
    boards: Mapping[str, tuple[Sequence[str], int]] | None = None,
    rules: Mapping[str, Any] | None = None,
    money: Mapping[str, int] | None = None,
    validators: Sequence[Validator] = (),
    gateways: Sequence[tuple[str, bytes]] = (),
) -> Modules:
    """Genesis of the country. Members of boards and officials get accounts too; money is in tyiyn.

    Every office `X-1` belongs to the institution `X`, which appoints to all roles of the country. Institutions of
    `validators` are founded with them, and the `gateways` of their nodes.
    """
    rules = {**RULES, **({"authority.consensus_board": CONSENSUS} if validators else {}), **(rules or {})}
    posts, boards = posts or {}, boards or {GOVERNMENT: (["minister"], 1), CENTRAL_BANK: (["banker"], 1)}
    officials = dict.fromkeys([*posts, *(member for members, _ in boards.values() for member in members)])
    return [
        ("accounts", encode(_accounts(people, officials))),
        ("authority", encode(_authority(posts, boards, validators, gateways))),
        ("policy", encode(_policy(rules))),
        ("bank", encode(_bank(money or {}))),
    ]


def _accounts(people: Sequence[str], officials: Mapping[str, None]) -> AccountsGenesis:
    kinds = dict.fromkeys(people, AccountKind.PERSON) | dict.fromkeys(officials, AccountKind.OFFICIAL)
    return AccountsGenesis([Founding(kind, crypto.ED25519, names.signer(name).key) for name, kind in kinds.items()])


def _authority(
    posts: Posts,
    boards: Mapping[str, tuple[Sequence[str], int]],
    validators: Sequence[Validator],
    gateways: Sequence[tuple[str, bytes]],
) -> AuthorityGenesis:
    bodies = _bodies(posts, boards, [each.institution for each in validators])
    if not validators:
        return bodies
    return ReplicatedGenesis(**asdict(bodies), validators=list(validators), gateways=list(gateways))


def _bodies(posts: Posts, boards: Mapping[str, tuple[Sequence[str], int]], more: Sequence[str]) -> AuthorityGenesis:
    roles = sorted({role for role, _ in posts.values()})
    offices = dict.fromkeys(office for _, office in posts.values())
    return AuthorityGenesis(
        institutions=[
            (code, Institution("", roles)) for code in dict.fromkeys([*map(office_institution, offices), *more])
        ],
        roles=[(role, Role([])) for role in roles],
        offices=[(office, Office("office", office_institution(office), "", 0, None)) for office in offices],
        appointments=[
            (names.random_like(f"{who}/{role}", 16), Appointment(names.address(who), office, role, 0, None, None))
            for who, (role, office) in posts.items()
        ],
        boards=[
            (board, Board(sorted(map(names.address, members)), threshold))
            for board, (members, threshold) in boards.items()
        ],
    )


def _policy(rules: Mapping[str, Any]) -> PolicyGenesis:
    enacted = [(name, Revision(value, 0, None, UNVERIFIED)) for name, value in rules.items() if value is not None]
    return PolicyGenesis(enacted, [])


def _bank(money: Mapping[str, int]) -> BankGenesis:
    balances = [(names.address(name), "KGS", amount) for name, amount in money.items() if amount]
    return BankGenesis([("KGS", CurrencyRow(2, CENTRAL_BANK))], balances)
