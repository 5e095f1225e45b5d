"""How the members of a network stand, as their engines say."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.node.network.layout import Member

OTHERWISE = (KeyError, ValueError, TypeError, AttributeError)
"""What reading an answer of another shape raises: it is none of an engine's."""
SECONDS = 3.0
"""How long one is waited for, all its answers together: a paused one must not hide the others."""


def status_of(member: Member) -> dict[str, Any]:
    """Name, height, app hash, whether it is catching up, peers, waiting transactions; None where it does not answer."""
    rpc = Rpc(member.rpc_url, SECONDS)
    try:
        with rpc.bounded(SECONDS):
            sync, peers = rpc.call("status")["sync_info"], rpc.call("net_info")["n_peers"]
            return _row(
                member,
                running=True,
                height=int(sync["latest_block_height"]),
                app_hash=sync["latest_app_hash"].lower(),
                catching_up=bool(sync["catching_up"]),
                peers=int(peers),
                waiting=int(rpc.call("num_unconfirmed_txs")["total"]),
                block_time=sync["latest_block_time"],
            )
    except (RpcError, Unreachable, *OTHERWISE):
        return _row(member, running=False)
    finally:
        rpc.close()


def statuses(members: tuple[Member, ...]) -> list[dict[str, Any]]:
    """All of them, asked at once, in their order."""
    with ThreadPoolExecutor(max(1, len(members))) as pool:
        return list(pool.map(status_of, members))


def _row(member: Member, **found: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    empty = dict.fromkeys(("running", "height", "app_hash", "catching_up", "peers", "waiting", "block_time"))
    watch = None if member.place is None else f"http://{member.place.watch}"
    return {"name": member.name, **empty, **found, "rpc": member.rpc_url, "watch": watch}
