"""Quarantine, and imports that are cut short"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("file_imports", sa.Column("recorded_count", sa.Integer(), nullable=True))
    op.create_table(
        "quarantined_files",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attachment_id", tables.Id(length=16), nullable=False),
        sa.Column("importer", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_count", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", tables.Instant(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachments.id"],
            name=op.f("fk_quarantined_files_attachment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"],
            ["stations.id"],
            name=op.f("fk_quarantined_files_created_by_station_id"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_quarantined_files_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_quarantined_files_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_files")),
        sa.UniqueConstraint(
            "organization_id", "digest", name=op.f("uq_quarantined_files_organization_id_digest")
        ),
    )
    op.create_index(
        op.f("ix_quarantined_files_attachment_id"), "quarantined_files", ["attachment_id"], unique=False
    )
