"""Voided runs, and the bin: what was deleted can be restored, and leaves a tombstone"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organizations", sa.Column("bin_days", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("voided_at", Instant(), nullable=True))
    op.add_column("runs", sa.Column("void_reason", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("voided_by_id", Id(), nullable=True))
    where = sa.text("voided_at IS NOT NULL")
    op.create_index(
        "ix_runs_voided",
        "runs",
        ["organization_id", "voided_at"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "deleted_things",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("noun", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("head_id", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=True),
        sa.Column("deleted_at", Instant(), nullable=False),
        sa.Column("deleted_by_id", Id(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("unit_id", Id(), nullable=True),
        sa.Column("procedure_id", Id(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("purged_at", Instant(), nullable=True),
        sa.Column("content_digest", sa.LargeBinary(32), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
    )
    op.create_index("ix_deleted_things_head_id", "deleted_things", ["head_id"])
    for name, columns, given in (
        ("ix_deleted_things_unit_id", ["unit_id"], "unit_id IS NOT NULL"),
        ("ix_deleted_things_bin", ["organization_id", "deleted_at"], "content IS NOT NULL"),
    ):
        where = sa.text(given)
        op.create_index(name, "deleted_things", columns, sqlite_where=where, postgresql_where=where)
