"""Repairs by the time when they began"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_repairs_organization_id_repairs_started_at"),
        "repairs",
        ["organization_id", "started_at"],
        unique=False,
    )
