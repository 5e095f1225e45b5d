"""Published light-client cases (tendermint-rs, folder `light-client/tests/support`) in the forms of the engine."""

import json
from pathlib import Path
from typing import Any

from kerege.proofs.light import LightBlock, Validators
from kerege.proofs.light.rpc import read_commit, read_header, read_validator

FOLDER = Path(__file__).parents[4] / "shared" / "vectors" / "cometbft-light"

ABSENT = {"validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}
"""The engine's own form of a missing vote; theirs is dated 1970."""


def cases() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))


def case(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def _block_id(form: dict[str, Any] | None) -> dict[str, Any]:
    """Their writer says `part_set_header` where the engine says `parts`, and null for no block."""
    if form is None:
        return {"hash": "", "parts": {"total": 0, "hash": ""}}
    parts = form["part_set_header"]
    return {"hash": form["hash"], "parts": {"total": int(parts["total"]), "hash": parts["hash"]}}


def header(form: dict[str, Any]):
    hashes = {name: value or "" for name, value in form.items() if name.endswith("_hash")}
    return read_header({**form, **hashes, "last_block_id": _block_id(form["last_block_id"])})


def commit(form: dict[str, Any]):
    own = {name: form[name] for name in ("height", "signatures")}
    votes = [v if v["block_id_flag"] != 1 else {**v, **ABSENT} for v in own["signatures"] or ()]
    return read_commit(
        {**own, "signatures": votes, "round": int(form["round"]), "block_id": _block_id(form["block_id"])}
    )


def validators(form: dict[str, Any]) -> Validators:
    """Their reader sorts as the engine does, most power first, then by address; their files are not sorted."""
    members = map(read_validator, form["validators"] or ())
    return Validators(tuple(sorted(members, key=lambda v: (-v.power, v.address))))


def block(form: dict[str, Any]) -> LightBlock:
    signed = form["signed_header"]
    return LightBlock(
        header(signed["header"]),
        commit(signed["commit"]),
        validators(form["validator_set"]),
        validators(form["next_validator_set"]),
    )
