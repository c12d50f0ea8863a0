"""Hashes and paths of the Merkle tree: published values, and that nothing but a right path is believed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.proof.merkle import (
    EMPTY_ROOT,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
    root_of_inclusion,
)
from tests.domain.proof.published import CONSISTENCY, ENTRIES, INCLUSION, ROOTS
from tests.domain.proof.trees import kept, leaves, mth, path, proof

PUBLISHED = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]
SIZES = st.integers(1, 40) | st.sampled_from([63, 64, 65, 127, 128, 129, 255, 256, 257])
LEAVES = leaves(300)


def hashes(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_published_roots():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == EMPTY_ROOT
    assert [root_of(PUBLISHED[:size]).hex() for size in range(1, 9)] == ROOTS
    assert [kept(PUBLISHED[:size]).tree().root().hex() for size in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("number", "size"), INCLUSION)
def test_published_inclusion_paths(number: int, size: int):
    published = hashes(INCLUSION[number, size])
    assert kept(PUBLISHED).tree(size).inclusion_path(number - 1) == published
    assert root_of_inclusion(PUBLISHED[number - 1], number - 1, size, published) == root_of(PUBLISHED[:size])


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_published_consistency_paths(first: int, second: int):
    published = hashes(CONSISTENCY[first, second])
    assert kept(PUBLISHED).tree(second).consistency_path(first) == published
    assert is_consistent(first, root_of(PUBLISHED[:first]), second, root_of(PUBLISHED[:second]), published)


def test_roots_are_those_of_the_definition():
    assert all(root_of(LEAVES[:size]) == mth(LEAVES[:size]) for size in range(len(LEAVES)))


def test_every_leaf_and_every_earlier_tree_of_small_trees_is_proven():
    for size in range(1, 34):
        root = mth(LEAVES[:size])
        for at in range(size):
            assert is_included(LEAVES[at], at, size, path(at, LEAVES[:size]), root)
            assert is_consistent(at + 1, mth(LEAVES[: at + 1]), size, root, proof(at + 1, LEAVES[:size]))


def test_a_path_proves_one_leaf_at_one_place_only():
    size = 21
    root = mth(LEAVES[:size])
    for at in range(size):
        of_this = path(at, LEAVES[:size])
        proven = [
            index
            for index in range(-1, size + 2)
            if root_of_inclusion(LEAVES[at], index, size, of_this) == root
        ]
        assert proven == [at]


def test_a_consistency_path_proves_one_earlier_size_only():
    size = 21
    root = mth(LEAVES[:size])
    for first in range(1, size):
        first_root, of_this = mth(LEAVES[:first]), proof(first, LEAVES[:size])
        proven = [
            other for other in range(-1, size + 2) if is_consistent(other, first_root, size, root, of_this)
        ]
        assert proven == [first]


@st.composite
def changes(draw: st.DrawFn, true_path: Sequence[bytes]) -> list[bytes]:
    """A path that is not the given one: a bit flipped, or a hash dropped, added, repeated, moved or cut."""
    changed = list(true_path)
    kind = draw(st.sampled_from(["flip", "drop", "add", "swap", "cut"] if changed else ["add"]))
    at = draw(st.integers(0, max(0, len(changed) - 1)))
    if kind == "flip":
        bit = draw(st.integers(0, 255))
        changed[at] = (int.from_bytes(changed[at]) ^ 1 << bit).to_bytes(32)
    elif kind == "drop":
        del changed[at]
    elif kind == "add":
        changed.insert(at, draw(st.sampled_from([*true_path, EMPTY_ROOT, bytes(32)])))
    elif kind == "swap":
        other = draw(st.integers(0, len(changed) - 1))
        changed[at], changed[other] = changed[other], changed[at]
    else:
        changed[at] = changed[at][: draw(st.integers(0, 31))]
    return changed


@given(st.data(), SIZES)
def test_a_changed_inclusion_path_proves_nothing(data: st.DataObject, size: int):
    at = data.draw(st.integers(0, size - 1))
    true_path, root = path(at, LEAVES[:size]), mth(LEAVES[:size])
    changed = data.draw(changes(true_path))
    assert is_included(LEAVES[at], at, size, changed, root) == (changed == true_path)
    other_leaf = LEAVES[at][:-1] + bytes([LEAVES[at][-1] ^ 1])
    assert not is_included(other_leaf, at, size, true_path, root)
    assert not is_included(LEAVES[at], at, size, true_path, other_leaf)


@given(st.data(), SIZES)
def test_a_changed_consistency_path_proves_nothing(data: st.DataObject, size: int):
    first = data.draw(st.integers(1, size))
    true_path = proof(first, LEAVES[:size])
    roots = mth(LEAVES[:first]), mth(LEAVES[:size])
    changed = data.draw(changes(true_path))
    assert is_consistent(first, roots[0], size, roots[1], changed) == (changed == true_path)
    assert not is_consistent(first, LEAVES[-1], size, roots[1], true_path)
    assert not is_consistent(first, roots[0], size, LEAVES[-1], true_path)


@given(st.data(), SIZES)
def test_a_tree_that_was_cut_reordered_or_changed_is_not_consistent(data: st.DataObject, size: int):
    """The proof that the changed tree itself can give, as somebody gives it who rebuilt the record."""
    first = data.draw(st.integers(1, size))
    at, other = data.draw(st.integers(0, first - 1)), data.draw(st.integers(0, size - 1))
    rebuilt = LEAVES[:size]
    rebuilt[at], rebuilt[other] = rebuilt[other], rebuilt[at]
    holds = is_consistent(first, mth(LEAVES[:first]), size, mth(rebuilt), proof(first, rebuilt))
    assert holds == (rebuilt[:first] == LEAVES[:first])


@given(
    st.integers(-2, 2**70), st.integers(-2, 2**70), st.lists(st.binary(min_size=32, max_size=32), max_size=80)
)
def test_sizes_and_paths_that_belong_to_no_tree_are_refused(first: int, second: int, anything: list[bytes]):
    root = LEAVES[0]
    assert not is_consistent(first, root, second, LEAVES[1], anything)
    assert not is_included(root, first, second, anything, LEAVES[1])


def test_the_edges_of_consistency():
    root = mth(LEAVES[:5])
    assert is_consistent(0, EMPTY_ROOT, 5, root, [])
    assert is_consistent(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert is_consistent(5, root, 5, root, [])
    assert not is_consistent(0, LEAVES[0], 5, root, [])
    assert not is_consistent(0, LEAVES[0], 0, LEAVES[0], [])
    assert not is_consistent(0, EMPTY_ROOT, 5, root, [root])
    assert not is_consistent(5, root, 5, root, [root])
    assert not is_consistent(5, root, 5, LEAVES[0], [])
    assert not is_consistent(4, mth(LEAVES[:4]), 5, root, [])
    assert not is_consistent(5, root, 4, mth(LEAVES[:4]), [])


def test_an_entry_cannot_pass_for_a_node():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"\x01" + left + right) != node_hash(left, right)


def test_an_index_outside_of_a_tree_of_one_leaf_proves_nothing():
    only = LEAVES[0]
    assert [index for index in (-1, 0, 1, 2) if is_included(only, index, 1, [], only)] == [0]
    assert not is_consistent(-1, EMPTY_ROOT, -1, EMPTY_ROOT, [])


def test_a_path_that_is_too_long_or_too_short_leads_nowhere():
    of_this = path(2, LEAVES[:5])
    assert root_of_inclusion(LEAVES[2], 2, 5, of_this) == mth(LEAVES[:5])
    assert root_of_inclusion(LEAVES[2], 2, 5, of_this[:-1]) is None
    assert root_of_inclusion(LEAVES[2], 2, 5, [*of_this, LEAVES[0]]) is None


def test_bytes_cannot_be_shifted_between_neighbours():
    """The bytes under a node are the same, cut at another place."""
    left, right = LEAVES[:2]
    short, long = left[:-1], left[-1:] + right
    assert node_hash(short, long) == mth(LEAVES[:2])
    assert not is_included(short, 0, 2, [long], mth(LEAVES[:2]))
    assert not is_consistent(1, short, 2, mth(LEAVES[:2]), [long])
