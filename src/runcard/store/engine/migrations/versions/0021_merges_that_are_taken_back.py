"""Merges that are taken back, former numbers of parts, and when parts were archived"""

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
