"""The tables of the proof: the Merkle tree over the change log, its signed heads, and what has no digest yet."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.table_parts import metadata, only_where

# Organizations from before the audit trail, whose records get their digests one by one. A row is deleted with the last.
trail_adoptions = Table(
    "trail_adoptions",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    # The noun whose records come next, and the last of them that has its digest; null: none has.
    Column("noun", Text, nullable=False),
    Column("after_id", Id),
)

# The Merkle tree over the changes of an organization; see `domain.proof.tiles`.
tree_tiles = Table(
    "tree_tiles",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # The number of the last change in a tile of level 0; null in those above. It stands before the long hashes, so that
    # it is read without them.
    Column("last_seq", BigInteger),
    Column("hashes", LargeBinary, nullable=False),
    Index("ix_tree_tiles_last_seq", "organization_id", "last_seq", **only_where("last_seq")),
)

tree_heads = Table(
    "tree_heads",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)
