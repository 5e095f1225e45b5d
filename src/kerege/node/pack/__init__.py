"""Nation packs: a country as a folder of data files, read strictly into one checked value.

A pack is trusted by nobody until `read_pack` has returned: unknown keys, dead ends, missing texts, wrong dates, links
and oversized files are refused by one `PackError` with the place and the cure.
"""

from pathlib import Path

from kerege.node.pack.check import count_unverified, known_of, legal_bases_of, needed_texts, unverified, world_of
from kerege.node.pack.errors import PackError
from kerege.node.pack.examples import check_examples
from kerege.node.pack.read import read_pack
from kerege.node.pack.types import Pack

__all__ = [
    "Pack",
    "PackError",
    "check_examples",
    "count_unverified",
    "known_of",
    "legal_bases_of",
    "nation_folder",
    "needed_texts",
    "read_pack",
    "unverified",
    "world_of",
]


def nation_folder(code: str) -> Path:
    """Where the pack of a nation shipped with this release lies; it need not exist."""
    return Path(__file__).parents[2] / "nations" / code
