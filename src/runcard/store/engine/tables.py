"""Every table of the truth. The migrations create the same tables; a test compares the two."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

# Migrations import both from this module, and a migration is never edited again.
from runcard.store.engine.column_types import Id as Id  # noqa: PLC0414 (so that it is exported)
from runcard.store.engine.column_types import Instant as Instant  # noqa: PLC0414 (as above)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[UUID]:
    return Column("id", Id, primary_key=True)


def _organization() -> Column[UUID]:
    return Column("organization_id", Id, ForeignKey("organizations.id"), nullable=False)


def _reference(name: str, target: str, *, required: bool = False, cascade: bool = False) -> Column[UUID]:
    key = ForeignKey(f"{target}.id", ondelete="CASCADE" if cascade else None)
    return Column(name, Id, key, nullable=not required)


def _created() -> list[Column[Any]]:
    return [
        Column("created_at", Instant, nullable=False),
        _reference("created_by_user_id", "users"),
        _reference("created_by_station_id", "stations"),
    ]


def _texts(*names: str) -> list[Column[Any]]:
    return [Column(name, Text) for name in names]


def _where(name: str) -> dict[str, Any]:
    """The options of an index that holds only rows with a value in this column."""
    given = text(f"{name} IS NOT NULL")
    return {"sqlite_where": given, "postgresql_where": given}


def _unique_where(*names: str) -> Index:
    """An index that lets no two rows of an organization share these values. It ignores rows without the last one."""
    return Index(None, "organization_id", *names, unique=True, **_where(names[-1]))


organizations = Table(
    "organizations",
    metadata,
    _id(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("serial_number_pattern", Text),
    Column("monthly_run_quota", Integer),
    Column("station_may_create_parts", Boolean(), nullable=False),
    Column("station_may_create_revisions", Boolean(), nullable=False),
    Column("station_may_create_batches", Boolean(), nullable=False),
    Column("station_may_create_units", Boolean(), nullable=False),
    Column("station_may_create_versions", Boolean(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("run_retention_days", Integer),
    Column("file_retention_days", Integer),
)

users = Table(
    "users",
    metadata,
    _id(),
    _organization(),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("suspended_at", Instant),
    Column("created_at", Instant, nullable=False),
)

teams = Table(
    "teams",
    metadata,
    _id(),
    _organization(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("organization_id", "name_key"),
)

stations = Table(
    "stations",
    metadata,
    _id(),
    _organization(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("all_procedures", Boolean(), nullable=False),
    Column("archived_at", Instant),
    Column("created_at", Instant, nullable=False),
    _reference("team_id", "teams"),
    # An attachment. It has no foreign key: attachments refer to the station that made them, which would form a ring.
    Column("image_id", Id),
    UniqueConstraint("organization_id", "name_key"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _organization(),
    _reference("user_id", "users"),
    _reference("station_id", "stations"),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    CheckConstraint("(user_id IS NULL) <> (station_id IS NULL)", name="one_owner"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    _organization(),
    _reference("user_id", "users", required=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("user_agent", Text),
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    _organization(),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    _reference("created_by_user_id", "users", required=True),
    Column("expires_at", Instant, nullable=False),
    UniqueConstraint("organization_id", "email_key"),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
)

procedures = Table(
    "procedures",
    metadata,
    _id(),
    _organization(),
    Column("identifier", Text, nullable=False),
    Column("identifier_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    *_created(),
    Column("production_branch", Text),
    Column("auto_push_enabled", Boolean(), nullable=False, server_default=false()),
    # A JSON array of texts.
    *_texts("excluded_branch_patterns", "root_directory", "entry_point"),
    Column("archived_at", Instant),
    # The procedure that this one was merged into. No foreign key, or the table would refer to itself.
    Column("merged_into_id", Id),
    UniqueConstraint("organization_id", "identifier_key"),
    Index(None, "merged_into_id", **_where("merged_into_id")),
)

# Identifiers that procedures had before. Each still finds its procedure, and is given to no other.
former_identifiers = Table(
    "former_identifiers",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("identifier_key", Text, primary_key=True),
    Column("identifier", Text, nullable=False),
    # None: the procedure was deleted.
    _reference("procedure_id", "procedures"),
    Column("given_up_at", Instant, nullable=False),
    Index(None, "procedure_id", **_where("procedure_id")),
)

procedure_merges = Table(
    "procedure_merges",
    metadata,
    _id(),
    _organization(),
    _reference("source_id", "procedures", required=True, cascade=True),
    # The target at the time of the merge. It may have been merged into another procedure since.
    _reference("target_id", "procedures", required=True, cascade=True),
    *_created(),
    Index(None, "source_id"),
    Index(None, "target_id"),
)

# The records that a merge moved. No foreign key leads to the runs, so deleting a run costs nothing here.
merged_records = Table(
    "merged_records",
    metadata,
    Column("merge_id", Id, ForeignKey("procedure_merges.id", ondelete="CASCADE"), primary_key=True),
    Column("record_id", Id, primary_key=True),
    _organization(),
    # "run" or "deployment".
    Column("kind", Text, nullable=False),
    # The version of the source that a run had.
    Column("version_id", Id),
)

station_procedures = Table(
    "station_procedures",
    metadata,
    Column("station_id", Id, ForeignKey("stations.id", ondelete="CASCADE"), primary_key=True),
    Column("procedure_id", Id, ForeignKey("procedures.id", ondelete="CASCADE"), primary_key=True),
    _organization(),
    Index(None, "procedure_id"),
)

procedure_versions = Table(
    "procedure_versions",
    metadata,
    _id(),
    _organization(),
    _reference("procedure_id", "procedures", required=True, cascade=True),
    Column("tag", Text, nullable=False),
    Column("tag_key", Text, nullable=False),
    *_created(),
    UniqueConstraint("procedure_id", "tag_key"),
)

parts = Table(
    "parts",
    metadata,
    _id(),
    _organization(),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    *_created(),
    UniqueConstraint("organization_id", "number_key"),
)

revisions = Table(
    "revisions",
    metadata,
    _id(),
    _organization(),
    _reference("part_id", "parts", required=True, cascade=True),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("is_default", Boolean(), nullable=False),
    *_created(),
    Column("image_id", Id),
    UniqueConstraint("part_id", "number_key"),
)

batches = Table(
    "batches",
    metadata,
    _id(),
    _organization(),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    *_created(),
    UniqueConstraint("organization_id", "number_key"),
)

units = Table(
    "units",
    metadata,
    _id(),
    _organization(),
    Column("serial_number", Text, nullable=False),
    Column("serial_key", Text, nullable=False),
    _reference("part_id", "parts", required=True),
    _reference("revision_id", "revisions", required=True),
    _reference("batch_id", "batches"),
    _reference("parent_id", "units"),
    Column("created_during_run_id", Id),
    *_created(),
    Column("sample", Text),
    UniqueConstraint("organization_id", "serial_key"),
    Index(None, "organization_id", "created_at"),
    Index(None, "part_id"),
    Index(None, "revision_id"),
    Index(None, "batch_id"),
    Index(None, "parent_id"),
)

deployments = Table(
    "deployments",
    metadata,
    _id(),
    _organization(),
    _reference("procedure_id", "procedures", required=True, cascade=True),
    Column("environment", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("artifact_id", Id),
    Column("artifact_sha256", Text),
    Column("deployment_mode", Text, nullable=False),
    *_texts("platform", "language", "runtime_version"),
    *_texts("commit_sha", "commit_message", "commit_author_username", "commit_author_avatar_url"),
    Column("committed_at", Instant),
    *_texts("branch", "repository_full_name", "repository_provider"),
    *_created(),
    Index(None, "procedure_id"),
)

deployment_stations = Table(
    "deployment_stations",
    metadata,
    Column("deployment_id", Id, ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("station_id", Id, ForeignKey("stations.id", ondelete="CASCADE"), primary_key=True),
    _organization(),
    Column("pushed_at", Instant),
    Index(None, "station_id"),
)

deployment_logs = Table(
    "deployment_logs",
    metadata,
    Column("deployment_id", Id, ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _organization(),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    _id(),
    _organization(),
    _reference("procedure_id", "procedures", required=True),
    _reference("version_id", "procedure_versions"),
    _reference("unit_id", "units", required=True),
    _reference("part_id", "parts", required=True),
    _reference("revision_id", "revisions", required=True),
    _reference("batch_id", "batches"),
    _reference("operator_id", "users"),
    Column("outcome", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    *_texts("docstring", "client", "client_version"),
    *_created(),
    # The name that the station gives the operator, if that is no member.
    Column("operator_name", Text),
    _reference("deployment_id", "deployments"),
    *_texts("execution_id", "slot_key", "slot_name"),
    # The station's own key for the report, and a digest of it, so that the same report is recorded once.
    Column("client_run_ref", Text),
    Column("report_digest", LargeBinary(32)),
    # The times of a station whose clock is wrong; the run then starts when it was received. See domain/runs/clock.py.
    Column("reported_started_at", Instant),
    Column("reported_ended_at", Instant),
    # The sample class of the unit at the time of the run.
    Column("sample", Text),
    Index(None, "organization_id", "id"),
    Index(None, "organization_id", "started_at"),
    Index(None, "procedure_id", "started_at"),
    # With the start, so that the last run of a unit is found without reading its other runs.
    Index(None, "unit_id", "started_at"),
    _unique_where("client_run_ref"),
    _unique_where("execution_id", "slot_key"),
    Index(None, "deployment_id", **_where("deployment_id")),
    # Ids are in the order of creation, so the table itself lies in that order.
    sqlite_with_rowid=False,
)

run_documents = Table(
    "run_documents",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    _organization(),
    Column("body", LargeBinary, nullable=False),
)

run_sub_units = Table(
    "run_sub_units",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _organization(),
    _reference("unit_id", "units", required=True),
    _reference("previous_parent_id", "units"),
    Index(None, "unit_id"),
    Index(None, "previous_parent_id", **_where("previous_parent_id")),
)

unit_moves = Table(
    "unit_moves",
    metadata,
    _id(),
    _organization(),
    _reference("unit_id", "units", required=True, cascade=True),
    Column("kind", Text, nullable=False),
    Column("from_id", Id),
    Column("to_id", Id),
    Column("run_id", Id),
    Column("moved_at", Instant, nullable=False),
    Index(None, "unit_id", "moved_at"),
)

attachments = Table(
    "attachments",
    metadata,
    _id(),
    _organization(),
    Column("name", Text, nullable=False),
    Column("content_type", Text),
    Column("declared_bytes", BigInteger),
    Column("size_bytes", BigInteger),
    Column("stored_at", Instant),
    _reference("run_id", "runs"),
    Column("is_report", Boolean(), nullable=False),
    *_created(),
    _reference("unit_id", "units"),
    # The id of the bytes in the file store; null: the id of the attachment.
    Column("blob_id", Id),
    Index(None, "run_id"),
    Index(None, "unit_id", **_where("unit_id")),
)

metadata_entries = Table(
    "metadata_entries",
    metadata,
    # The id of a run, unit, part, revision or station. Ids are unique across all of these.
    Column("entity_id", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    _organization(),
    Column("text", Text),
    Column("number", Float),
    Column("boolean", Boolean()),
    Index(None, "organization_id", "key"),
)

file_imports = Table(
    "file_imports",
    metadata,
    _id(),
    _organization(),
    Column("digest", LargeBinary(32), nullable=False),
    Column("importer", Text, nullable=False),
    Column("attachment_id", Id),
    *_created(),
    # How many of the file's reports are recorded, in file order, while the import is not finished; then null.
    Column("recorded_count", Integer),
    # When the last of its runs was deleted for its age. The file still counts as known.
    Column("expired_at", Instant),
    Index(None, "organization_id", "digest"),
    Index(None, "organization_id", "created_at"),
    Index(None, "attachment_id", **_where("attachment_id")),
)

imported_runs = Table(
    "imported_runs",
    metadata,
    Column("file_import_id", Id, ForeignKey("file_imports.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    _organization(),
    # The id of the report in its own format, in lower case.
    Column("report_id", Text),
    # The fields of the run that were stated by the sender and not by the file, separated by blanks; null: none.
    Column("stated", Text),
    Index(None, "run_id"),
    Index(None, "organization_id", "report_id", **_where("report_id")),
)

quarantined_files = Table(
    "quarantined_files",
    metadata,
    _id(),
    _organization(),
    Column("digest", LargeBinary(32), nullable=False),
    _reference("attachment_id", "attachments", required=True, cascade=True),
    Column("importer", Text),
    Column("reason", Text, nullable=False),
    Column("recorded_count", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Instant, nullable=False),
    # The program that sent the file, and what the sender stated of it. No references: a named record may be deleted.
    *_texts("client", "procedure", "part_number"),
    Column("template_id", Id),
    # The rest of what the sender stated, as JSON.
    Column("statement", Text),
    *_created(),
    UniqueConstraint("organization_id", "digest"),
    Index(None, "attachment_id"),
    Index(None, "organization_id", "created_at"),
)

repairs = Table(
    "repairs",
    metadata,
    _id(),
    _organization(),
    _reference("unit_id", "units", required=True, cascade=True),
    # The file that holds its report.
    _reference("file_import_id", "file_imports", required=True),
    Column("started_at", Instant, nullable=False),
    _reference("operator_id", "users"),
    Column("operator_name", Text),
    # The report, as MessagePack.
    Column("body", LargeBinary, nullable=False),
    *_created(),
    Index(None, "unit_id", "started_at"),
    Index(None, "file_import_id"),
    Index(None, "organization_id", "started_at"),
)

import_templates = Table(
    "import_templates",
    metadata,
    _id(),
    _organization(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    # The mapping of a table's columns, as JSON.
    Column("mapping", Text, nullable=False),
    *_created(),
    UniqueConstraint("organization_id", "name_key"),
)

# Files whose attachment is deleted and whose bytes are still to be removed.
file_removals = Table(
    "file_removals",
    metadata,
    _id(),
    _organization(),
)

# What was deleted for its age, by day (UTC). swept_at: when the last sweep of that day ended.
retention_log = Table(
    "retention_log",
    metadata,
    Column("organization_id", Id, ForeignKey("organizations.id"), primary_key=True),
    Column("day", Instant, primary_key=True),
    Column("runs", Integer, nullable=False),
    Column("files", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("swept_at", Instant),
    # When a person last changed the retention on that day.
    Column("set_at", Instant),
)

changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    _organization(),
    Column("kind", Text, nullable=False),
    Column("entity_id", Id, nullable=False),
    Column("changed_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

catalog_version = Table(
    "catalog_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)
