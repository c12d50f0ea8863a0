"""A Merkle tree of any size, kept as tiles of 256 hashes, so that a proof reads a few of them.

Tile `number` of level 0 holds the hashes of the leaves from 256 x number on, one behind the other. A tile of level 1
holds the roots of 256 full tiles of level 0, and so on. The last tile of a level may hold fewer. A hash that stands in
a tile never changes, so the tiles of a tree are also those of all smaller trees that it grew from.
"""

from collections.abc import Callable, Sequence

from runcard.domain.errors import Outage
from runcard.domain.proof.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, root_of

TILE_HASHES = 256
# How many levels of the tree lie between a level of tiles and the next: 256 is 2 to the power of 8.
_LEVELS = 8

# Returns the bytes of a tile: its level, its number.
ReadTile = Callable[[int, int], bytes]
# Leaves from the first to before the second.
_Range = tuple[int, int]


class TileDamaged(Outage):
    """A tile that is kept has not the length that the size of its tree asks for. So nothing can be proven from it."""

    def __init__(self, level: int, number: int, fault: str) -> None:
        super().__init__(
            f"Tile {number} of level {level} of the proof {fault}. Restore it from a backup, or build the tiles "
            "again from the entries, and compare the root with a head that was kept outside."
        )
        self.level = level
        self.number = number


class TiledTree:
    """A tree of `size` leaves. It remembers the tiles that it has read, so it is made for one question or a few."""

    def __init__(self, size: int, read: ReadTile) -> None:
        if size < 0:
            raise ValueError(f"a tree cannot have {size} leaves")
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        return self._root_of_range((0, self.size)) if self.size else EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        """The hash of a leaf. Raises ValueError for an index outside of the tree."""
        self._check_index(index)
        return self._hashes(0, index, 1)[0]

    def inclusion_path(self, index: int) -> list[bytes]:
        """The hashes that prove what the leaf `index` is, from the leaf to the root (RFC 9162, section 2.1.3.1).

        Raises ValueError for an index outside of the tree.
        """
        self._check_index(index)
        return [self._root_of_range(beside) for beside in _beside_leaf(index, self.size)]

    def consistency_path(self, first_size: int) -> list[bytes]:
        """The hashes that prove that this tree grew from its first `first_size` leaves (RFC 9162, section 2.1.4.1).

        It is empty if the first tree has no leaves or as many as this. Raises ValueError if it has more.
        """
        if not 0 <= first_size <= self.size:
            raise ValueError(
                f"a tree of {self.size} leaves did not grow from one of {first_size}; ask for 0 to {self.size}"
            )
        if first_size == 0:
            return []
        return [self._root_of_range(part) for part in _between_trees(first_size, self.size)]

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise ValueError(f"a tree of {self.size} leaves has no leaf {index}; they are numbered from 0")

    def _root_of_range(self, leaves: _Range) -> bytes:
        """The root of the leaves of a range, which begins at a multiple of the power of two that spans it."""
        start, end = leaves
        parts = []
        while start < end:
            height = (end - start).bit_length() - 1
            parts.append(self._root_of_full(start, height))
            start += 1 << height
        root = parts.pop()
        while parts:
            root = node_hash(parts.pop(), root)
        return root

    def _root_of_full(self, start: int, height: int) -> bytes:
        """The root of 2 to the power of `height` leaves, which stand below hashes of one tile."""
        level, rest = divmod(height, _LEVELS)
        return root_of(self._hashes(level, start >> (_LEVELS * level), 1 << rest))

    def _hashes(self, level: int, position: int, count: int) -> list[bytes]:
        number, first = divmod(position, TILE_HASHES)
        tile = self._tiles.get((level, number))
        if tile is None:
            tile = self._tiles[level, number] = self._read(level, number)
        if len(tile) < (first + count) * HASH_BYTES:
            needed = first + count
            raise TileDamaged(level, number, f"has {len(tile)} bytes, and {needed} hashes of it are needed")
        return _split(tile[first * HASH_BYTES : (first + count) * HASH_BYTES])


def appended(size: int, read: ReadTile, leaf_hashes: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles, by level and number, that change as these leaves are added to a tree of `size`.

    Only the last tile of each level is read, and only if it is not full. Raises ValueError for a leaf of another length
    than a hash, and TileDamaged.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, count, hashes = 0, size, list(leaf_hashes)
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ValueError(f"a leaf is the {HASH_BYTES} bytes of its hash")
    while hashes:
        number, held = divmod(count, TILE_HASHES)
        tile = b"".join([_last_tile(read, level, number, held) if held else b"", *hashes])
        full: list[bytes] = []
        for start in range(0, len(tile), TILE_HASHES * HASH_BYTES):
            part = tile[start : start + TILE_HASHES * HASH_BYTES]
            changed[level, number + len(full)] = part
            if len(part) == TILE_HASHES * HASH_BYTES:
                full.append(root_of(_split(part)))
        level, count, hashes = level + 1, number, full
    return changed


def _last_tile(read: ReadTile, level: int, number: int, held: int) -> bytes:
    tile = read(level, number)
    if len(tile) != held * HASH_BYTES:
        raise TileDamaged(level, number, f"has {len(tile)} bytes instead of those of {held} hashes")
    return tile


def _split(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _beside_leaf(index: int, size: int) -> list[_Range]:
    """The ranges of leaves beside the way from a leaf up to the root."""
    start, end = 0, size
    down = []
    while end - start > 1:
        middle = start + _left_leaves(end - start)
        if index < middle:
            down.append((middle, end))
            end = middle
        else:
            down.append((start, middle))
            start = middle
    return down[::-1]


def _between_trees(first_size: int, size: int) -> list[_Range]:
    """The ranges of leaves whose roots make up both trees, in the order of the RFC; 0 < first_size < size."""
    start, end = 0, size
    down = []
    while first_size < end:
        middle = start + _left_leaves(end - start)
        if first_size <= middle:
            down.append((middle, end))
            end = middle
        else:
            down.append((start, middle))
            start = middle
    # The whole first tree is known to whoever checks.
    known = [] if start == 0 else [(start, end)]
    return known + down[::-1]


def _left_leaves(count: int) -> int:
    """The largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)
