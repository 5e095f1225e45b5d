"""A member that lost its disk and kept its keys begins anew and comes to where the others are.

Its votes are what must not happen twice: the engine's memory of what it signed is lost too, so that it may vote again
only above every height at which it can have voted.
"""

import json
import shutil

from kerege.node.home import HomeError, write_private
from kerege.node.network.document import read_genesis
from kerege.node.network.layout import Member, Network
from kerege.node.network.status import status_of, statuses
from kerege.node.replica import create_replica

MARGIN = 2
"""Heights above the others' newest in which it can have voted: the one being decided, and one not told yet."""
_PRECOMMIT = 3


def rejoin(network: Network, member: Member) -> int:
    """Empty the member's ledger and its engine's blocks; returns the height from which it votes again.

    Raises `HomeError` where it runs, where no other member answers, and for the node, whose dossiers are restored from
    a backup.
    """
    if not member.votes:
        reason = "the node holds the dossiers: restore its whole home from a backup, it then catches up by itself."
        raise HomeError(reason)
    if status_of(member)["running"]:
        reason = f"{member.name} runs: stop it first, only a member that lost its disk begins anew."
        raise HomeError(reason)
    height = max(status["height"] or 0 for status in statuses(network.members))
    if not height:
        reason = "no other member answers: start them first, this one must know at which height they are."
        raise HomeError(reason)
    home, engine = network.home(member), network.engine(member)
    genesis = read_genesis(network)
    for lost in (home.path / "store", home.trees, engine / "data"):
        shutil.rmtree(lost, ignore_errors=True)
    home.about.unlink(missing_ok=True)
    create_replica(home, genesis, nation=network.nation, dev=True)
    state = {"height": str(height + MARGIN), "round": 0, "step": _PRECOMMIT}
    write_private(engine / "data" / "priv_validator_state.json", json.dumps(state).encode())
    return height + MARGIN
