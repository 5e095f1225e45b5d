"""How a network is founded: each institution offers, one collects, each accepts; or one person plays all of them."""

from collections.abc import Sequence
from pathlib import Path

from kerege.consensus.embedded import Clock
from kerege.node import devkeys
from kerege.node.founding import Founder
from kerege.node.home import Home, HomeError
from kerege.node.ledger import new_ledger_id
from kerege.node.network.binary import find_engine
from kerege.node.network.founding import Founding, check_derived, controller, found, founders
from kerege.node.network.homes import lay_out
from kerege.node.network.keys import check_key
from kerege.node.network.layout import HOST, Network, is_network, member_home, member_homes
from kerege.node.network.offers import Offer, make_offer, read_offer
from kerege.node.network.ports import EACH, free_ports
from kerege.node.network.refusals import NoOffer, OfferNotIncluded
from kerege.node.workplace import read_nation


def create_network(home: Path, nation: str, validators: int, *, node: bool, clock: Clock) -> Network:
    """A network of a nation with throw-away keys, in a new folder; raises `HomeError`.

    `node`: beside the validators, the member that has the dossiers, serves clients and does not vote.
    """
    pack, ledger = read_nation(nation), new_ledger_id(nation, dev=True)
    names = founders(pack, validators)
    find_engine()
    ports = free_ports(EACH * (validators + node))[::EACH]
    offers = [make_offer(home, ledger, name, HOST, port) for name, port in zip(names, ports, strict=False)]
    if node:
        offers.append(make_offer(home, ledger, controller(pack), HOST, ports[-1], votes=False))
    return lay_out(home, found_with_throw_away_keys(Home(home), nation, offers, ledger, clock()))


def found_with_throw_away_keys(home: Home, nation: str, offers: Sequence[Offer], ledger: str, time: int) -> Founding:
    """A founding whose every office has a fresh key, kept in a home; raises `HomeError`."""
    pack = read_nation(nation)
    if home.dev_keys.exists():
        reason = f"{home.dev_keys} is there already: choose another home for the keys of the offices."
        raise HomeError(reason)
    drawn = devkeys.draw_keys(pack)
    officials = [Founder(key.office, key.role, key.public.hex()) for key in drawn]
    founding = found(nation, officials, offers, ledger, time, dev=True)
    devkeys.write_keys(home, drawn, pack.nation.prefix)
    return founding


def accept(home: Path, founding: Founding, listens: str) -> Network:
    """Lay out the members that this folder offered, if the founding holds them as they were made; raises `HomeError`.

    Nothing of it is believed: the document is made anew from what is in it.
    """
    check_derived(founding)
    for offer in check_new(home):
        _check_included(founding, offer)
    return lay_out(home, founding, listens=listens)


def check_new(home: Path) -> list[Offer]:
    """The offers of a folder that is no network's yet, whose private keys lie there; raises `HomeError`."""
    offers = offers_of(home)
    if Home(home).about.exists() or (is_network(home) and all(offer.votes for offer in offers)):
        reason = f"{home} is a home already: a founding is accepted once; see `kerege network status`."
        raise HomeError(reason)
    for offer in offers:
        for use in offer.keys:
            check_key(member_home(home, offer.name, votes=offer.votes), use, offer.key(use))
    return offers


def offers_of(home: Path) -> list[Offer]:
    """The offers that were made in a folder; raises `NoOffer` where there is none."""
    places = [each.offer for each in member_homes(home) if each.offer.is_file()]
    if not places:
        raise NoOffer(home)
    return [read_offer(place.read_bytes(), str(place)) for place in places]


def _check_included(founding: Founding, offer: Offer) -> None:
    known = next((each for each in founding.offers if each.name == offer.name), None)
    if known != offer:
        raise OfferNotIncluded(offer.name, "does not name" if known is None else "does not hold the offer of")
