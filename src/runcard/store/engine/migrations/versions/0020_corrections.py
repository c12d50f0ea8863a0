"""Corrections: what a run was reported as, and the serial numbers that units had before"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("as_reported", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("clock_started_at", Instant(), nullable=True))
    where = sa.text("as_reported IS NOT NULL")
    op.create_index(
        "ix_runs_corrected", "runs", ["organization_id", "id"], sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "former_serial_numbers",
        sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("serial_key", sa.Text(), primary_key=True),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("unit_id", Id(), sa.ForeignKey("units.id", ondelete="CASCADE"), nullable=False),
        sa.Column("given_up_at", Instant(), nullable=False),
    )
    op.create_index("ix_former_serial_numbers_unit_id", "former_serial_numbers", ["unit_id"])
