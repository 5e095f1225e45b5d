"""The engine's genesis file: its own settings of consensus, the first validators, and the ledger's first bytes."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from nacl.signing import VerifyKey

from kerege.consensus.retention import EVIDENCE_BLOCKS, EVIDENCE_MS
from kerege.kernel.codec import decode, encode
from kerege.kernel.genesis import Genesis
from kerege.node.home import HomeError
from kerege.node.network.layout import Network

FILE = Path("config") / "genesis.json"
"""Where it lies in an engine's home."""


def engine_genesis(genesis: Genesis, validators: Sequence[tuple[str, VerifyKey]], power: int) -> str:
    """The file, the same bytes for every member; validators by name and consensus key, all of one power."""
    form = {
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
        "validators": [{**public_form(key), "power": str(power), "name": name} for name, key in validators],
        "app_hash": "",
        "app_state": encode(genesis).hex(),
    }
    return json.dumps(form, indent=1) + "\n"


def read_genesis(network: Network) -> Genesis:
    """The ledger's first bytes, from the file of the first member; raises `HomeError`."""
    path = network.engine(network.members[0]) / FILE
    try:
        return decode(bytes.fromhex(json.loads(path.read_bytes())["app_state"]), Genesis)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{path} cannot be read ({error}): copy it from another member, all have the same."
        raise HomeError(reason) from None


def public_form(key: VerifyKey) -> dict[str, Any]:
    """A consensus key as the engine writes it, with its address."""
    raw = bytes(key)
    value = base64.b64encode(raw).decode()
    return {"address": address_of(raw).upper(), "pub_key": {"type": "tendermint/PubKeyEd25519", "value": value}}


def address_of(public: bytes) -> str:
    """The engine's address of a public key, hex."""
    return sha256(public).digest()[:20].hex()
