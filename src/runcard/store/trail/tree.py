"""The Merkle tree over the changes of an organization: its leaves, its tiles and its signed heads.

The leaves are the changes in the order of the commits, all of them. A change gets into the tree a moment after its
commit, so hashing costs stations nothing; `evidence.sealing` does that.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from runcard.domain.evidence.entry import leaf_text
from runcard.domain.proof.head import Head, SignedHead
from runcard.domain.proof.merkle import HASH_BYTES, leaf_hash
from runcard.domain.proof.tiles import TILE_HASHES, TileDamaged, TiledTree
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import changes, tree_heads, tree_tiles


class TreeState(NamedTuple):
    """size: how many changes are in the tree. last_seq: the number of the last of them; 0: there is none."""

    size: int
    last_seq: int


class Leaf(NamedTuple):
    """A change as a leaf. text: the bytes that are hashed."""

    seq: int
    kind: str
    thing_id: UUID
    at: datetime
    text: bytes

    @property
    def hash(self) -> bytes:
        return leaf_hash(self.text)


def read_state(scope: Scope) -> TreeState:
    """How far the tree of the organization has come."""
    tile = tree_tiles.c
    query = (
        select(tile.number, func.length(tile.hashes), tile.last_seq)
        .where(scope.owns(tile), tile.level == 0)
        .order_by(tile.number.desc())
        .limit(1)
    )
    row = scope.connection.execute(query).one_or_none()
    return TreeState(0, 0) if row is None else TreeState(row[0] * TILE_HASHES + row[1] // HASH_BYTES, row[2])


def read_leaves(scope: Scope, after_seq: int, at_most: int) -> Sequence[Leaf]:
    """The changes after the one with this number as leaves, in the order of the commits."""
    c = changes.c
    columns = (c.seq, c.kind, c.entity_id, c.changed_at, c.actor_id, c.entry, c.state)
    query = select(*columns).where(scope.owns(c), c.seq > after_seq).order_by(c.seq).limit(at_most)
    return [_leaf(scope.organization_id, *row) for row in scope.connection.execute(query)]


def list_seqs(scope: Scope, after_seq: int, at_most: int) -> Sequence[int]:
    """The numbers of the changes after the one with this number, in order."""
    c = changes.c
    query = select(c.seq).where(scope.owns(c), c.seq > after_seq).order_by(c.seq).limit(at_most)
    return scope.connection.execute(query).scalars().all()


def read_tile(scope: Scope, level: int, number: int) -> bytes:
    """The hashes of a tile. Raises TileDamaged if there is no such tile."""
    tile = tree_tiles.c
    query = select(tile.hashes).where(scope.owns(tile), tile.level == level, tile.number == number)
    found: bytes | None = scope.connection.execute(query).scalar_one_or_none()
    if found is None:
        raise TileDamaged(level, number, "is missing")
    return found


def read_last_seqs(scope: Scope) -> Sequence[int]:
    """The number of the last change in each tile of level 0, in the order of the tiles."""
    tile = tree_tiles.c
    query = select(tile.last_seq).where(scope.owns(tile), tile.level == 0).order_by(tile.number)
    return scope.connection.execute(query).scalars().all()


def list_tiles(scope: Scope) -> Sequence[tuple[int, int]]:
    """The level and the number of each tile that is kept, in order."""
    tile = tree_tiles.c
    query = select(tile.level, tile.number).where(scope.owns(tile)).order_by(tile.level, tile.number)
    return [(level, number) for level, number in scope.connection.execute(query)]


def tree_of(scope: Scope, size: int) -> TiledTree:
    """The tree of the first `size` changes."""
    return TiledTree(size, lambda level, number: read_tile(scope, level, number))


def replace_tiles(
    tx: Transaction, before: TreeState, tiles: Mapping[tuple[int, int], bytes], last_seqs: Mapping[int, int]
) -> bool:
    """Keep these tiles, which make the tree `before` grow. Returns False if it has grown in the meantime.

    last_seqs: the number of the last change in each tile of level 0, by the number of the tile.
    """
    if read_state(tx.scope) != before:
        return False
    tile = tree_tiles.c
    for (level, number), hashes in tiles.items():
        mine = (tx.owns(tile), tile.level == level, tile.number == number)
        tx.connection.execute(delete(tree_tiles).where(*mine))
        row = {
            "organization_id": tx.organization_id,
            "level": level,
            "number": number,
            "hashes": hashes,
            "last_seq": last_seqs[number] if level == 0 else None,
        }
        tx.connection.execute(insert(tree_tiles).values(row))
    return True


def renumber_tiles(tx: Transaction) -> None:
    """Give each tile of level 0 the number that its last change has here, after changes came from elsewhere."""
    tile, c = tree_tiles.c, changes.c
    size = read_state(tx.scope).size
    query = select(c.seq).where(tx.owns(c)).order_by(c.seq).limit(size)
    for index, seq in enumerate(tx.connection.execute(query).scalars().all()):
        if (index + 1) % TILE_HASHES == 0 or index + 1 == size:
            mine = (tx.owns(tile), tile.level == 0, tile.number == index // TILE_HASHES)
            tx.connection.execute(update(tree_tiles).where(*mine).values(last_seq=seq))


def find_index(scope: Scope, seq: int) -> int | None:
    """The index of a change in the tree; None if it is not in the tree yet."""
    tile, c = tree_tiles.c, changes.c
    holding = (
        select(tile.number).where(scope.owns(tile), tile.last_seq >= seq).order_by(tile.last_seq).limit(1)
    )
    number: int | None = scope.connection.execute(holding).scalar_one_or_none()
    if number is None:
        return None
    before = select(func.coalesce(func.max(tile.last_seq), 0)).where(
        scope.owns(tile), tile.level == 0, tile.number == number - 1
    )
    first = scope.connection.execute(before).scalar_one()
    rank = select(func.count()).where(scope.owns(c), c.seq > first, c.seq < seq)
    return number * TILE_HASHES + scope.connection.execute(rank).scalar_one()


def find_leaf_of(scope: Scope, thing_id: UUID) -> Leaf | None:
    """The change that says last what a record is; None if the trail has its digest nowhere."""
    c = changes.c
    newest = (
        select(func.max(c.seq))
        .where(scope.owns(c), c.entity_id == thing_id, c.state.is_not(None))
        .scalar_subquery()
    )
    seq: int | None = scope.connection.execute(select(newest)).scalar_one_or_none()
    return None if seq is None else read_leaves(scope, seq - 1, 1)[0]


def add_head(tx: Transaction, signed: SignedHead) -> None:
    """Keep a signed head, unless there is one of this size already."""
    head = signed.head
    h = tree_heads.c
    there = select(h.tree_size).where(tx.owns(h), h.tree_size == head.tree_size)
    if tx.connection.execute(there).first() is not None:
        return
    row = {
        "organization_id": tx.organization_id,
        "tree_size": head.tree_size,
        "root": head.root,
        "signed_at": head.signed_at,
        "key_id": signed.key_id,
        "public_key": signed.public_key,
        "signature": signed.signature,
    }
    tx.connection.execute(insert(tree_heads).values(row))


def list_heads(scope: Scope, after_size: int, at_most: int) -> Sequence[SignedHead]:
    """Signed heads of trees that are larger than `after_size`, smallest first."""
    h = tree_heads.c
    query = select(tree_heads).where(scope.owns(h), h.tree_size > after_size).order_by(h.tree_size)
    return [_head(*row) for row in scope.connection.execute(query.limit(at_most))]


def find_head(scope: Scope, size: int) -> SignedHead | None:
    """The signed head of the tree of this size; None if none is kept."""
    h = tree_heads.c
    row = scope.connection.execute(select(tree_heads).where(scope.owns(h), h.tree_size == size)).one_or_none()
    return None if row is None else _head(*row)


def find_newest_head(scope: Scope) -> SignedHead | None:
    """The signed head of the largest tree; None if none was signed yet."""
    h = tree_heads.c
    query = select(tree_heads).where(scope.owns(h)).order_by(h.tree_size.desc()).limit(1)
    row = scope.connection.execute(query).one_or_none()
    return None if row is None else _head(*row)


def _leaf(organization_id: UUID, seq: int, kind: str, thing_id: UUID, at: datetime, *rest: Any) -> Leaf:
    actor_id, entry, state = rest
    text = leaf_text(organization_id, (kind, thing_id, at), actor_id=actor_id, entry=entry, state=state)
    return Leaf(seq, kind, thing_id, at, text)


def _head(
    organization_id: UUID, size: int, root: bytes, signed_at: datetime, *key: bytes | str
) -> SignedHead:
    key_id, public_key, signature = key
    assert isinstance(key_id, str) and isinstance(public_key, bytes) and isinstance(signature, bytes)  # noqa: PT018
    return SignedHead(Head(organization_id, size, root, signed_at), key_id, public_key, signature)
