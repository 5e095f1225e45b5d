"""Whether what a file proves is final by the engine's votes, besides the signatures on its checkpoint.

A header carries the app hash of the block before it, and the app hash is a hash of state root and log root. A bundle
with a block record, or a state proof, leads to both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from . import bundle as files
from . import entry, light, note, paths, renewal
from .outcome import Failed, Malformed
from .trust import Trust


class NotFinal(light.NotFollowed):
    """The file leads to another history than the one that the validators voted for, or to none that can be checked."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What a file leads to."""

    ledger: str
    origin: str
    height: int
    """Of its block record."""
    app_hash: bytes
    """After that block."""


def committed(data: bytes) -> Committed:
    """What a bundle or a state proof leads to.

    Raises:
        Malformed: it is neither, or a bundle without a block record, which leads to no state.
        Failed: its paths do not hold.
    """
    if entry.is_entry(data):
        held = entry.parse(data)
        checkpoint = note.parse_checkpoint(held.note)
        root, ledger, height = entry.state_root(held, checkpoint), held.ledger, held.record.height
    else:
        parsed = files.parse(data)
        checkpoint = note.parse_checkpoint(parsed.note)
        reached = paths.walk(parsed, checkpoint).state_root
        if parsed.record is None or reached is None:
            raise Malformed("the bundle shows no block record: its block cannot be found")
        root, ledger, height = reached, parsed.ledger, parsed.record.height
    return Committed(ledger, checkpoint.origin, height, files.app_hash(root, checkpoint.root))


def confirm(
    data: bytes, trust: Trust, fetch: light.Fetch, now: int, *, witnesses: Mapping[str, light.Fetch] | None = None
) -> light.Header:
    """Follow the engine to the header that carries what a file leads to; `now` in nanoseconds since 1970.

    Raises:
        NotFinal: the header carries something else, the file is of another ledger, or it is older than the trusted
            header and cannot be reached from there.
        Malformed: see `committed`, `renewal.begin`.
        light.NotFollowed: see `light.follow`.
    """
    try:
        shown = committed(data)
    except Failed as error:
        raise NotFinal(str(error)) from error
    if (shown.ledger, shown.origin) != (trust.ledger, trust.origin):
        raise NotFinal("the file is of another ledger than the trust file")
    first, rules = renewal.begin(trust, fetch)
    header = first.header
    if shown.height >= header.height:
        height = shown.height + 1
        header = light.follow(first, fetch, rules, now, height=height, witnesses=witnesses).block.header
    elif header.app_hash != shown.app_hash and header.height > shown.height + 1:
        raise NotFinal(
            f"the file is of block {shown.height}, the trust file starts at {header.height}: an older trust file "
            "reaches it"
        )
    if header.app_hash != shown.app_hash:
        raise NotFinal(f"the validators voted for another history: header {header.height} carries another app hash")
    return header
