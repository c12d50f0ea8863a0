"""Changes get into the Merkle tree of their organization, and its heads are signed."""

from datetime import UTC, datetime
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.domain.proof.head import Head, SignedHead
from runcard.domain.proof.tiles import TILE_HASHES, appended
from runcard.evidence.signing import SigningKey
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.trail.tree import (
    add_head,
    find_newest_head,
    read_leaves,
    read_state,
    read_tile,
    replace_tiles,
    tree_of,
)

# Changes that get into a tree at once. They take about 50 ms.
_AT_ONCE = 4000


def seal_some(database: Database, writer: Writer, organization_id: UUID) -> int:
    """Add the next changes of an organization to its tree. Returns how many; 0: all are in it.

    The hashes are made outside of the transaction. If another process was faster, its tiles stay.
    """
    with database.read_in(organization_id) as scope:
        before = read_state(scope)
        leaves = read_leaves(scope, before.last_seq, _AT_ONCE)
        if not leaves:
            return 0
        tiles = appended(
            before.size, lambda level, number: read_tile(scope, level, number), [leaf.hash for leaf in leaves]
        )
    last_seqs = {(before.size + at) // TILE_HASHES: leaf.seq for at, leaf in enumerate(leaves)}
    writer.write(
        SystemActor(organization_id, "sealing"), lambda tx: replace_tiles(tx, before, tiles, last_seqs)
    )
    return len(leaves)


def seal(database: Database, writer: Writer, organization_id: UUID) -> None:
    """Add all changes of an organization that are committed now to its tree."""
    while seal_some(database, writer, organization_id) >= _AT_ONCE:
        pass


def sign_head(
    database: Database, writer: Writer, key: SigningKey, organization_id: UUID
) -> SignedHead | None:
    """The signed head of the tree as it is now, which is kept; None if the tree is empty."""
    with database.read_in(organization_id) as scope:
        size = read_state(scope).size
        newest = find_newest_head(scope)
        if newest is not None and newest.head.tree_size == size and newest.key_id == key.key_id:
            return newest
        if not size:
            return None
        root = tree_of(scope, size).root()
    signed = key.sign(Head(organization_id, size, root, datetime.now(UTC)))

    def apply(tx: Transaction) -> None:
        add_head(tx, signed)

    writer.write(SystemActor(organization_id, "sealing"), apply)
    return signed
