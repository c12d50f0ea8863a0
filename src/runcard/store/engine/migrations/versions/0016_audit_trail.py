"""The audit trail: who made a change, what it was, a digest of the record after it, and the tree that proves it"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("changes", sa.Column("actor_id", Id(), nullable=True))
    op.add_column("changes", sa.Column("entry", sa.Text(), nullable=True))
    op.add_column("changes", sa.Column("state", sa.LargeBinary(32), nullable=True))
    op.add_column("runs", sa.Column("serial_number", sa.Text(), nullable=True))
    op.create_index("ix_changes_entity_id", "changes", ["entity_id"])
    for name, columns, given in (
        ("ix_changes_entries", ["organization_id", "seq"], "entry IS NOT NULL"),
        ("ix_changes_actors", ["organization_id", "actor_id", "seq"], "actor_id IS NOT NULL"),
    ):
        where = sa.text(given)
        op.create_index(name, "changes", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "tree_tiles",
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=True),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "tree_heads",
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("tree_size", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
    )
    where = sa.text("last_seq IS NOT NULL")
    op.create_index(
        "ix_tree_tiles_last_seq",
        "tree_tiles",
        ["organization_id", "last_seq"],
        sqlite_where=where,
        postgresql_where=where,
    )
    adoptions = op.create_table(
        "trail_adoptions",
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("after_id", Id(), nullable=True),
    )
    organizations = sa.table("organizations", sa.column("id", Id()))
    known = sa.select(organizations.c.id, sa.literal("organization"))
    op.execute(sa.insert(adoptions).from_select(["organization_id", "noun"], known))
