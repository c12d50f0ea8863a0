"""What uses an API key, when it expires, and what it may"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", Instant(), nullable=True))
    op.add_column("api_keys", sa.Column("scopes", sa.Text(), nullable=True))
