"""Attempts to log in, which several servers count together"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from runcard.store.engine.tables import Instant

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moments = sa.LargeBinary().with_variant(ARRAY(sa.DateTime(timezone=True)), "postgresql")
    # Written with every guess and of use for minutes: a crash of PostgreSQL may empty it.
    unlogged = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "log_in_attempts",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("made_at", moments, nullable=False),
        sa.Column("newest_at", Instant(), nullable=False),
        prefixes=unlogged,
    )
    op.create_index("ix_log_in_attempts_newest_at", "log_in_attempts", ["newest_at"])
