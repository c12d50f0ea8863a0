"""Merges of procedures that are taken back"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("procedure_merges", sa.Column("ended_at", Instant(), nullable=True))
    # A run that goes home gets the version of the same tag, so nothing needs the version that it had.
    with op.batch_alter_table("merged_records") as merged_records:
        merged_records.drop_column("version_id")
