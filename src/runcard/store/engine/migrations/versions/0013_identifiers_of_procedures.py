"""Former identifiers of procedures, when procedures were archived, and merges"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("procedures", sa.Column("archived_at", tables.Instant(), nullable=True))
    op.add_column("procedures", sa.Column("merged_into_id", tables.Id(length=16), nullable=True))
    _create_index("procedures", "merged_into_id", is_partial=True)
    op.create_table(
        "former_identifiers",
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("identifier_key", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("procedure_id", tables.Id(length=16), nullable=True),
        sa.Column("given_up_at", tables.Instant(), nullable=False),
        _key("former_identifiers", "organization_id", "organizations"),
        _key("former_identifiers", "procedure_id", "procedures"),
        sa.PrimaryKeyConstraint("organization_id", "identifier_key", name=op.f("pk_former_identifiers")),
    )
    _create_index("former_identifiers", "procedure_id", is_partial=True)
    op.create_table(
        "procedure_merges",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("source_id", tables.Id(length=16), nullable=False),
        sa.Column("target_id", tables.Id(length=16), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        _key("procedure_merges", "organization_id", "organizations"),
        _key("procedure_merges", "source_id", "procedures", ondelete="CASCADE"),
        _key("procedure_merges", "target_id", "procedures", ondelete="CASCADE"),
        _key("procedure_merges", "created_by_user_id", "users"),
        _key("procedure_merges", "created_by_station_id", "stations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_merges")),
    )
    _create_index("procedure_merges", "source_id")
    _create_index("procedure_merges", "target_id")
    op.create_table(
        "merged_records",
        sa.Column("merge_id", tables.Id(length=16), nullable=False),
        sa.Column("record_id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version_id", tables.Id(length=16), nullable=True),
        _key("merged_records", "organization_id", "organizations"),
        _key("merged_records", "merge_id", "procedure_merges", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("merge_id", "record_id", name=op.f("pk_merged_records")),
    )


def _key(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete
    )


def _create_index(table: str, column: str, *, is_partial: bool = False) -> None:
    given = sa.text(f"{column} IS NOT NULL") if is_partial else None
    op.create_index(
        op.f(f"ix_{table}_{column}"),
        table,
        [column],
        unique=False,
        sqlite_where=given,
        postgresql_where=given,
    )
