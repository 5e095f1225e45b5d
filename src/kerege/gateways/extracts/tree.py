"""The RFC 6962 root of a list that is too long for memory: only the roots of its full halves are kept."""

from collections.abc import Sequence

from kerege.kernel.merkle import EMPTY, HASH_SIZE, inner_hash, leaf_hashes, nodes_above

_PAIR = 2 * HASH_SIZE


class RunningRoot:
    """Takes leaves some at a time."""

    def __init__(self) -> None:
        self._alone: list[bytes] = []
        """By level, leaves first: the node that waits for its right neighbour, or nothing."""

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take the next leaves."""
        level, nodes = 0, b"".join(leaf_hashes(leaves))
        while nodes:
            if level == len(self._alone):
                self._alone.append(b"")
            nodes = self._alone[level] + nodes
            whole = len(nodes) // _PAIR * _PAIR
            self._alone[level], nodes = nodes[whole:], nodes_above(nodes[:whole])
            level += 1

    def digest(self) -> bytes:
        """The root over all leaves so far."""
        digest = b""
        for left in filter(None, self._alone):
            digest = inner_hash(left, digest) if digest else left
        return digest or EMPTY
