"""The log: an append-only RFC 6962 tree of receipts, held as tiles.

Geometry of C2SP tlog-tiles: a tile of level *L* and index *i* holds up to 256 hashes side by side of tree level 8·L,
from number 256·i. What is stored of a tile is its hashes and, behind them, the node above each complete sixteen of
them, so that a path makes some 20 hashes a tile and not 250; `tile_hashes` gives the public tile. The last tile of a
level is partial and is stored again as it fills.

Nothing is read or written here: tiles that were stored come from a callable, tiles to store are handed out. In memory
are the last tile of each level, what is not yet stored, and a small cache.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from kerege.kernel.merkle import EMPTY, HASH_SIZE, make_consistency, make_path, nodes_above, split_point

TILE_WIDTH = 256

_TILE_LEVELS = 8
_TILE_SIZE = TILE_WIDTH * HASH_SIZE
_GROUP_LEVELS = 4
_GROUP = 1 << _GROUP_LEVELS
_CACHED = 64  # tiles, at most 0.6 MB
_EDGES = 1024

Tile = tuple[int, int]
"""Level and index of a tile."""


class _Part(NamedTuple):
    """Hashes of a tile and the nodes above each complete sixteen of them."""

    hashes: bytes | bytearray
    groups: bytes | bytearray


def tile_hashes(stored: bytes) -> bytes:
    """The public part of a stored tile: the tile of C2SP tlog-tiles, full or partial."""
    whole, rest = divmod(len(stored) // HASH_SIZE, _GROUP + 1)
    return stored[: (whole * _GROUP + rest) * HASH_SIZE]


class Log:
    """One ledger's log. Sizes count leaves; every size up to the current one can be asked about.

    Reads of sizes that were reached before may run beside an append; appends are for one thread.
    """

    def __init__(self, size: int, read_tile: Callable[[int, int], bytes]) -> None:
        """Open a log of `size` leaves whose tiles `read_tile(level, index)` gives; size 0 is a new one.

        A size below the one stored opens the log as it was then.
        """
        self.size = size
        self._read = read_tile
        self._pending: dict[Tile, bytes] = {}
        self._cache: dict[Tile, _Part] = {}
        self._edges: dict[tuple[int, int], bytes] = {}  # roots of ranges that are no complete subtree
        self._changed: set[int] = set()
        self._open: list[tuple[int, _Part]] = []  # by level: index of the last tile and what it holds so far
        level = 0
        while level == 0 or size >> _TILE_LEVELS * level:
            index, filled = divmod(size >> _TILE_LEVELS * level, TILE_WIDTH)
            self._open.append((index, self._reopened(level, index, filled)))
            level += 1

    def append(self, leaves: Sequence[bytes]) -> None:
        """Append leaf hashes (32 bytes each) in their order; they are part of `size` at once."""
        added = b"".join(leaves)
        if len(added) != HASH_SIZE * len(leaves) or any(len(leaf) != HASH_SIZE for leaf in leaves):
            raise ValueError("a leaf hash has 32 bytes")
        if added:
            self._extend(0, added)
            self.size += len(leaves)

    def pending_tiles(self) -> dict[Tile, bytes]:
        """Tiles to store, replacing what was stored under the same level and index; in one write with the block."""
        for level in sorted(self._changed):
            index, part = self._open[level]
            if part.hashes:
                self._pending[level, index] = bytes(part.hashes + part.groups)
        self._changed.clear()
        return dict(self._pending)

    def stored(self, tiles: dict[Tile, bytes]) -> None:
        """Let go of tiles that `pending_tiles` gave and that are now stored, unless they changed meanwhile."""
        for tile, hashes in tiles.items():
            if self._pending.get(tile) is hashes:
                del self._pending[tile]

    def root(self, size: int | None = None) -> bytes:
        """RFC 6962 root at a size (None: now)."""
        size = self._checked(size)
        return self._range_root(0, size) if size else EMPTY

    def inclusion_path(self, index: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 path of one leaf, bottom-up."""
        return self.multi_path([index], size)

    def multi_path(self, targets: Sequence[int], size: int | None = None) -> list[bytes]:
        """Multi-target path of strictly increasing indices (see `kerege.kernel.merkle`)."""
        return make_path(targets, self._checked(size), self._range_root)

    def consistency_path(self, old_size: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 proof that the log of `old_size`, at least one, grew into that of `size`."""
        return make_consistency(old_size, self._checked(size), self._range_root)

    def _checked(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"the log has {self.size} leaves, not {size}")
        return size

    def _reopened(self, level: int, index: int, filled: int) -> _Part:
        """The partial tile a level had when so many of its hashes were there."""
        part = _part(self._read(level, index)) if filled else _Part(b"", b"")
        if len(part.hashes) < filled * HASH_SIZE:
            raise ValueError(f"tile {level}/{index} is shorter than a log of {self.size} leaves needs")
        groups = filled // _GROUP
        return _Part(bytearray(part.hashes[: filled * HASH_SIZE]), bytearray(part.groups[: groups * HASH_SIZE]))

    def _extend(self, level: int, added: bytes) -> None:
        """Append hashes to the last tile of a level; full tiles go to pending, their roots one tile level up."""
        if level == len(self._open):
            self._open.append((0, _Part(bytearray(), bytearray())))
        index, part = self._open[level]
        start, roots = 0, []
        while start < len(added):
            end = start + _TILE_SIZE - len(part.hashes)
            part = _appended(part, added[start:end])
            start = end
            if len(part.hashes) == _TILE_SIZE:
                self._pending[level, index] = bytes(part.hashes + part.groups)
                roots.append(_fold(part.groups))
                index, part = index + 1, _Part(bytearray(), bytearray())
            self._open[level] = (index, part)
        self._changed.add(level)
        if roots:
            self._extend(level + 1, b"".join(roots))

    def _range_root(self, start: int, end: int) -> bytes:
        """Root over a range of leaves that begins where a subtree of its size may begin."""
        width = end - start
        if width & (width - 1) == 0:
            return self._node(width.bit_length() - 1, start // width)
        edge = (start, end)  # at the right edge: the same few for every path of a size
        found = self._edges.get(edge)
        if found is None:
            middle = start + split_point(width)
            found = sha256(b"\x01" + self._range_root(start, middle) + self._range_root(middle, end)).digest()
            if len(self._edges) >= _EDGES:
                self._edges.clear()
            self._edges[edge] = found
        return found

    def _node(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree: the `index`-th at a tree level."""
        tile_level, height = divmod(level, _TILE_LEVELS)
        tile_index, first = divmod(index << height, TILE_WIDTH)
        part = self._tile(tile_level, tile_index)
        if height >= _GROUP_LEVELS:
            first, width = first >> _GROUP_LEVELS, 1 << height - _GROUP_LEVELS
            return _fold(part.groups[HASH_SIZE * first : HASH_SIZE * (first + width)])
        return _fold(part.hashes[HASH_SIZE * first : HASH_SIZE * (first + (1 << height))])

    def _tile(self, level: int, index: int) -> _Part:
        """A tile from memory or from the store."""
        if level < len(self._open):
            last, part = self._open[level]
            if last == index:
                return part
        key = (level, index)
        found = self._cache.pop(key, None)
        if found is None:
            found = _part(self._pending.get(key) or self._read(level, index))
            if len(found.hashes) != _TILE_SIZE:
                raise ValueError(f"tile {level}/{index} of a log of {self.size} leaves must be full")
        self._cache[key] = found  # at the end: the first is the one not used for longest
        if len(self._cache) > _CACHED:
            self._cache.pop(next(iter(self._cache)), None)
        return found


def _part(stored: bytes) -> _Part:
    hashes = tile_hashes(stored)
    groups = stored[len(hashes) :]
    if len(groups) != len(hashes) // (_GROUP * HASH_SIZE) * HASH_SIZE:
        raise ValueError("a stored tile is damaged")
    return _Part(hashes, groups)


def _appended(part: _Part, added: bytes) -> _Part:
    """A partial tile with more hashes, and the groups they complete."""
    hashes = part.hashes + added
    done, whole = len(part.groups) * _GROUP, len(hashes) - len(hashes) % (_GROUP * HASH_SIZE)
    groups = hashes[done:whole]
    for _ in range(_GROUP_LEVELS):
        groups = nodes_above(groups)
    return _Part(hashes, part.groups + groups)


def _fold(hashes: bytes | bytearray) -> bytes:
    """Root over a power of two of concatenated hashes."""
    while len(hashes) > 2 * HASH_SIZE:
        hashes = nodes_above(hashes)
    return bytes(hashes) if len(hashes) == HASH_SIZE else sha256(b"\x01" + hashes).digest()
