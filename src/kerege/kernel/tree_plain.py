"""The plain twin of the native state tree: flat upper levels over small sorted buckets, in Python.

Layout: level *l* is one `bytearray` of 2^l hashes and one of 2^l kinds; under the deepest level each place has a
bucket, the sorted rows (key hash ‖ value hash) below it as one byte string. A batch is applied level by level. The
number of levels grows with the number of keys, a few buckets per inserted key, and never changes a root.

Each update leaves a `Layer`: what it overwrote. Old roots are sealed per height; a proof at an old height reads the
upper nodes through the layers that came after it and makes the lowest few levels again from old leaves.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from kerege.kernel.tree_rules import EMPTY, EMPTY_ROOT, HASH_SIZE, INNER, INNER_TAG, LEAF, ROW, TreePath, split, subtree

HEIGHTS = 128
"""Number of committed heights held."""

_FIRST_DEPTH, _DEEPEST = 4, 30
_LOAD = 2  # mean number of rows a bucket above which a level is added
_NOT_KEPT = 4  # levels just above the buckets whose old nodes are not kept: made again from some 16 to 32 rows
_MAGIC = b"kerege-tree/1\n\x00\x00"
_CHUNK = 8192  # rows a chunk of a dump, about

_Changes = list[tuple[bytes, bytes | None]]


class _Seal(NamedTuple):
    height: int
    root: bytes
    keys: int
    layers: int  # number of layers ever made up to this height


class _OldLevel(NamedTuple):
    """Nodes of one level before an update."""

    places: list[int] | None
    """Where they stood, ascending; None: all of them are here."""
    hashes: bytes
    kinds: bytes


class _Layer:
    """What one update overwrote: old value hashes by key hash, and nodes (hash ‖ kind) of the upper levels."""

    def __init__(self, depth: int) -> None:
        self.keys: list[bytes] = []  # ascending
        self.values: list[bytes | None] = []
        self.levels: list[_OldLevel] = [_OldLevel([], b"", b"")] * (depth + 1)

    def keep(self, level: int, hashes: bytearray, kinds: bytearray, places: list[int]) -> None:
        """Keep nodes about to be overwritten, their places ascending: the whole level where a good part of it is."""
        if level >= len(self.levels):
            return
        if 2 * len(places) >= 1 << level:
            self.levels[level] = _OldLevel(None, bytes(hashes), bytes(kinds))
        else:
            some = [hashes[HASH_SIZE * place : HASH_SIZE * place + HASH_SIZE] for place in places]
            self.levels[level] = _OldLevel(places, b"".join(some), bytes([kinds[place] for place in places]))

    def node(self, level: int, place: int) -> bytes | None:
        """The node as it was before the update; None where the update did not touch it."""
        places, hashes, kinds = self.levels[level]
        at = place if places is None else bisect_left(places, place)
        if places is not None and (at == len(places) or places[at] != place):
            return None
        return hashes[HASH_SIZE * at : HASH_SIZE * at + HASH_SIZE] + kinds[at : at + 1]

    def under(self, level: int, place: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Old values of the keys under a place."""
        if level < len(self.levels) and self.node(level, place) is None:
            return
        at = bisect_left(self.keys, _first_key(level, place))
        while at < len(self.keys) and _prefix(self.keys[at], level) == place:
            yield self.keys[at], self.values[at]
            at += 1


class _Growth:
    """The next level while buckets are split, in order: everything only grows at its end."""

    def __init__(self) -> None:
        self.hashes = bytearray()
        self.kinds = bytearray()
        self.buckets: list[bytes] = []


