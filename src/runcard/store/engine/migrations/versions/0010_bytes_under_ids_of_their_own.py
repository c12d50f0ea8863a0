"""The ids of stored bytes, and when the retention was set"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attachments", sa.Column("blob_id", tables.Id(length=16), nullable=True))
    op.add_column("retention_log", sa.Column("set_at", tables.Instant(), nullable=True))
