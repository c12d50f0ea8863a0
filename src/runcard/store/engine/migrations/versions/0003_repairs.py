"""Repairs"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repairs",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("unit_id", tables.Id(length=16), nullable=False),
        sa.Column("file_import_id", tables.Id(length=16), nullable=False),
        sa.Column("started_at", tables.Instant(), nullable=False),
        sa.Column("operator_id", tables.Id(length=16), nullable=True),
        sa.Column("operator_name", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_repairs_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_repairs_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["file_import_id"], ["file_imports.id"], name=op.f("fk_repairs_file_import_id")
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name=op.f("fk_repairs_operator_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_repairs_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.id"], name=op.f("fk_repairs_unit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repairs")),
    )
    op.create_index(
        op.f("ix_repairs_unit_id_repairs_started_at"), "repairs", ["unit_id", "started_at"], unique=False
    )
    op.create_index(op.f("ix_repairs_file_import_id"), "repairs", ["file_import_id"], unique=False)