class PlainTree:
    """State tree in plain Python; interface and contracts are those of `kerege.kernel.tree.StateTree`."""

    def __init__(self) -> None:
        self._depth = _FIRST_DEPTH
        self._hashes: list[bytearray] = []  # by level
        self._kinds: list[bytearray] = []
        self._buckets: list[bytes] = []  # by place of the deepest level
        self._growth: _Growth | None = None
        self._count = 0
        self._layers: list[_Layer] = []  # oldest first
        self._dropped = 0  # layers let go of
        self._seals: list[_Seal] = []  # oldest first
        self._start(_FIRST_DEPTH)
        self._seal_all(-1)

    # What it holds now

    @property
    def root(self) -> bytes:
        """See `StateTree.root`."""
        return bytes(self._hashes[0])

    @property
    def height(self) -> int:
        """See `StateTree.height`."""
        return self._seals[-1].height

    def __len__(self) -> int:
        return self._count

    def heights(self) -> tuple[int, int]:
        """See `StateTree.heights`."""
        return self._seals[0].height, self.height

    def root_at(self, height: int) -> bytes:
        """See `StateTree.root_at`."""
        return self._sealed(height).root

    # Changes

    def update(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes:
        """See `StateTree.update`."""
        return self._update(
            [(sha256(key).digest(), None if value is None else sha256(value).digest()) for key, value in changes]
        )

    def update_hashed(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes:
        """See `StateTree.update_hashed`."""
        for key_hash, value_hash in changes:
            if len(key_hash) != HASH_SIZE or (value_hash is not None and len(value_hash) != HASH_SIZE):
                raise ValueError("a hash has 32 bytes")
        return self._update(list(changes))

    def commit(self, height: int) -> bytes:
        """See `StateTree.commit`."""
        if height <= self.height:
            raise ValueError("a height must be above the last committed one")
        self._seals.append(_Seal(height, self.root, self._count, self._dropped + len(self._layers)))
        del self._seals[:-HEIGHTS]
        drop = self._seals[0].layers - self._dropped
        del self._layers[:drop]
        self._dropped += drop
        return self.root

    def rollback(self, height: int) -> bytes:
        """See `StateTree.rollback`."""
        seal = self._sealed(height)
        old: dict[bytes, bytes | None] = {}
        after = self._after(seal)
        for layer in reversed(after):
            old.update(zip(layer.keys, layer.values, strict=True))
        self._apply(sorted(old.items()))
        if self.root != seal.root:
            raise AssertionError("undo layers must lead back to the sealed root")
        del self._layers[len(self._layers) - len(after) :]
        self._seals = [kept for kept in self._seals if kept.height <= height]
        return self.root

    def _update(self, changes: _Changes) -> bytes:
        changes.sort(key=_key)
        if any(one[0] == two[0] for one, two in pairwise(changes)):
            raise ValueError("a key occurs twice")
        self._layers.append(self._apply(changes))
        return self.root

    def _apply(self, changes: _Changes) -> _Layer:
        """Apply sorted changes with distinct keys; the layer undoes them."""
        layer = _Layer(max(self._depth - _NOT_KEPT, 0))
        before = self._count
        places, nodes = self._change_buckets(changes, layer)
        for level in range(self._depth, -1, -1):
            hashes, kinds = self._hashes[level], self._kinds[level]
            layer.keep(level, hashes, kinds, places)
            for place, (digest, kind) in zip(places, nodes, strict=True):
                start = HASH_SIZE * place
                hashes[start : start + HASH_SIZE] = digest
                kinds[place] = kind
            if level:
                places = list(dict.fromkeys([place >> 1 for place in places]))
                nodes = _parents(hashes, kinds, places)
        self._grow(max(self._count - before, 0) + 16)
        return layer

    def _change_buckets(self, changes: _Changes, layer: _Layer) -> tuple[list[int], list[tuple[bytes, int]]]:
        """Change the rows; the places of the deepest full level that are thereby new, in order, and their nodes."""
        shift, depth = 32 - self._depth, self._depth
        places, nodes = [], []
        start, end = 0, len(changes)
        while start < end:
            place = int.from_bytes(changes[start][0][:4], "big") >> shift
            stop = start + 1
            while stop < end and int.from_bytes(changes[stop][0][:4], "big") >> shift == place:
                stop += 1
            group, known, start = changes[start:stop], len(layer.keys), stop
            if self._growth is not None and 2 * place < len(self._growth.buckets):
                node = self._change_split(self._growth, place, group, layer)
            else:
                rows = self._changed(self._buckets[place], group, layer)
                self._buckets[place] = b"".join(rows)
                node = subtree(rows, depth)
            if len(layer.keys) > known:
                places.append(place)
                nodes.append(node)
        return places, nodes

    def _change_split(self, growth: _Growth, place: int, group: _Changes, layer: _Layer) -> tuple[bytes, int]:
        """Change rows whose bucket is already split into two of the next level."""
        for child in (2 * place, 2 * place + 1):
            part = [change for change in group if _prefix(change[0], self._depth + 1) == child]
            if part:
                rows = self._changed(growth.buckets[child], part, layer)
                growth.buckets[child] = b"".join(rows)
                digest, kind = subtree(rows, self._depth + 1)
                growth.hashes[HASH_SIZE * child : HASH_SIZE * child + HASH_SIZE] = digest
                growth.kinds[child] = kind
        return _parent(growth.hashes, growth.kinds, place)

    def _changed(self, bucket: bytes, group: _Changes, layer: _Layer) -> list[bytes]:
        """The rows of a bucket after changes; old values go to the layer."""
        rows = _rows(bucket)
        for key, value in group:
            at = bisect_left(rows, key)
            found = at < len(rows) and rows[at].startswith(key)
            old = rows[at][HASH_SIZE:] if found else None
            if old == value:
                continue
            layer.keys.append(key)
            layer.values.append(old)
            rows[at : at + found] = [] if value is None else [key + value]
            self._count += (value is not None) - found
        return rows

    def _grow(self, budget: int) -> None:
        """Split at most `budget` buckets towards one more level, where there are keys enough to need it."""
        while budget:
            if self._growth is None:
                if self._count <= _LOAD << self._depth or self._depth == _DEEPEST:
                    return
                self._growth = _Growth()
            growth, deeper = self._growth, self._depth + 1
            place = len(growth.buckets) // 2
            for half in split(_rows(self._buckets[place]), self._depth):
                digest, kind = subtree(half, deeper)
                growth.hashes += digest
                growth.kinds.append(kind)
                growth.buckets.append(b"".join(half))
            self._buckets[place] = b""
            if len(growth.buckets) == 1 << deeper:
                self._hashes.append(growth.hashes)
                self._kinds.append(growth.kinds)
                self._buckets, self._depth, self._growth = growth.buckets, deeper, None
            budget -= 1

    # Proofs

    def prove(self, key_hash: bytes, height: int | None = None) -> TreePath:
        """See `StateTree.prove`."""
        if len(key_hash) != HASH_SIZE:
            raise ValueError("a hash has 32 bytes")
        after = self._after(self._sealed(height))
        siblings, depth, place = self._way_down(key_hash, after)
        rows = self._rows_under(depth, place, after)
        while len(rows) > 1:
            left, right = split(rows, depth)
            here = key_hash[depth >> 3] & (0x80 >> (depth & 7))
            depth += 1
            siblings.append(subtree(left if here else right, depth)[0])
            rows = right if here else left
        path = b"".join(reversed(siblings))
        if not rows:
            return TreePath(None, path, None)
        if rows[0].startswith(key_hash):
            return TreePath(rows[0][HASH_SIZE:], path, None)
        return TreePath(None, path, rows[0])

    def _way_down(self, key_hash: bytes, after: list[_Layer]) -> tuple[list[bytes], int, int]:
        """Siblings from the top, and the place where the way ends: no inner node, or as deep as layers were kept."""
        depth = min((len(layer.levels) - 1 for layer in after), default=self._depth)
        siblings: list[bytes] = []
        for level in range(depth):
            place = _prefix(key_hash, level)
            if self._node(level, place, after)[HASH_SIZE] != INNER:
                return siblings, level, place
            siblings.append(self._node(level + 1, _prefix(key_hash, level + 1) ^ 1, after)[:HASH_SIZE])
        return siblings, depth, _prefix(key_hash, depth)

    def _node(self, level: int, place: int, after: list[_Layer]) -> bytes:
        """Hash ‖ kind of a place: as the first layer that touched it found it, or as it is now."""
        for layer in after:
            old = layer.node(level, place)
            if old is not None:
                return old
        at = HASH_SIZE * place
        return bytes(self._hashes[level][at : at + HASH_SIZE] + self._kinds[level][place : place + 1])

    def _rows_under(self, level: int, place: int, after: list[_Layer]) -> list[bytes]:
        """Rows under a place as they were before some layers, sorted."""
        rows: list[bytes] = []
        self._collect(level, place, rows)
        old: dict[bytes, bytes | None] = {}
        for layer in reversed(after):
            old.update(layer.under(level, place))
        if not old:
            return rows
        kept = [row for row in rows if row[:HASH_SIZE] not in old]
        return sorted(kept + [key + value for key, value in old.items() if value is not None])

    def _collect(self, level: int, place: int, rows: list[bytes]) -> None:
        if self._kinds[level][place] == EMPTY:
            return
        if level < self._depth:
            self._collect(level + 1, 2 * place, rows)
            self._collect(level + 1, 2 * place + 1, rows)
        elif self._growth is not None and 2 * place < len(self._growth.buckets):
            rows += _rows(self._growth.buckets[2 * place] + self._growth.buckets[2 * place + 1])
        else:
            rows += _rows(self._buckets[place])

    def _sealed(self, height: int | None) -> _Seal:
        if height is None:
            return self._seals[-1]
        for seal in reversed(self._seals):
            if seal.height == height:
                return seal
        raise LookupError("the height is not held")

    def _after(self, seal: _Seal) -> list[_Layer]:
        """Layers applied after a seal, oldest first."""
        return self._layers[seal.layers - self._dropped :]

    # The whole tree at once

    def load(self, chunks: Iterable[bytes], height: int) -> bytes:
        """See `StateTree.load`."""
        rows: list[bytes] = []
        for chunk in chunks:
            if len(chunk) % ROW:
                raise ValueError("a chunk is no multiple of 64 bytes")
            rows += _rows(chunk)
        rows.sort()
        if any(one[:HASH_SIZE] == two[:HASH_SIZE] for one, two in pairwise(rows)):
            raise ValueError("a key occurs twice")
        self._build(rows)
        self._seal_all(height)
        return self.root

    def dump(self, height: int | None = None) -> Iterator[bytes]:
        """See `StateTree.dump`."""
        return self._dump(self._sealed(height))

    def _dump(self, seal: _Seal) -> Iterator[bytes]:
        level = 0
        while seal.keys > _CHUNK << level and level < self._depth:
            level += 1
        chunk = _MAGIC + seal.height.to_bytes(8, "big", signed=True) + seal.keys.to_bytes(8, "big") + seal.root
        checksum = sha256(chunk)
        yield chunk
        for place in range(1 << level):
            if self._sealed(seal.height).root != seal.root:
                raise LookupError("the height is not held")  # rolled back and committed anew meanwhile
            chunk = b"".join(self._rows_under(level, place, self._after(seal)))
            checksum.update(chunk)
            yield chunk
        yield checksum.digest()

    def restore(self, chunks: Iterable[bytes]) -> bytes:
        """See `StateTree.restore`."""
        dump = b"".join(chunks)
        body, checksum = dump[:-HASH_SIZE], dump[-HASH_SIZE:]
        if len(body) < ROW:
            raise ValueError("too short for a dump")
        if sha256(body).digest() != checksum:
            raise ValueError("the checksum does not hold")
        if not body.startswith(_MAGIC):
            raise ValueError("not a dump of this format")
        if len(body) % ROW or len(body) // ROW - 1 != int.from_bytes(body[24:32], "big"):
            raise ValueError("the number of leaves differs from the header")
        rows = _rows(body[ROW:])
        if any(one[:HASH_SIZE] >= two[:HASH_SIZE] for one, two in pairwise(rows)):
            raise ValueError("leaves are not in order")
        tree = PlainTree()
        tree._build(rows)
        if tree.root != body[32:ROW]:
            raise ValueError("the root differs from the header")
        self.__dict__ = tree.__dict__
        self._seal_all(int.from_bytes(body[16:24], "big", signed=True))
        return self.root

    def _start(self, depth: int) -> None:
        """Forget everything; make empty levels down to `depth`."""
        self._depth = depth
        self._hashes = [bytearray(EMPTY_ROOT * (1 << level)) for level in range(depth + 1)]
        self._kinds = [bytearray(1 << level) for level in range(depth + 1)]
        self._buckets = [b""] * (1 << depth)
        self._growth = None
        self._count = 0

    def _seal_all(self, height: int) -> None:
        """Make what is there the only height held."""
        self._layers = []
        self._dropped = 0
        self._seals = [_Seal(height, self.root, self._count, 0)]

    def _build(self, rows: list[bytes]) -> None:
        """Make the tree of sorted rows with distinct keys."""
        depth = _FIRST_DEPTH
        while len(rows) > _LOAD << depth and depth < _DEEPEST:
            depth += 1
        self._start(depth)
        self._count = len(rows)
        hashes, kinds, start = self._hashes[depth], self._kinds[depth], 0
        while start < len(rows):
            place, stop = _prefix(rows[start], depth), start + 1
            while stop < len(rows) and _prefix(rows[stop], depth) == place:
                stop += 1
            group, start = rows[start:stop], stop
            self._buckets[place] = b"".join(group)
            digest, kinds[place] = subtree(group, depth)
            hashes[HASH_SIZE * place : HASH_SIZE * place + HASH_SIZE] = digest
        for level in range(depth - 1, -1, -1):
            nodes = [_parent(self._hashes[level + 1], self._kinds[level + 1], place) for place in range(1 << level)]
            self._hashes[level] = bytearray(b"".join([digest for digest, _ in nodes]))
            self._kinds[level] = bytearray([kind for _, kind in nodes])


def _key(change: tuple[bytes, bytes | None]) -> bytes:
    return change[0]


def _prefix(key: bytes, level: int) -> int:
    """The first `level` bits of a key hash, at most 32, as a number: its place at that level."""
    return int.from_bytes(key[:4], "big") >> (32 - level)


def _first_key(level: int, place: int) -> bytes:
    return (place << (32 - level)).to_bytes(5, "big")[1:]


def _rows(bucket: bytes) -> list[bytes]:
    return [bucket[at : at + ROW] for at in range(0, len(bucket), ROW)]


def _parents(hashes: bytearray, kinds: bytearray, places: list[int]) -> list[tuple[bytes, int]]:
    """Hash and kind of places of the level above: nearly all stand over two keys or more, and are made right here."""
    nodes = []
    for place in places:
        if kinds[2 * place] + kinds[2 * place + 1] > LEAF:
            nodes.append((sha256(INNER_TAG + hashes[ROW * place : ROW * place + ROW]).digest(), INNER))
        else:
            nodes.append(_parent(hashes, kinds, place))
    return nodes


def _parent(hashes: bytearray, kinds: bytearray, place: int) -> tuple[bytes, int]:
    """Hash and kind of the place above two neighbours of a level."""
    left = 2 * place
    together = kinds[left] + kinds[left + 1]
    pair = hashes[HASH_SIZE * left : HASH_SIZE * left + ROW]
    if together > LEAF:
        return sha256(INNER_TAG + pair).digest(), INNER
    if together == EMPTY:
        return EMPTY_ROOT, EMPTY
    return bytes(pair[:HASH_SIZE] if kinds[left] else pair[HASH_SIZE:]), LEAF
