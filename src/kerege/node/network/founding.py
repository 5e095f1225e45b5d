"""The founding document: what a network begins with, the same bytes for every institution, who compare its hash aloud.

It holds no secret, and nothing that does not come from the offers, the founding officials and the nation's pack:
whoever has these makes it anew, and refuses another.
"""

import itertools
from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from kerege.kernel.genesis import Genesis
from kerege.node.founding import Founder, posts_of
from kerege.node.genesis import ValidatorPost, genesis_of
from kerege.node.home import HomeError
from kerege.node.importing import ROLE
from kerege.node.network.document import engine_genesis, founding_validators, genesis_in
from kerege.node.network.keys import GATEWAY
from kerege.node.network.offers import Offer, check_network, check_offer
from kerege.node.network.ports import EACH
from kerege.node.network.refusals import FoundingChanged, OfferedTwice, OtherFounding, UnknownInstitution
from kerege.node.pack import Pack
from kerege.node.workplace import read_nation

MOST = 16
"""Validators of a founding at most; later ones come by law."""


class Founding(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all members of a network begin with."""

    format: Literal["kerege-founding/1"] = "kerege-founding/1"
    nation: Annotated[str, Meta(max_length=64)]
    dev: bool
    """Whether throw-away keys hold the offices: never for a real ledger."""
    officials: list[Founder]
    """Who holds which office from the beginning, with which key."""
    offers: list[Offer]
    """Every member as its institution offered it: validators in the pack's order, then the node."""
    engine: dict[str, Any]
    """The engine's genesis file, in it the ledger's."""

    @property
    def genesis(self) -> Genesis:
        """The ledger's first bytes; raises `FoundingChanged`."""
        try:
            return genesis_in(self.engine)
        except (ValueError, KeyError, TypeError) as error:
            raise FoundingChanged(f"no genesis: {error}") from None

    @property
    def raw(self) -> bytes:
        """The file."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=1) + b"\n"

    @property
    def hash(self) -> str:
        """SHA-256 of the file, in hex."""
        return sha256(self.raw).hexdigest()


def found(
    nation: str, officials: Sequence[Founder], offers: Sequence[Offer], ledger: str, time: int, *, dev: bool
) -> Founding:
    """The founding of a network by these offers, whatever their order; raises `HomeError`."""
    pack = read_nation(nation)
    for offer in offers:
        check_network(offer, ledger)
        check_offer(offer, f"the offer of {offer.institution}")
    members = _ordered(pack, offers)
    _check_different(members)
    posts = [each.post for each in members if each.votes]
    gateways = [(each.institution, each.key(GATEWAY)) for each in members if not each.votes]
    genesis = genesis_of(pack, posts_of(officials, pack), ledger, time, posts, gateways)
    engine = engine_genesis(genesis, posts)
    return Founding(nation=nation, dev=dev, officials=list(officials), offers=members, engine=engine)


def read_founding(raw: bytes, expected: str = "") -> Founding:
    """The founding of a file, with every offer in it proven; raises `HomeError`.

    `expected`: the hash that was agreed on; empty where it is compared by people.
    """
    try:
        founding = msgspec.json.decode(raw, type=Founding)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FoundingChanged(str(error)) from None
    if founding.raw != raw:
        raise FoundingChanged("it is written otherwise than `kerege network collect` writes")
    if expected and founding.hash != expected:
        raise OtherFounding(founding.hash, expected)
    for offer in founding.offers:
        check_network(offer, founding.genesis.ledger)
        check_offer(offer, f"the offer of {offer.institution}")
    _check_signing(founding)
    return founding


def _check_signing(founding: Founding) -> None:
    """Raise `FoundingChanged` unless ledger and engine begin with the validators that were offered."""
    posts = [each.post for each in founding.offers if each.votes]
    try:
        seats = founding_validators(founding.genesis)
    except (ValueError, KeyError, TypeError) as error:
        raise FoundingChanged(f"no validators: {error}") from None
    lawful = [ValidatorPost(each.institution, each.consensus_key, each.checkpoint_key, each.power) for each in seats]
    if lawful != posts or founding.engine != engine_genesis(founding.genesis, posts):
        raise FoundingChanged("its genesis is not that of its offers")


def check_derived(founding: Founding) -> None:
    """Raise `FoundingChanged` unless it is what its offers and officials come to by this release's pack."""
    genesis = founding.genesis
    try:
        again = found(
            founding.nation, founding.officials, founding.offers, genesis.ledger, genesis.time, dev=founding.dev
        )
    except HomeError as fault:
        raise FoundingChanged(str(fault).rstrip(".")) from None
    if again.raw != founding.raw:
        raise FoundingChanged("its offers and officials come to another genesis")


def founders(pack: Pack, count: int) -> list[str]:
    """The first institutions of a pack that may run a validator; raises `HomeError`."""
    known = validating(pack)
    if not 1 <= count <= min(MOST, len(known)):
        reason = f"{count} validators: choose from 1 to {min(MOST, len(known))}, each is an institution of the pack."
        raise HomeError(reason)
    return known[:count]


def validating(pack: Pack) -> list[str]:
    """Institutions of a pack that may run a validator: those that it names, then all that are under no other."""
    named = [body.institution for body in pack.validators]
    return [*named, *(each.code for each in pack.institutions if not each.parent and each.code not in named)]


def controller(pack: Pack) -> str:
    """The institution whose node has the dossiers: the one that imports the old registry."""
    kinds = {kind.code: kind for kind in pack.office_kinds}
    return next(office.institution for office in pack.offices if ROLE in kinds[office.kind].roles)


def _ordered(pack: Pack, offers: Sequence[Offer]) -> list[Offer]:
    """Validators in the pack's order, then the node; raises `HomeError` where one may not be there, or too many are."""
    known, own = validating(pack), [controller(pack)]
    for offer in offers:
        may, runs = (known, "validator") if offer.votes else (own, "node")
        if offer.institution not in may:
            raise UnknownInstitution(offer.institution, runs, may)
    voting = [each for each in offers if each.votes]
    founders(pack, len(voting))
    voting.sort(key=lambda each: known.index(each.institution))
    return [*voting, *(each for each in offers if not each.votes)]


def _check_different(offers: Sequence[Offer]) -> None:
    """Raise `OfferedTwice` where one institution, key or address stands for two members."""
    for one, other in itertools.combinations(offers, 2):
        twice = {
            "institution": one.name == other.name,
            "key": bool(set(one.keys.values()) & set(other.keys.values())),
            "address": one.host == other.host and abs(one.port - other.port) < EACH,
        }
        for what, same in twice.items():
            if same:
                raise OfferedTwice(what, one.institution, other.institution)
