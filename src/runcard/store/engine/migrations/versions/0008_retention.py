"""How long runs and files are kept, and the log of what was deleted for its age"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organizations", sa.Column("run_retention_days", sa.Integer(), nullable=True))
    op.add_column("organizations", sa.Column("file_retention_days", sa.Integer(), nullable=True))
    op.add_column("file_imports", sa.Column("expired_at", tables.Instant(), nullable=True))
    given = sa.text("attachment_id IS NOT NULL")
    op.create_index(
        op.f("ix_file_imports_attachment_id"),
        "file_imports",
        ["attachment_id"],
        unique=False,
        sqlite_where=given,
        postgresql_where=given,
    )
    op.create_table(
        "file_removals",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_file_removals_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_removals")),
    )
    op.create_table(
        "retention_log",
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("day", tables.Instant(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("swept_at", tables.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_retention_log_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "day", name=op.f("pk_retention_log")),
    )
