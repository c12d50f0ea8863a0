"""Trees kept in tiles are the trees of RFC 9162, and a proof reads few tiles."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runcard.domain.proof.merkle import EMPTY_ROOT, is_consistent, is_included
from runcard.domain.proof.tiles import TileDamaged, TiledTree, appended
from tests.domain.proof.trees import KeptTiles, kept, leaves, mth, path, proof

MOST = 1030
LEAVES = leaves(MOST)
ALL = kept(LEAVES)
# Around the powers of two, and around full tiles.
_WHOLE = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024)
EDGES = sorted({size + step for size in _WHOLE for step in (-1, 0, 1)} - {-1})
SIZES = st.sampled_from(EDGES) | st.integers(0, MOST)


def test_roots_of_all_sizes_around_edges():
    assert all(ALL.tree(size).root() == mth(LEAVES[:size]) for size in EDGES)


@given(st.data(), SIZES.filter(bool))
def test_paths_are_those_of_the_definition(data: st.DataObject, size: int):
    index = data.draw(st.integers(0, size - 1))
    tree = ALL.tree(size)
    assert tree.root() == mth(LEAVES[:size])
    assert tree.leaf(index) == LEAVES[index]
    assert tree.inclusion_path(index) == path(index, LEAVES[:size])
    assert tree.consistency_path(index + 1) == proof(index + 1, LEAVES[:size])


def test_edges_of_trees_around_edges():
    for first, size in pairwise(edge for edge in EDGES if edge):
        tree, hashes = ALL.tree(size), LEAVES[:size]
        assert tree.inclusion_path(first - 1) == path(first - 1, hashes)
        assert tree.inclusion_path(size - 1) == path(size - 1, hashes)
        assert tree.consistency_path(first) == proof(first, hashes)


@given(st.lists(SIZES, max_size=8))
@example([256, 512, 1030])
def test_a_tree_that_grew_in_steps_is_the_one_made_at_once(ends: list[int]):
    grown = KeptTiles()
    for end in sorted(ends):
        grown.append(LEAVES[grown.size : end])
    assert grown.tiles == kept(LEAVES[: grown.size]).tiles
    assert grown.tree().root() == mth(LEAVES[: grown.size])


def test_a_tree_that_grew_leaf_by_leaf_is_the_one_made_at_once():
    grown = KeptTiles()
    for leaf in LEAVES:
        grown.append([leaf])
    assert grown.tiles == ALL.tiles


def test_a_tile_is_changed_at_its_end_only():
    grown = KeptTiles()
    for start in range(0, MOST, 100):
        before = dict(grown.tiles)
        grown.append(LEAVES[start : start + 100])
        assert all(grown.tiles[place].startswith(tile) for place, tile in before.items())


def test_nothing_added_changes_nothing():
    assert appended(300, ALL.read, []) == {}


class Large:
    """The tiles of a tree of `size` equal leaves, made as they are read: all tiles of a level are equal."""

    def __init__(self, size: int, leaf: bytes) -> None:
        self.reads: list[tuple[int, int]] = []
        self.levels: list[tuple[bytes, int]] = []
        while size:
            self.levels.append((leaf, size))
            leaf, size = mth([leaf] * 256), size // 256

    def read(self, level: int, number: int) -> bytes:
        self.reads.append((level, number))
        hashed, count = self.levels[level]
        return hashed * min(256, count - 256 * number)


@pytest.mark.parametrize("size", [100_000_000, 256**3, 256**3 + 1, 256**4 - 1])
def test_a_proof_of_a_large_tree_reads_few_tiles(size: int):
    """Four levels of tiles: those on the way from the leaf up, and those of the right edge."""
    leaf = LEAVES[0]
    large = Large(size, leaf)
    root = TiledTree(size, large.read).root()
    assert len(large.reads) <= 4
    for index in (0, size // 3, size - 1):
        large.reads.clear()
        found = TiledTree(size, large.read).inclusion_path(index)
        assert is_included(leaf, index, size, found, root)
        assert len(large.reads) <= 8
        first = index + 1
        first_root = TiledTree(first, large.read).root()
        large.reads.clear()
        assert is_consistent(
            first, first_root, size, root, TiledTree(size, large.read).consistency_path(first)
        )
        assert len(large.reads) <= 12


def test_adding_to_a_large_tree_reads_the_last_tile_of_each_level():
    size = 256**3 * 3 + 256**2 * 2 + 256 * 4 - 1
    large = Large(size, LEAVES[0])
    changed = appended(size, large.read, [LEAVES[0]])
    assert len(large.reads) == len(set(large.reads)) == 2
    assert {level: len(tile) // 32 for (level, _), tile in changed.items()} == {0: 256, 1: 4}


@pytest.mark.parametrize("index", [-1, 5, 6, 2**64])
def test_a_leaf_outside_of_the_tree_is_refused(index: int):
    with pytest.raises(ValueError, match="a tree of 5 leaves has no leaf"):
        ALL.tree(5).inclusion_path(index)
    with pytest.raises(ValueError, match="a tree of 5 leaves has no leaf"):
        ALL.tree(5).leaf(index)


def test_sizes_that_no_tree_has_are_refused():
    with pytest.raises(ValueError, match="did not grow from one of 6"):
        ALL.tree(5).consistency_path(6)
    with pytest.raises(ValueError, match="did not grow from one of -1"):
        ALL.tree(5).consistency_path(-1)
    with pytest.raises(ValueError, match="-1 leaves"):
        ALL.tree(-1)
    assert ALL.tree(0).root() == EMPTY_ROOT
    assert ALL.tree(5).consistency_path(0) == []


def test_a_damaged_tile_is_named():
    short = KeptTiles()
    short.tiles = ALL.tiles | {(0, 4): ALL.tiles[0, 4][:-1]}
    with pytest.raises(TileDamaged, match="Tile 4 of level 0") as damaged:
        short.tree(MOST).root()
    assert (damaged.value.level, damaged.value.number) == (0, 4)
    with pytest.raises(TileDamaged, match="Tile 4 of level 0"):
        appended(MOST, short.read, [LEAVES[0]])
    with pytest.raises(TileDamaged, match="instead of those of 5 hashes"):
        appended(5, ALL.read, [LEAVES[0]])
    with pytest.raises(ValueError, match="32 bytes"):
        appended(MOST, ALL.read, [LEAVES[0], b"short"])
