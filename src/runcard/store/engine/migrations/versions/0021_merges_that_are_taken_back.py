"""Merges that are taken back; of parts, former numbers, merges, and when they were archived"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("procedure_merges", sa.Column("ended_at", Instant(), nullable=True))
    # A run that goes home gets the version of the same tag, so nothing needs the version that it had.
    with op.batch_alter_table("merged_records") as merged_records:
        merged_records.drop_column("version_id")
    op.add_column("parts", sa.Column("archived_at", Instant(), nullable=True))
    op.create_table(
        "former_part_numbers",
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("number_key", sa.Text(), primary_key=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("part_id", Id(), sa.ForeignKey("parts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("given_up_at", Instant(), nullable=False),
    )
    op.create_index("ix_former_part_numbers_part_id", "former_part_numbers", ["part_id"])
    _create_merges()


def _create_merges() -> None:
    op.add_column("parts", sa.Column("merged_into_id", Id(), nullable=True))
    where = sa.text("merged_into_id IS NOT NULL")
    op.create_index(
        "ix_parts_merged_into_id", "parts", ["merged_into_id"], sqlite_where=where, postgresql_where=where
    )
    where = sa.text("outcome <> ''")
    op.create_index("ix_runs_part_id", "runs", ["part_id"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "part_merges",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("source_id", Id(), sa.ForeignKey("parts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("target_id", Id(), sa.ForeignKey("parts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by_user_id", Id(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("created_by_station_id", Id(), sa.ForeignKey("stations.id"), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
    )
    for column in ("source_id", "target_id"):
        op.create_index(f"ix_part_merges_{column}", "part_merges", [column])
    op.create_table(
        "merged_of_parts",
        sa.Column("merge_id", Id(), sa.ForeignKey("part_merges.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("record_id", Id(), primary_key=True),
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
    )
