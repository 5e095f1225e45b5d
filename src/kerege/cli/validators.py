"""Who signs blocks, from which height on, and what validators did that they must not."""

from collections.abc import Iterator
from typing import Any

from kerege.cli.output import dump, say, show_rows
from kerege.consensus.door import Door, collect
from kerege.kernel.forms import to_json
from kerege.modules.authority.state import MISBEHAVIOUR, VALIDATORS
from kerege.modules.authority.types import MisbehaviourRecord, ValidatorSet

SEATS = ("institution", "power", "consensus_key", "checkpoint_key")
DEEDS = ("validator", "height", "kind", "institution", "time", "reported", "suspended")


def tell(door: Door) -> dict[str, Any]:
    """The set that signs the next block with those that follow it, and every misbehaviour."""
    return {"sets": list(_sets(door)), "misbehaviour": list(_misbehaviour(door))}


def print_validators(told: dict[str, Any], *, as_json: bool) -> None:
    """A table a set and one of what was done wrong, or JSON."""
    if as_json:
        dump(told)
        return
    if not told["sets"]:
        say("One operator runs this ledger: it was founded without validators.")
    for each in told["sets"]:
        title = f"Validators from block {each['since']} on, hash {each['hash']}"
        show_rows(title, SEATS, [[seat[name] for name in SEATS] for seat in each["validators"]], as_json=False)
    if told["misbehaviour"]:
        rows = [[deed[name] for name in DEEDS] for deed in told["misbehaviour"]]
        show_rows("Misbehaviour", DEEDS, rows, as_json=False)


def _sets(door: Door) -> Iterator[dict[str, Any]]:
    rows = [(VALIDATORS.decode_key(key), VALIDATORS.decode_value(raw)) for key, raw in collect(door, VALIDATORS.prefix)]
    next_block = door.head().height + 1
    signing = max((since for since, _ in rows if since <= next_block), default=0)
    for since, row in rows:
        if since >= signing:
            yield {"since": since} | to_json(row, ValidatorSet, door.prefix)


def _misbehaviour(door: Door) -> Iterator[dict[str, Any]]:
    for key, raw in collect(door, MISBEHAVIOUR.prefix):
        validator, height, kind = MISBEHAVIOUR.decode_key(key)
        named = {"validator": validator.hex(), "height": height, "kind": kind}
        yield named | to_json(MISBEHAVIOUR.decode_value(raw), MisbehaviourRecord, door.prefix)
