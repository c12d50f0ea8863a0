"""The checks of RFC 9162: what a path of hashes proves about a Merkle tree. Sizes and hashes are checked before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf stands at this index, from 0, of the tree of this size and root (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, reached = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if here % 2 == 1 or here == last:
            reached = _node_hash(sibling, reached)
            while here % 2 == 0 and here != 0:
                here, last = here // 2, last // 2
        else:
            reached = _node_hash(reached, sibling)
        here, last = here // 2, last // 2
    return last == 0 and reached == root


def is_consistent(
    first_size: int, first_root: bytes, second_size: int, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the second tree is the first with entries added behind its last (section 2.1.4.2)."""
    if first_size > second_size:
        return False
    if first_size == 0 and first_root != _EMPTY_ROOT:
        return False
    if first_size == second_size:
        return not path and first_root == second_root
    if first_size == 0:
        return not path
    if not path:
        return False
    is_power_of_two = first_size & (first_size - 1) == 0
    hashes = [first_root, *path] if is_power_of_two else list(path)
    here, last = first_size - 1, second_size - 1
    while here % 2 == 1:
        here, last = here // 2, last // 2
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if here % 2 == 1 or here == last:
            first, second = _node_hash(sibling, first), _node_hash(sibling, second)
            while here % 2 == 0 and here != 0:
                here, last = here // 2, last // 2
        else:
            second = _node_hash(second, sibling)
        here, last = here // 2, last // 2
    return last == 0 and (first, second) == (first_root, second_root)


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
