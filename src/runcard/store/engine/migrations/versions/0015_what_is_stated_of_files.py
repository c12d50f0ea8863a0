"""The fields that the sender of a report file states of its runs"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imported_runs", sa.Column("stated", sa.Text(), nullable=True))
    op.add_column("quarantined_files", sa.Column("statement", sa.Text(), nullable=True))
