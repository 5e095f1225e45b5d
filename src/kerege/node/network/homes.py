"""From a founding to what runs: the homes of those members whose keys lie in this folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from kerege.dossiers.controller import Controller
from kerege.node.home import Home, write_private
from kerege.node.network.engines import settle_engine
from kerege.node.network.founding import Founding
from kerege.node.network.layout import HOST, Member, Network
from kerege.node.network.offers import Offer
from kerege.node.network.settings import Setting
from kerege.node.replica import ENGINE, begin_replica, create_replica

ANYWHERE = "0.0.0.0"  # noqa: S104 - a member behind a router does not know the address at which others reach it


def lay_out(
    home: Path,
    founding: Founding,
    *,
    listens: str = "",
    newcomers: Sequence[Offer] = (),
    joining: Sequence[Setting] = (),
) -> Network:
    """Set up every member whose offer was made in this folder, and mark the folder as the network's.

    What a killed process left half done is done again. `listens`: this machine's own address, where the others reach
    it by another one. `newcomers` were not at the founding; `joining` says how their engines begin.
    """
    offers, genesis = [*founding.offers, *newcomers], founding.genesis
    named = Network(home, genesis.ledger, founding.nation, tuple(each.member for each in offers), founding.dev)
    seen = tuple(_seen(each, listens) if each in named.here else each for each in named.members)
    network = replace(named, members=seen)
    for member, offer in zip(network.members, offers, strict=True):
        if member in network.here:
            peers = [other.peer for other in offers if other is not offer]
            settle_engine(network.engine(member), member, listens or member.host, peers, founding.engine, joining)
            if member.votes and not network.home(member).about.exists():
                create_replica(network.home(member), genesis, nation=founding.nation, dev=founding.dev)
    write_private(network.founding, founding.raw, mode=0o644)
    network.write()
    if network.node_here is not None:
        begin_replica(Home(home), genesis)
        Controller.prepare(home)
        Home(home).write_about(genesis.ledger, founding.nation, genesis.prefix, dev=founding.dev, engine=ENGINE)
    return network


def _seen(member: Member, listens: str) -> Member:
    """A member of this machine as it is reached from here."""
    if not listens:
        return member
    return msgspec.structs.replace(member, host=HOST if listens == ANYWHERE else listens)
