"""What whoever brings report files states of their runs"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imported_runs", sa.Column("stated", sa.Text(), nullable=True))
    op.add_column("quarantined_files", sa.Column("statement", sa.Text(), nullable=True))
