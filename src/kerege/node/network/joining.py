"""A member that was not at the founding: its home, what the boards are asked for it, and how the others know it."""

from dataclasses import replace
from pathlib import Path

from kerege import proofs
from kerege.consensus.door import Door, collect
from kerege.consensus.embedded import Clock
from kerege.kernel.genesis import genesis_hash
from kerege.kernel.messages import Message
from kerege.modules.authority.messages import RegisterNodeKey, SetValidators
from kerege.modules.authority.state import VALIDATORS
from kerege.modules.authority.types import NodeKeyKind, Validator
from kerege.node.home import HomeError, write_private
from kerege.node.network import keys as own
from kerege.node.network.ceremony import check_new
from kerege.node.network.engines import knowing, known, set_engine
from kerege.node.network.founding import Founding
from kerege.node.network.homes import lay_out
from kerege.node.network.layout import Network
from kerege.node.network.offers import Offer, check_network
from kerege.node.network.refusals import OfferedTwice, OtherFounding
from kerege.node.network.rejoining import LEAST, by_blocks, by_snapshot
from kerege.node.network.settings import Setting


def join(home: Path, founding: Founding, trust: bytes, listens: str, clock: Clock, *, snapshot: bool) -> Network:
    """Lay out the validator that this folder offers to a network that runs already; raises `HomeError`.

    It follows the others without a vote until the law gives it one. `trust` is the file by which it knows that the
    founding is that of this network, and with `snapshot` the header from which it begins.
    """
    trusted = _read_trust(trust, founding)
    offers = check_new(home)
    for offer in offers:
        _check_newcomer(offer, founding)
    how = _by_snapshot(founding, trusted, clock()) if snapshot else by_blocks("it joins by all blocks")
    network = lay_out(home, founding, listens=listens, newcomers=offers, joining=how)
    for member in network.here:
        write_private(network.home(member).trust, trust, mode=0o644)
    return network


def registrations(offer: Offer) -> list[Message]:
    """What registers the keys of an offer: sent by the institution's own operator, or by the government's board."""
    return [
        RegisterNodeKey(offer.institution, NodeKeyKind(use), offer.key(use), bytes.fromhex(proof), None)
        for use, proof in offer.registrations.items()
    ]


def seated(door: Door, offer: Offer, power: int) -> SetValidators:
    """The newest set with the offer's validator in it, in place of its institution's earlier one; raises `HomeError`.

    The board that names validators is asked for it.
    """
    check_network(offer, door.ledger)
    if not offer.votes:
        reason = f"the offer of {offer.institution} is of a node, which does not vote: seat a validator's."
        raise HomeError(reason)
    sets = list(collect(door, VALIDATORS.prefix))
    if not sets:
        reason = f"one operator runs {door.ledger}: it was founded without validators, and has no seats to give."
        raise HomeError(reason)
    newest = VALIDATORS.decode_value(max(sets)[1])
    seat = Validator(offer.institution, offer.key(own.CONSENSUS), offer.key(own.CHECKPOINT), power)
    others = [each for each in newest.validators if each.institution != offer.institution]
    return SetValidators([*others, seat], newest.hash)


def introduce(network: Network, offer: Offer) -> Network:
    """Let the members of this folder know one that came later: its address and its key of connections.

    Raises `HomeError`. They use it from their next start on.
    """
    check_network(offer, network.ledger)
    for member in network.members:
        if member.name == offer.name:
            raise OfferedTwice("institution", member.name, offer.institution)
    for member in network.here:
        engine = network.engine(member)
        set_engine(engine, knowing([*known(engine), offer.peer]))
    grown = replace(network, members=(*network.members, offer.member))
    grown.write()
    return grown


def _check_newcomer(offer: Offer, founding: Founding) -> None:
    check_network(offer, founding.genesis.ledger)
    if not offer.votes:
        reason = "a network has one node, founded with it: only validators join."
        raise HomeError(reason)
    if offer.name in {each.name for each in founding.offers}:
        reason = f"{offer.name} was at the founding: `kerege network accept` lays out its home, `rejoin` begins anew."
        raise HomeError(reason)


def _read_trust(raw: bytes, founding: Founding) -> proofs.trust.Trust:
    try:
        trusted = proofs.trust.parse(raw)
    except proofs.Malformed as fault:
        reason = f"the trust file is none ({fault}): get it from a member that you trust."
        raise HomeError(reason) from None
    found = genesis_hash(founding.genesis).hex()
    if trusted.genesis.hex() != found:
        raise OtherFounding(f"of the genesis {found}", f"that of the trust file, {trusted.genesis.hex()}")
    return trusted


def _by_snapshot(founding: Founding, trusted: proofs.trust.Trust, now: int) -> tuple[Setting, ...]:
    chain = trusted.chain
    servers = [each.member for each in founding.offers]
    if chain is None or now >= chain.time + chain.period:
        reason = (
            "the trust file names no header that is new enough: make a newer one with `kerege follow`, or join by all "
            "blocks."
        )
        raise HomeError(reason)
    if len(servers) < LEAST:
        reason = f"a snapshot is checked with {LEAST} members at least: join by all blocks."
        raise HomeError(reason)
    return by_snapshot(servers, chain.height, chain.hash, "it was not at the founding: it joins by a snapshot")
