"""What a member signs with: drawn in its own home, where the engine and the ledger look for it; it never leaves."""

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from kerege.modules.authority.types import NodeKeyKind
from kerege.node.home import Home, write_private
from kerege.node.ledger import CHECKPOINT_KEY, GATEWAY_KEY
from kerege.node.network.document import public_form
from kerege.node.network.layout import engine_of
from kerege.node.network.refusals import KeyMissing

CONSENSUS, CHECKPOINT, GATEWAY = (
    NodeKeyKind.CONSENSUS.value,
    NodeKeyKind.CHECKPOINT.value,
    NodeKeyKind.GATEWAY.value,
)
CONNECTION = "connection"
"""The one use that the ledger does not know: engines recognise each other by it."""
OF_VALIDATOR = (CONSENSUS, CHECKPOINT, CONNECTION)
OF_NODE = (GATEWAY, CONNECTION)

_ENGINE_KIND = "tendermint/PrivKeyEd25519"


def draw_keys(*, votes: bool) -> dict[str, SigningKey]:
    """Fresh keys of a member, by use."""
    return {use: SigningKey(secrets.token_bytes(32)) for use in (OF_VALIDATOR if votes else OF_NODE)}


def write_keys(home: Home, keys: Mapping[str, SigningKey]) -> None:
    """Keep the keys in a member's home, each where it is used, readable by its owner only."""
    for use, key in keys.items():
        write_private(_path(home, use), _written(use, key))


def read_key(home: Home, use: str) -> SigningKey:
    """A key of a member's home; raises `KeyMissing`."""
    path = _path(home, use)
    try:
        raw = path.read_bytes()
        return SigningKey(base64.b64decode(json.loads(raw)["priv_key"]["value"])[:32] if _is_engines(use) else raw)
    except OSError as error:
        raise KeyMissing(path, use, f"cannot be read ({error.strerror}), it holds") from None
    except (ValueError, KeyError, TypeError):
        raise KeyMissing(path, use, "is damaged, it held") from None


def check_key(home: Home, use: str, public: bytes) -> None:
    """Raise `KeyMissing` unless the home has the private half of a public key."""
    if bytes(read_key(home, use).verify_key) != public:
        raise KeyMissing(_path(home, use), use, "is not")


def _is_engines(use: str) -> bool:
    return use in {CONSENSUS, CONNECTION}


def _path(home: Home, use: str) -> Path:
    config = engine_of(home) / "config"
    return {
        CONSENSUS: config / "priv_validator_key.json",
        CONNECTION: config / "node_key.json",
        CHECKPOINT: home.secrets / CHECKPOINT_KEY,
        GATEWAY: home.secrets / GATEWAY_KEY,
    }[use]


def _written(use: str, key: SigningKey) -> bytes:
    """The file of a key: the engine's own form, or the 32 bytes."""
    if not _is_engines(use):
        return bytes(key)
    value = base64.b64encode(bytes(key) + bytes(key.verify_key)).decode()
    secret = {"priv_key": {"type": _ENGINE_KIND, "value": value}}
    form: dict[str, Any] = secret if use == CONNECTION else {**public_form(bytes(key.verify_key)), **secret}
    return json.dumps(form, indent=1).encode() + b"\n"
