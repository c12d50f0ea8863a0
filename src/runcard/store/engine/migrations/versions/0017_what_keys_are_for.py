"""What uses an API key, when it expires, what it may, and when it was used; when a password was given"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", Instant(), nullable=True))
    op.add_column("api_keys", sa.Column("scopes", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("replaced_by", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("confirmed_at", Instant(), nullable=True))
    op.create_table(
        "key_uses",
        sa.Column("key_id", Id(), sa.ForeignKey("api_keys.id"), primary_key=True),
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
    )
