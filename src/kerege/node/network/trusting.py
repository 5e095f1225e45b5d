"""The trust file of a network: known in full once its first block is, whose header a light client starts from."""

from kerege import proofs
from kerege.consensus.checkpoints import origin_of
from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.kernel.genesis import Genesis, genesis_hash
from kerege.node.home import write_private
from kerege.node.network.document import founding_validators, read_genesis
from kerege.node.network.layout import Member, Network
from kerege.node.network.status import OTHERWISE, SECONDS
from kerege.proofs.light.moments import MILLISECOND, parse

PERIOD = 7 * 86_400_000
"""Trusting period, ms: half of the time for which the engine can punish who signs two histories."""
FIRST = 1
"""Height of the header that is trusted."""


def trust_network(network: Network) -> bool:
    """Write the trust file into every home here that has none; False where nobody here tells the first header yet.

    One that another home has is copied: who begins anew from a snapshot shows no first header, nor does who is away.
    """
    homes = [network.home(member) for member in network.here]
    missing = [home.trust for home in homes if not home.trust.is_file()]
    if not missing:
        return True
    kept = next((home.trust.read_bytes() for home in homes if home.trust.is_file()), None)
    data = _from_the_first_header(network) if kept is None else kept
    if data is None:
        return False
    for path in missing:
        write_private(path, data, mode=0o644)
    return True


def _from_the_first_header(network: Network) -> bytes | None:
    """Where every validator here shows the same; None where not."""
    asked = [member for member in network.here if member.votes] or network.here
    found = [header_of(member, FIRST) for member in asked]
    first = found[0]
    if first is None or found != [first] * len(found):
        return None
    return trust_file(read_genesis(network), *first)


def trust_file(genesis: Genesis, header: bytes, time: int) -> bytes:
    """What verifiers of the network's proofs need: checkpoint keys with their power, the first header (hash, ms)."""
    origin = origin_of(genesis.ledger)
    return proofs.trust.make_replicated(
        ledger=genesis.ledger,
        genesis=genesis_hash(genesis),
        origin=origin,
        chain=proofs.trust.Chain(genesis.ledger, FIRST, header, time, PERIOD),
        keys=[
            proofs.TrustedKey(
                f"{origin}/{each.institution}",
                each.checkpoint_key,
                genesis.time,
                None,
                each.power,
                each.consensus_key,
            )
            for each in founding_validators(genesis)
        ],
    )


def header_of(member: Member, height: int) -> tuple[bytes, int] | None:
    """Hash and time (ms) of a header as a member's engine shows it; None where it does not."""
    rpc = Rpc(member.rpc_url, SECONDS)
    try:
        with rpc.bounded(2 * SECONDS):  # the first for the connection itself
            told = rpc.call("commit", height=str(height))["signed_header"]
        hash_, time = told["commit"]["block_id"]["hash"], told["header"]["time"]
        return bytes.fromhex(hash_), parse(time, "time") // MILLISECOND
    except (RpcError, Unreachable, proofs.Malformed, *OTHERWISE):
        return None
    finally:
        rpc.close()
