"""Changes get into the Merkle tree of their organization, its heads are signed, and proofs are made from it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.domain.proof.head import Head, SignedHead
from runcard.domain.proof.tiles import TILE_HASHES, appended
from runcard.evidence.signing import SigningKey
from runcard.store.commit.writer import Writer
from runcard.store.documents.reading import find_proven_run
from runcard.store.engine.database import Database
from runcard.store.trail.things import ProvenRun
from runcard.store.trail.tree import (
    Leaf,
    add_head,
    find_head,
    find_index,
    find_leaf_of,
    find_newest_head,
    read_leaves,
    read_state,
    read_tile,
    replace_tiles,
    tree_of,
)

# Changes that get into a tree at once. They take about 25 ms.
_AT_ONCE = 2000


class Inclusion(NamedTuple):
    """The leaf `leaf_index` of the tree of a signed head, and the path from it to the root.

    run: what the leaf says is a run; None: it is deleted.
    """

    leaf: Leaf
    leaf_index: int
    path: Sequence[bytes]
    head: SignedHead
    run: ProvenRun | None


class Growth(NamedTuple):
    """Two heads of one tree, and the hashes that prove that the second only added to the first."""

    first: SignedHead
    second: SignedHead
    path: Sequence[bytes]


class Prover:
    """Brings changes into the trees of organizations, signs their heads, and makes proofs from them."""

    def __init__(self, database: Database, writer: Writer, key: SigningKey) -> None:
        self._database = database
        self._writer = writer
        self.key = key

    def seal_some(self, organization_id: UUID) -> int:
        """Add the next changes of an organization to its tree. Returns how many; 0: all are in it.

        The hashes are made outside of the transaction. If another process was faster, its tiles stay.
        """
        with self._database.read_in(organization_id) as scope:
            before = read_state(scope)
            leaves = read_leaves(scope, before.last_seq, _AT_ONCE)
            if not leaves:
                return 0
            tiles = appended(
                before.size,
                lambda level, number: read_tile(scope, level, number),
                [leaf.hash for leaf in leaves],
            )
        last_seqs = {(before.size + at) // TILE_HASHES: leaf.seq for at, leaf in enumerate(leaves)}
        author = SystemActor(organization_id, "sealing")
        self._writer.write(author, lambda tx: replace_tiles(tx, before, tiles, last_seqs))
        return len(leaves)

    def seal(self, organization_id: UUID) -> None:
        """Add all changes of an organization that are committed now to its tree."""
        while self.seal_some(organization_id) >= _AT_ONCE:
            pass

    def sign(self, organization_id: UUID) -> SignedHead | None:
        """The signed head of the tree as it is now, which is kept; None if the tree is empty."""
        with self._database.read_in(organization_id) as scope:
            size = read_state(scope).size
            newest = find_newest_head(scope)
            if newest is not None and newest.head.tree_size == size and newest.key_id == self.key.key_id:
                return newest
            if not size:
                return None
            root = tree_of(scope, size).root()
        signed = self.key.sign(Head(organization_id, size, root, datetime.now(UTC)))
        self._writer.write(SystemActor(organization_id, "sealing"), lambda tx: add_head(tx, signed))
        return signed

    def prove_run(self, organization_id: UUID, run_id: UUID) -> Inclusion | None:
        """The proof that a run, as it is now, is in the tree; None if the trail has nothing of it."""
        with self._database.read_in(organization_id) as scope:
            leaf = find_leaf_of(scope, run_id)
            run = find_proven_run(scope, run_id)
        if leaf is None:
            return None
        self.seal(organization_id)
        signed = self.sign(organization_id)
        with self._database.read_in(organization_id) as scope:
            index = find_index(scope, leaf.seq)
            assert signed is not None and index is not None  # noqa: PT018 (it was sealed above)
            path = tree_of(scope, signed.head.tree_size).inclusion_path(index)
            return Inclusion(leaf, index, path, signed, run)

    def prove_growth(self, organization_id: UUID, first_size: int) -> Growth | None:
        """The proof that the tree of now grew from the one of a kept head; None if no head of this size is kept."""
        with self._database.read_in(organization_id) as scope:
            first = find_head(scope, first_size)
        if first is None:
            return None
        self.seal(organization_id)
        second = self.sign(organization_id)
        assert second is not None  # the first tree has leaves
        with self._database.read_in(organization_id) as scope:
            path = tree_of(scope, second.head.tree_size).consistency_path(first_size)
        return Growth(first, second, path)
