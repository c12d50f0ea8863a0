"""Identifiers that procedures had before, and since when a procedure is archived"""

import sqlalchemy as sa
from alembic import op

from runcard.store import tables

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("procedures", sa.Column("archived_at", tables.Instant(), nullable=True))
    op.create_table(
        "former_identifiers",
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("identifier_key", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("procedure_id", tables.Id(length=16), nullable=True),
        sa.Column("given_up_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_former_identifiers_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["procedures.id"], name=op.f("fk_former_identifiers_procedure_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "identifier_key", name=op.f("pk_former_identifiers")),
    )
    given = sa.text("procedure_id IS NOT NULL")
    op.create_index(
        op.f("ix_former_identifiers_procedure_id"),
        "former_identifiers",
        ["procedure_id"],
        unique=False,
        sqlite_where=given,
        postgresql_where=given,
    )
