"""The Merkle tree of RFC 9162, section 2.1: its hashes, and the checks of paths that somebody else made.

A check believes nothing that it is given. It holds only if the path leads to the root, with no hash missing or left
over.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
# The root of a tree without leaves.
EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of a tree of these leaves."""
    level = list(leaf_hashes)
    while len(level) > 1:
        pairs = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        # The last one of an odd number moves up as it is.
        level = pairs + level[2 * len(pairs) :]
    return level[0] if level else EMPTY_ROOT


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which an inclusion path leads from the hash of the leaf `index`; None if it cannot be a path of it.

    Section 2.1.3.2 of RFC 9162.
    """
    if not 0 <= index < size or not _are_hashes([leaf, *path]):
        return None
    here, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    return root if last == 0 else None


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that the leaf `index` of the tree with this size and root has this hash."""
    return root_of_inclusion(leaf, index, size, path) == root


def is_consistent(
    first_size: int, first_root: bytes, second_size: int, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a path proves that the second tree is the first one with leaves added behind its last.

    Section 2.1.4.2 of RFC 9162. The RFC leaves out two cases: every tree begins as the empty one, and every tree is
    consistent with itself. Both need an empty path.
    """
    if not 0 <= first_size <= second_size or not _are_hashes([first_root, second_root, *path]):
        return False
    if first_size == second_size:
        return not path and first_root == second_root and (first_size > 0 or first_root == EMPTY_ROOT)
    if first_size == 0:
        return not path and first_root == EMPTY_ROOT
    if not path:
        return False
    is_whole = first_size & (first_size - 1) == 0
    hashes = [first_root, *path] if is_whole else path
    return _consistent_roots(first_size, second_size, hashes) == (first_root, second_root)


def _consistent_roots(
    first_size: int, second_size: int, hashes: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """The roots of both trees to which the hashes lead; None if there are too few or too many."""
    here, last = first_size - 1, second_size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return None
        if here & 1 or here == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        here, last = here >> 1, last >> 1
    return (first, second) if last == 0 else None


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
