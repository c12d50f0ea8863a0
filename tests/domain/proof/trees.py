"""Trees as RFC 9162 defines them, in the words of its section 2.1, to compare with."""

import hashlib
from collections.abc import Sequence

from runcard.domain.proof.tiles import TiledTree, appended


def leaves(count: int) -> list[bytes]:
    """The hashes of the leaves 0, 1, 2 and so on."""
    return [hashlib.sha256(b"\x00%d" % number).digest() for number in range(count)]


def mth(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = largest_power_below(len(hashes))
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = largest_power_below(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def proof(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    return subproof(m, hashes, whole=True)


def subproof(m: int, hashes: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    k = largest_power_below(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], whole=whole), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], whole=False), mth(hashes[:k])]


def largest_power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


class KeptTiles:
    """Tiles in memory. reads: which were read since it was last emptied."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.reads: list[tuple[int, int]] = []

    def read(self, level: int, number: int) -> bytes:
        self.reads.append((level, number))
        return self.tiles[level, number]

    def append(self, hashes: Sequence[bytes]) -> None:
        self.tiles |= appended(self.size, self.read, hashes)
        self.size += len(hashes)

    def tree(self, size: int | None = None) -> TiledTree:
        return TiledTree(self.size if size is None else size, self.read)


def kept(hashes: Sequence[bytes]) -> KeptTiles:
    tiles = KeptTiles()
    tiles.append(hashes)
    return tiles
