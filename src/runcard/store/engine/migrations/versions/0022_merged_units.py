"""Units that were merged into others"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deleted_things", sa.Column("merged_into_id", Id(), nullable=True))
    where = sa.text("merged_into_id IS NOT NULL")
    op.create_index(
        "ix_deleted_things_merged_into_id",
        "deleted_things",
        ["merged_into_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
