"""The engine's genesis file: its own settings of consensus, the first validators, and the ledger's first bytes."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from kerege.consensus.retention import EVIDENCE_BLOCKS, EVIDENCE_MS
from kerege.kernel.codec import decode, encode
from kerege.kernel.genesis import Genesis
from kerege.modules.authority.genesis import ReplicatedGenesis
from kerege.modules.authority.types import Validator
from kerege.node.genesis import ValidatorPost
from kerege.node.home import HomeError
from kerege.node.network.layout import Network

FILE = Path("config") / "genesis.json"
"""Where it lies in an engine's home."""


def engine_genesis(genesis: Genesis, validators: Sequence[ValidatorPost]) -> dict[str, Any]:
    """What stands in the file, the same for every member."""
    return {
        "genesis_time": datetime.fromtimestamp(genesis.time / 1_000, UTC).isoformat().replace("+00:00", "Z"),
        "chain_id": genesis.ledger,
        "initial_height": "1",
        "consensus_params": {
            # the application sees all that waits, and keeps to bytes, weight and classes itself
            "block": {"max_bytes": "-1", "max_gas": "-1"},
            "evidence": {
                "max_age_num_blocks": str(EVIDENCE_BLOCKS),
                "max_age_duration": f"{EVIDENCE_MS}000000",
                "max_bytes": "65536",
            },
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": "1"},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [
            {**public_form(each.consensus_key), "power": str(each.power), "name": each.institution}
            for each in validators
        ],
        "app_hash": "",
        "app_state": encode(genesis).hex(),
    }


def genesis_in(form: dict[str, Any]) -> Genesis:
    """The ledger's first bytes in the engine's file; raises `ValueError`, `KeyError` or `TypeError`."""
    return decode(bytes.fromhex(form["app_state"]), Genesis)


def read_genesis(network: Network) -> Genesis:
    """The ledger's first bytes, from the file of the first member that lies here; raises `HomeError`."""
    path = network.engine((network.here or network.members)[0]) / FILE
    try:
        return genesis_in(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{path} cannot be read ({error}): copy it from another member, all have the same."
        raise HomeError(reason) from None


def founding_validators(genesis: Genesis) -> list[Validator]:
    """Who signs from the first block on."""
    return decode(dict(genesis.modules)["authority"], ReplicatedGenesis).validators


def public_form(raw: bytes) -> dict[str, Any]:
    """A consensus key as the engine writes it, with its address."""
    value = base64.b64encode(raw).decode()
    return {"address": address_of(raw).upper(), "pub_key": {"type": "tendermint/PubKeyEd25519", "value": value}}


def address_of(public: bytes) -> str:
    """The engine's address of a public key, hex."""
    return sha256(public).digest()[:20].hex()
