"""The first schema"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalog_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_version")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("serial_number_pattern", sa.Text(), nullable=True),
        sa.Column("monthly_run_quota", sa.Integer(), nullable=True),
        sa.Column("station_may_create_parts", sa.Boolean(), nullable=False),
        sa.Column("station_may_create_revisions", sa.Boolean(), nullable=False),
        sa.Column("station_may_create_batches", sa.Boolean(), nullable=False),
        sa.Column("station_may_create_units", sa.Boolean(), nullable=False),
        sa.Column("station_may_create_versions", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
    )
    op.create_table(
        "setup_links",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("used_at", tables.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_setup_links")),
    )
    op.create_table(
        "changes",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity_id", tables.Id(length=16), nullable=False),
        sa.Column("changed_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_changes_organization_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_changes")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stations",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("all_procedures", sa.Boolean(), nullable=False),
        sa.Column("archived_at", tables.Instant(), nullable=True),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_stations_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stations")),
        sa.UniqueConstraint("organization_id", "name_key", name=op.f("uq_stations_organization_id_name_key")),
    )
    op.create_table(
        "users",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("suspended_at", tables.Instant(), nullable=True),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_users_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("user_id", tables.Id(length=16), nullable=True),
        sa.Column("station_id", tables.Id(length=16), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("revoked_at", tables.Instant(), nullable=True),
        sa.CheckConstraint("(user_id IS NULL) <> (station_id IS NULL)", name=op.f("ck_api_keys_one_owner")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_api_keys_organization_id")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"], name=op.f("fk_api_keys_station_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_table(
        "batches",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_batches_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_batches_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_batches_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint(
            "organization_id", "number_key", name=op.f("uq_batches_organization_id_number_key")
        ),
    )
    op.create_table(
        "parts",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_parts_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_parts_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_parts_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parts")),
        sa.UniqueConstraint(
            "organization_id", "number_key", name=op.f("uq_parts_organization_id_number_key")
        ),
    )
    op.create_table(
        "procedures",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("identifier_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_procedures_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_procedures_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_procedures_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedures")),
        sa.UniqueConstraint(
            "organization_id", "identifier_key", name=op.f("uq_procedures_organization_id_identifier_key")
        ),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("user_id", tables.Id(length=16), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("expires_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_sessions_organization_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    op.create_table(
        "procedure_versions",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("procedure_id", tables.Id(length=16), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("tag_key", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"],
            ["stations.id"],
            name=op.f("fk_procedure_versions_created_by_station_id"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_procedure_versions_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_procedure_versions_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["procedure_id"],
            ["procedures.id"],
            name=op.f("fk_procedure_versions_procedure_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_versions")),
        sa.UniqueConstraint(
            "procedure_id", "tag_key", name=op.f("uq_procedure_versions_procedure_id_tag_key")
        ),
    )
    op.create_table(
        "revisions",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("part_id", tables.Id(length=16), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_revisions_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_revisions_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_revisions_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["parts.id"], name=op.f("fk_revisions_part_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("part_id", "number_key", name=op.f("uq_revisions_part_id_number_key")),
    )
    op.create_table(
        "station_procedures",
        sa.Column("station_id", tables.Id(length=16), nullable=False),
        sa.Column("procedure_id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_station_procedures_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["procedure_id"],
            ["procedures.id"],
            name=op.f("fk_station_procedures_procedure_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["station_id"], ["stations.id"], name=op.f("fk_station_procedures_station_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("station_id", "procedure_id", name=op.f("pk_station_procedures")),
    )
    with op.batch_alter_table("station_procedures", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_station_procedures_procedure_id"), ["procedure_id"], unique=False
        )

    op.create_table(
        "units",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("serial_key", sa.Text(), nullable=False),
        sa.Column("part_id", tables.Id(length=16), nullable=False),
        sa.Column("revision_id", tables.Id(length=16), nullable=False),
        sa.Column("batch_id", tables.Id(length=16), nullable=True),
        sa.Column("parent_id", tables.Id(length=16), nullable=True),
        sa.Column("created_during_run_id", tables.Id(length=16), nullable=True),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_units_batch_id")),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_units_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_units_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_units_organization_id")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name=op.f("fk_units_parent_id")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_units_part_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_units_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint(
            "organization_id", "serial_key", name=op.f("uq_units_organization_id_serial_key")
        ),
    )
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_units_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_units_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_units_part_id"), ["part_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_units_revision_id"), ["revision_id"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("procedure_id", tables.Id(length=16), nullable=False),
        sa.Column("version_id", tables.Id(length=16), nullable=True),
        sa.Column("unit_id", tables.Id(length=16), nullable=False),
        sa.Column("part_id", tables.Id(length=16), nullable=False),
        sa.Column("revision_id", tables.Id(length=16), nullable=False),
        sa.Column("batch_id", tables.Id(length=16), nullable=True),
        sa.Column("operator_id", tables.Id(length=16), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("started_at", tables.Instant(), nullable=False),
        sa.Column("ended_at", tables.Instant(), nullable=False),
        sa.Column("docstring", sa.Text(), nullable=True),
        sa.Column("client", sa.Text(), nullable=True),
        sa.Column("client_version", sa.Text(), nullable=True),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_runs_batch_id")),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_runs_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_runs_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["users.id"], name=op.f("fk_runs_operator_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_runs_organization_id")
        ),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_runs_part_id")),
        sa.ForeignKeyConstraint(["procedure_id"], ["procedures.id"], name=op.f("fk_runs_procedure_id")),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_runs_revision_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_runs_unit_id")),
        sa.ForeignKeyConstraint(["version_id"], ["procedure_versions.id"], name=op.f("fk_runs_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_runs_organization_id_runs_started_at"),
            ["organization_id", "started_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_runs_procedure_id_runs_started_at"), ["procedure_id", "started_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_runs_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "unit_moves",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("unit_id", tables.Id(length=16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_id", tables.Id(length=16), nullable=True),
        sa.Column("to_id", tables.Id(length=16), nullable=True),
        sa.Column("run_id", tables.Id(length=16), nullable=True),
        sa.Column("moved_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_unit_moves_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.id"], name=op.f("fk_unit_moves_unit_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_moves")),
    )
    with op.batch_alter_table("unit_moves", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_unit_moves_unit_id_unit_moves_moved_at"), ["unit_id", "moved_at"], unique=False
        )

    op.create_table(
        "attachments",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("declared_bytes", sa.BigInteger(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("stored_at", tables.Instant(), nullable=True),
        sa.Column("run_id", tables.Id(length=16), nullable=True),
        sa.Column("is_report", sa.Boolean(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=True),
        sa.Column("created_by_station_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_station_id"], ["stations.id"], name=op.f("fk_attachments_created_by_station_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_attachments_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_attachments_organization_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_attachments_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachments_run_id"), ["run_id"], unique=False)

    op.create_table(
        "run_documents",
        sa.Column("run_id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_run_documents_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_documents_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_documents")),
    )
    op.create_table(
        "run_sub_units",
        sa.Column("run_id", tables.Id(length=16), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("unit_id", tables.Id(length=16), nullable=False),
        sa.Column("previous_parent_id", tables.Id(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_run_sub_units_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["previous_parent_id"], ["units.id"], name=op.f("fk_run_sub_units_previous_parent_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_sub_units_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_run_sub_units_unit_id")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_run_sub_units")),
    )
    with op.batch_alter_table("run_sub_units", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_sub_units_unit_id"), ["unit_id"], unique=False)
    op.execute("INSERT INTO catalog_version (id, value) VALUES (1, 0)")
    if op.get_bind().dialect.name == "postgresql":
        # Documents are compressed already, so PostgreSQL must not compress them again.
        op.execute("ALTER TABLE run_documents ALTER COLUMN body SET STORAGE EXTERNAL")


def downgrade() -> None:
    with op.batch_alter_table("run_sub_units", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_sub_units_unit_id"))

    op.drop_table("run_sub_units")
    op.drop_table("run_documents")
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachments_run_id"))

    op.drop_table("attachments")
    with op.batch_alter_table("unit_moves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_moves_unit_id_unit_moves_moved_at"))

    op.drop_table("unit_moves")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_unit_id"))
        batch_op.drop_index(batch_op.f("ix_runs_procedure_id_runs_started_at"))
        batch_op.drop_index(batch_op.f("ix_runs_organization_id_runs_started_at"))

    op.drop_table("runs")
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_units_revision_id"))
        batch_op.drop_index(batch_op.f("ix_units_part_id"))
        batch_op.drop_index(batch_op.f("ix_units_parent_id"))
        batch_op.drop_index(batch_op.f("ix_units_batch_id"))

    op.drop_table("units")
    with op.batch_alter_table("station_procedures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_station_procedures_procedure_id"))

    op.drop_table("station_procedures")
    op.drop_table("revisions")
    op.drop_table("procedure_versions")
    op.drop_table("sessions")
    op.drop_table("procedures")
    op.drop_table("parts")
    op.drop_table("batches")
    op.drop_table("api_keys")
    op.drop_table("users")
    op.drop_table("stations")
    op.drop_table("changes")
    op.drop_table("setup_links")
    op.drop_table("organizations")
    op.drop_table("catalog_version")
