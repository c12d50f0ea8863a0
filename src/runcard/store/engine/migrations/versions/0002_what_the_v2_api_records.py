"""What the v2 API records"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tables()
    _add_columns()


def _create_tables() -> None:
    op.create_table(
        "metadata_entries",
        sa.Column("entity_id", tables.Id(length=16), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("number", sa.Float(), nullable=True),
        sa.Column("boolean", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_metadata_entries_organization_id")
        ),
        sa.PrimaryKeyConstraint("entity_id", "key", name=op.f("pk_metadata_entries")),
    )
    op.create_index(
        op.f("ix_metadata_entries_organization_id_metadata_entries_key"),
        "metadata_entries",
        ["organization_id", "key"],
        unique=False,
    )

    op.create_table(
        "teams",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_teams_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("organization_id", "name_key", name=op.f("uq_teams_organization_id_name_key")),
    )
    op.create_table(
        "file_imports",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("importer", sa.Text(), nullable=False),
        sa.Column("attachment_id", tables.Id(length=16), nullable=True),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_file_imports_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_file_imports_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_file_imports_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_imports")),
    )
    op.create_index(
        op.f("ix_file_imports_organization_id_file_imports_digest"),
        "file_imports",
        ["organization_id", "digest"],
        unique=False,
    )

    op.create_table(
        "import_templates",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_import_templates_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_import_templates_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_import_templates_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_templates")),
        sa.UniqueConstraint(
            "organization_id", "name_key", name=op.f("uq_import_templates_organization_id_name_key")
        ),
    )
    op.create_table(
        "deployments",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("procedure_id", tables.Id(length=16), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", tables.Instant(), nullable=True),
        sa.Column("ended_at", tables.Instant(), nullable=True),
        sa.Column("artifact_id", tables.Id(length=16), nullable=True),
        sa.Column("artifact_sha256", sa.Text(), nullable=True),
        sa.Column("deployment_mode", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("runtime_version", sa.Text(), nullable=True),
        sa.Column("commit_sha", sa.Text(), nullable=True),
        sa.Column("commit_message", sa.Text(), nullable=True),
        sa.Column("commit_author_username", sa.Text(), nullable=True),
        sa.Column("commit_author_avatar_url", sa.Text(), nullable=True),
        sa.Column("committed_at", tables.Instant(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("repository_full_name", sa.Text(), nullable=True),
        sa.Column("repository_provider", sa.Text(), nullable=True),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_deployments_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_deployments_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_deployments_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["procedures.id"], name=op.f("fk_deployments_procedure_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index(op.f("ix_deployments_procedure_id"), "deployments", ["procedure_id"], unique=False)

    op.create_table(
        "deployment_logs",
        sa.Column("deployment_id", tables.Id(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_deployment_logs_deployment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_deployment_logs_organization_id")
        ),
        sa.PrimaryKeyConstraint("deployment_id", "seq", name=op.f("pk_deployment_logs")),
    )
    op.create_table(
        "deployment_stations",
        sa.Column("deployment_id", tables.Id(length=16), nullable=False),
        sa.Column("station_id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("pushed_at", tables.Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deployment_id"],
            ["deployments.id"],
            name=op.f("fk_deployment_stations_deployment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_deployment_stations_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["station_id"],
            ["stations.id"],
            name=op.f("fk_deployment_stations_station_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("deployment_id", "station_id", name=op.f("pk_deployment_stations")),
    )
    op.create_index(
        op.f("ix_deployment_stations_station_id"), "deployment_stations", ["station_id"], unique=False
    )

    op.create_table(
        "imported_runs",
        sa.Column("file_import_id", tables.Id(length=16), nullable=False),
        sa.Column("run_id", tables.Id(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_import_id"],
            ["file_imports.id"],
            name=op.f("fk_imported_runs_file_import_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_imported_runs_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_imported_runs_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_import_id", "run_id", name=op.f("pk_imported_runs")),
    )
    op.create_index(op.f("ix_imported_runs_run_id"), "imported_runs", ["run_id"], unique=False)


def _add_columns() -> None:
    _add_reference("attachments", "unit_id", "units")
    op.create_index(
        op.f("ix_attachments_unit_id"),
        "attachments",
        ["unit_id"],
        unique=False,
        sqlite_where=sa.text("unit_id IS NOT NULL"),
        postgresql_where=sa.text("unit_id IS NOT NULL"),
    )

    op.add_column("procedures", sa.Column("production_branch", sa.Text(), nullable=True))
    op.add_column(
        "procedures", sa.Column("auto_push_enabled", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("procedures", sa.Column("excluded_branch_patterns", sa.Text(), nullable=True))
    op.add_column("procedures", sa.Column("root_directory", sa.Text(), nullable=True))
    op.add_column("procedures", sa.Column("entry_point", sa.Text(), nullable=True))

    op.add_column("revisions", sa.Column("image_id", tables.Id(length=16), nullable=True))

    op.add_column("runs", sa.Column("operator_name", sa.Text(), nullable=True))
    _add_reference("runs", "deployment_id", "deployments")
    op.add_column("runs", sa.Column("execution_id", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("slot_key", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("slot_name", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("client_run_ref", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("report_digest", sa.LargeBinary(length=32), nullable=True))
    op.drop_index(op.f("ix_runs_unit_id"), "runs")
    op.create_index(op.f("ix_runs_unit_id_runs_started_at"), "runs", ["unit_id", "started_at"], unique=False)
    op.create_index(op.f("ix_runs_organization_id_runs_id"), "runs", ["organization_id", "id"], unique=False)
    op.create_index(
        op.f("ix_runs_deployment_id"),
        "runs",
        ["deployment_id"],
        unique=False,
        sqlite_where=sa.text("deployment_id IS NOT NULL"),
        postgresql_where=sa.text("deployment_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_runs_organization_id_runs_client_run_ref"),
        "runs",
        ["organization_id", "client_run_ref"],
        unique=True,
        sqlite_where=sa.text("client_run_ref IS NOT NULL"),
        postgresql_where=sa.text("client_run_ref IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_runs_organization_id_runs_execution_id_runs_slot_key"),
        "runs",
        ["organization_id", "execution_id", "slot_key"],
        unique=True,
        sqlite_where=sa.text("slot_key IS NOT NULL"),
        postgresql_where=sa.text("slot_key IS NOT NULL"),
    )

    _add_reference("stations", "team_id", "teams")
    op.add_column("stations", sa.Column("image_id", tables.Id(length=16), nullable=True))

    op.add_column("units", sa.Column("sample", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_units_organization_id_units_created_at"),
        "units",
        ["organization_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_run_sub_units_previous_parent_id"),
        "run_sub_units",
        ["previous_parent_id"],
        unique=False,
        sqlite_where=sa.text("previous_parent_id IS NOT NULL"),
        postgresql_where=sa.text("previous_parent_id IS NOT NULL"),
    )


def _add_reference(table: str, name: str, target: str) -> None:
    """Add a column with a foreign key. SQLite takes a key only with its new column, or the table must be made anew."""
    key = f"fk_{table}_{name}"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE {table} ADD COLUMN {name} BLOB CONSTRAINT {key} REFERENCES {target} (id)")
    else:
        column: sa.Column[Any] = sa.Column(
            name, tables.Id(length=16), sa.ForeignKey(f"{target}.id", name=key), nullable=True
        )
        op.add_column(table, column)
