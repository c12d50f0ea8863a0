"""The tree of `runcard-verify`: published values, and that it judges as the server does, with code of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.proof import merkle
from runcard_verify.tree import is_consistent, is_included, leaf_hash
from tests.domain.proof.published import CONSISTENCY, ENTRIES, INCLUSION, ROOTS
from tests.domain.proof.trees import leaves, mth, path, proof

LEAVES = leaves(70)
SIZES = st.integers(0, 70)
# Hashes that stand in trees, so that wrong paths are not wrong everywhere.
HASHES = st.lists(st.sampled_from([*LEAVES[:4], mth(LEAVES[:2]), mth(LEAVES[:4]), mth([])]), max_size=5)


def hashes(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


@pytest.mark.parametrize(("number", "size"), INCLUSION)
def test_published_inclusion_paths(number: int, size: int):
    leaf = leaf_hash(bytes.fromhex(ENTRIES[number - 1]))
    assert is_included(
        leaf, number - 1, size, hashes(INCLUSION[number, size]), bytes.fromhex(ROOTS[size - 1])
    )


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_published_consistency_paths(first: int, second: int):
    roots = [bytes.fromhex(ROOTS[size - 1]) for size in (first, second)]
    assert is_consistent(first, roots[0], second, roots[1], hashes(CONSISTENCY[first, second]))


@given(st.data(), SIZES, SIZES)
def test_right_and_wrong_sizes_are_judged_as_by_the_server(data: st.DataObject, size: int, other: int):
    """A right path, told of any index and size."""
    index = data.draw(st.integers(0, max(0, size - 1)))
    root, of_tree = mth(LEAVES[:size]), path(index, LEAVES[:size]) if size else []
    told = LEAVES[index], other, size + data.draw(st.integers(0, 2)), of_tree, root
    assert is_included(*told) == merkle.is_included(*told)
    first, from_first = mth(LEAVES[: index + 1]), proof(index + 1, LEAVES[:size]) if size else []
    grown = other, first, size, root, from_first
    assert is_consistent(*grown) == merkle.is_consistent(*grown)


@given(SIZES, SIZES, HASHES, HASHES.filter(bool))
def test_any_path_is_judged_as_by_the_server(
    first: int, second: int, of_tree: list[bytes], ends: list[bytes]
):
    told = ends[0], first, second, of_tree, ends[-1]
    assert is_included(*told) == merkle.is_included(*told)
    grown = first, ends[0], second, ends[-1], of_tree
    assert is_consistent(*grown) == merkle.is_consistent(*grown)


@pytest.mark.parametrize("first", [0, 4, 5])
def test_the_edges_of_consistency(first: int):
    roots = mth(LEAVES[:first]), mth(LEAVES[:5])
    right = proof(first, LEAVES[:5]) if first else []
    assert is_consistent(first, roots[0], 5, roots[1], right)
    assert not is_consistent(first, roots[0], 5, roots[1], [*right, LEAVES[0]])
    assert not is_consistent(first, LEAVES[9], 5, roots[1], right)
    assert not is_consistent(first, roots[0], 5, LEAVES[9], [LEAVES[9]])
    assert not is_consistent(6, mth(LEAVES[:6]), 5, roots[1], right)
