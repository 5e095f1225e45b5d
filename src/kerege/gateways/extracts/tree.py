"""The RFC 6962 root of a list that is too long for memory: only the roots of its full halves are kept."""

from kerege.kernel.merkle import inner_hash, leaf_hash, root


class RunningRoot:
    """Takes leaves one by one."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        """(leaves, root) of full subtrees, largest first."""

    def add(self, leaf: bytes) -> None:
        """Take the next leaf."""
        count, digest = 1, leaf_hash(leaf)
        while self._peaks and self._peaks[-1][0] == count:
            _, left = self._peaks.pop()
            count, digest = 2 * count, inner_hash(left, digest)
        self._peaks.append((count, digest))

    def digest(self) -> bytes:
        """The root over all leaves so far."""
        if not self._peaks:
            return root([])
        digest = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            digest = inner_hash(left, digest)
        return digest
