"""What was chosen for files in quarantine, and indexes of files by time"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("quarantined_files", sa.Column("client", sa.Text(), nullable=True))
    op.add_column("quarantined_files", sa.Column("procedure", sa.Text(), nullable=True))
    op.add_column("quarantined_files", sa.Column("part_number", sa.Text(), nullable=True))
    op.add_column("quarantined_files", sa.Column("template_id", tables.Id(length=16), nullable=True))
    for table in ("file_imports", "quarantined_files"):
        op.create_index(
            op.f(f"ix_{table}_organization_id_{table}_created_at"),
            table,
            ["organization_id", "created_at"],
            unique=False,
        )
