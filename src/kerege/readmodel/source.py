"""Where blocks come from: a port that the node fills, so that the read model knows no store."""

from collections.abc import Iterator
from typing import Protocol

from kerege.kernel.block import StoredBlock
from kerege.kernel.genesis import Genesis


class Source(Protocol):
    """A ledger to be read from its first block on, while others write it."""

    def genesis(self) -> Genesis:
        """Where the ledger began."""

    def height(self) -> int:
        """Height of the newest block that can be read now."""

    def block(self, height: int) -> StoredBlock | None:
        """One block, or None where the ledger has none of that height."""

    def blocks(self, after: int) -> Iterator[StoredBlock]:
        """Blocks above a height, in order, up to the newest that `height` told of last."""
