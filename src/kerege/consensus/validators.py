"""Who signs blocks: what the law says, told to the engine; what the engine says of them, told to the law.

The engine applies what FinalizeBlock of a height returns to the set that signs the second block after it; the state
keeps every set under that height, so that the answer is read from the state after the block, also when it runs again.
"""

from collections.abc import Iterable, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from kerege.consensus.cometbft import messages as m
from kerege.kernel.machine import Machine
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.modules.authority.keeper import Nodes
from kerege.modules.authority.types import Validator

KINDS = {m.DUPLICATE_VOTE: "duplicate-vote", m.LIGHT_CLIENT_ATTACK: "light-client-attack"}
OTHER_KIND = "unknown"


def founding_set(machine: Machine, engine: Sequence[m.ValidatorUpdate]) -> list[m.ValidatorUpdate]:
    """The set of the genesis; none where it names none, then the engine's own file rules.

    `engine` is what that file says; raises `ValueError` where it says something else.
    """
    lawful = _powers(machine.context().use(Nodes).newest_validators())
    given = {update.pub_key.ed25519: update.power for update in engine}
    if lawful and given and lawful != given:
        raise ValueError(
            "the engine's genesis file names other validators than the ledger's genesis: "
            f"the file has {_told(given)}; the law has {_told(lawful)}. Write the lawful ones, or none, into the file"
        )
    return _updates(lawful)


def updates(machine: Machine, height: int) -> list[m.ValidatorUpdate]:
    """What the block of a height, executed last, changed: new powers, 0 for who leaves."""
    changed = machine.context().use(Nodes).decided(height)
    if changed is None:
        return []
    before, after = map(_powers, changed)
    powers = dict.fromkeys(before, 0) | after
    return _updates({key: power for key, power in powers.items() if before.get(key) != power})


def told(misbehaviour: Iterable[m.Misbehavior]) -> list[Misbehaviour]:
    """What the engine says its validators did."""
    return [
        Misbehaviour(KINDS.get(each.type, OTHER_KIND), each.validator.address, each.height, milliseconds(each.time))
        for each in misbehaviour
    ]


def milliseconds(time: Timestamp) -> int:
    """Time of the engine's: milliseconds since the Unix epoch, rounded down."""
    return int(time.seconds) * 1_000 + int(time.nanos) // 1_000_000


def _powers(validators: Iterable[Validator]) -> dict[bytes, int]:
    return {each.consensus_key: each.power for each in validators}


def _updates(powers: dict[bytes, int]) -> list[m.ValidatorUpdate]:
    return [m.ValidatorUpdate(pub_key=m.PublicKey(ed25519=key), power=powers[key]) for key in sorted(powers)]


def _told(powers: dict[bytes, int]) -> str:
    return ", ".join(f"{key.hex()[:16]}… with {powers[key]}" for key in sorted(powers))
