"""Every table of the truth. The migrations create the same tables; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

# Migrations import both from this module, and a migration is never edited again.
from runcard.store.engine.column_types import Id as Id  # noqa: PLC0414 (so that it is exported)
from runcard.store.engine.column_types import Instant as Instant  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.bin_tables import deleted_things as deleted_things  # noqa: PLC0414 (all tables in one module)
from runcard.store.engine.table_groups.document_tables import document_packs as document_packs  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.document_tables import moved_documents as moved_documents  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.former_tables import former_identifiers as former_identifiers  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.former_tables import former_part_numbers as former_part_numbers  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.former_tables import former_serial_numbers as former_serial_numbers  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.merge_tables import merged_of_parts as merged_of_parts  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.merge_tables import merged_records as merged_records  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.merge_tables import part_merges as part_merges  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.merge_tables import procedure_merges as procedure_merges  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.notes_tables import causes as causes  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.notes_tables import comment_files as comment_files  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.notes_tables import comments as comments  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.notes_tables import taggings as taggings  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.notes_tables import tags as tags  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.notes_tables import thing_causes as thing_causes  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.proof_tables import trail_adoptions as trail_adoptions  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.proof_tables import tree_heads as tree_heads  # noqa: PLC0414 (as above)
from runcard.store.engine.table_groups.proof_tables import tree_tiles as tree_tiles  # noqa: PLC0414 (as above)
from runcard.store.engine.table_parts import (
    created_columns,
    id_column,
    only_where,
    organization_column,
    reference,
    text_columns,
    unique_where,
)
from runcard.store.engine.table_parts import metadata as metadata  # noqa: PLC0414 (all tables, for those who need all)

organizations = Table(
    "organizations",
    metadata,
    id_column(),
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
    # How long deleted things stay in the bin; null: `domain.floor.retention.BIN_DAYS`.
    Column("bin_days", Integer),
)

users = Table(
    "users",
    metadata,
    id_column(),
    organization_column(),
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
    id_column(),
    organization_column(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("organization_id", "name_key"),
)

stations = Table(
    "stations",
    metadata,
    id_column(),
    organization_column(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("all_procedures", Boolean(), nullable=False),
    Column("archived_at", Instant),
    Column("created_at", Instant, nullable=False),
    reference("team_id", "teams"),
    # An attachment. It has no foreign key: attachments refer to the station that made them, which would form a ring.
    Column("image_id", Id),
    UniqueConstraint("organization_id", "name_key"),
)

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    organization_column(),
    reference("user_id", "users"),
    reference("station_id", "stations"),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("name", Text),
    Column("expires_at", Instant),
    # In the order of KEY_SCOPES, with spaces between them; null: all.
    Column("scopes", Text),
    # How the key begins that was made in its place.
    Column("replaced_by", Text),
    CheckConstraint("(user_id IS NULL) <> (station_id IS NULL)", name="one_owner"),
)

# Apart from the keys, because it changes all the time, and what is proven of a key does not.
key_uses = Table(
    "key_uses",
    metadata,
    Column("key_id", Id, ForeignKey("api_keys.id"), primary_key=True),
    organization_column(),
    Column("used_at", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    organization_column(),
    reference("user_id", "users", required=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("user_agent", Text),
    Column("confirmed_at", Instant),
)

# Of PostgreSQL only, because one server on SQLite counts in its memory. digest: of what is counted, such as an address.
log_in_attempts = Table(
    "log_in_attempts",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column(
        "made_at", LargeBinary().with_variant(ARRAY(DateTime(timezone=True)), "postgresql"), nullable=False
    ),
    Column("newest_at", Instant, nullable=False, index=True),
)

invitations = Table(
    "invitations",
    metadata,
    id_column(),
    organization_column(),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    reference("created_by_user_id", "users", required=True),
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
    id_column(),
    organization_column(),
    Column("identifier", Text, nullable=False),
    Column("identifier_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    *created_columns(),
    Column("production_branch", Text),
    Column("auto_push_enabled", Boolean(), nullable=False, server_default=false()),
    # A JSON array of texts.
    *text_columns("excluded_branch_patterns", "root_directory", "entry_point"),
    Column("archived_at", Instant),
    # The procedure that this one was merged into. No foreign key, or the table would refer to itself.
    Column("merged_into_id", Id),
    UniqueConstraint("organization_id", "identifier_key"),
    Index(None, "merged_into_id", **only_where("merged_into_id")),
)

station_procedures = Table(
    "station_procedures",
    metadata,
    Column("station_id", Id, ForeignKey("stations.id", ondelete="CASCADE"), primary_key=True),
    Column("procedure_id", Id, ForeignKey("procedures.id", ondelete="CASCADE"), primary_key=True),
    organization_column(),
    Index(None, "procedure_id"),
)

procedure_versions = Table(
    "procedure_versions",
    metadata,
    id_column(),
    organization_column(),
    reference("procedure_id", "procedures", required=True, cascade=True),
    Column("tag", Text, nullable=False),
    Column("tag_key", Text, nullable=False),
    *created_columns(),
    UniqueConstraint("procedure_id", "tag_key"),
)

parts = Table(
    "parts",
    metadata,
    id_column(),
    organization_column(),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    *created_columns(),
    Column("archived_at", Instant),
    # The part that this one was merged into. No foreign key, or the table would refer to itself.
    Column("merged_into_id", Id),
    UniqueConstraint("organization_id", "number_key"),
    Index(None, "merged_into_id", **only_where("merged_into_id")),
)

revisions = Table(
    "revisions",
    metadata,
    id_column(),
    organization_column(),
    reference("part_id", "parts", required=True, cascade=True),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("is_default", Boolean(), nullable=False),
    *created_columns(),
    Column("image_id", Id),
    UniqueConstraint("part_id", "number_key"),
)

batches = Table(
    "batches",
    metadata,
    id_column(),
    organization_column(),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    *created_columns(),
    UniqueConstraint("organization_id", "number_key"),
)

units = Table(
    "units",
    metadata,
    id_column(),
    organization_column(),
    Column("serial_number", Text, nullable=False),
    Column("serial_key", Text, nullable=False),
    reference("part_id", "parts", required=True),
    reference("revision_id", "revisions", required=True),
    reference("batch_id", "batches"),
    reference("parent_id", "units"),
    Column("created_during_run_id", Id),
    *created_columns(),
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
    id_column(),
    organization_column(),
    reference("procedure_id", "procedures", required=True, cascade=True),
    Column("environment", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("artifact_id", Id),
    Column("artifact_sha256", Text),
    Column("deployment_mode", Text, nullable=False),
    *text_columns("platform", "language", "runtime_version"),
    *text_columns("commit_sha", "commit_message", "commit_author_username", "commit_author_avatar_url"),
    Column("committed_at", Instant),
    *text_columns("branch", "repository_full_name", "repository_provider"),
    *created_columns(),
    Index(None, "procedure_id"),
)

deployment_stations = Table(
    "deployment_stations",
    metadata,
    Column("deployment_id", Id, ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("station_id", Id, ForeignKey("stations.id", ondelete="CASCADE"), primary_key=True),
    organization_column(),
    Column("pushed_at", Instant),
    Index(None, "station_id"),
)

deployment_logs = Table(
    "deployment_logs",
    metadata,
    Column("deployment_id", Id, ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    organization_column(),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# All runs have one.
ANY_OUTCOME = text("outcome <> ''")

runs = Table(
    "runs",
    metadata,
    id_column(),
    organization_column(),
    reference("procedure_id", "procedures", required=True),
    reference("version_id", "procedure_versions"),
    reference("unit_id", "units", required=True),
    reference("part_id", "parts", required=True),
    reference("revision_id", "revisions", required=True),
    reference("batch_id", "batches"),
    reference("operator_id", "users"),
    Column("outcome", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    *text_columns("docstring", "client", "client_version"),
    *created_columns(),
    # The name that the station gives the operator, if that is no member.
    Column("operator_name", Text),
    reference("deployment_id", "deployments"),
    *text_columns("execution_id", "slot_key", "slot_name"),
    # The station's own key for the report, and a digest of it, so that the same report is recorded once.
    Column("client_run_ref", Text),
    Column("report_digest", LargeBinary(32)),
    # The times of a station whose clock is wrong; the run then starts when it was received. See domain/runs/clock.py.
    Column("reported_started_at", Instant),
    Column("reported_ended_at", Instant),
    # The sample class of the unit at the time of the run.
    Column("sample", Text),
    # The serial number as the report spelled it. The unit may be renamed later.
    Column("serial_number", Text),
    # A voided run stays, and no figure counts it.
    Column("voided_at", Instant),
    Column("void_reason", Text),
    # The user.
    Column("voided_by_id", Id),
    # What the report said, where a person corrected it, as JSON; see domain/runs/correction.py.
    Column("as_reported", Text),
    # Where a person corrected the start: the start by the clock that times what lies inside the run.
    Column("clock_started_at", Instant),
    Index(None, "organization_id", "id"),
    Index(None, "organization_id", "started_at"),
    Index(None, "procedure_id", "started_at"),
    # Only merges of parts say this condition. Else SQLite would read all runs of a part to list the last ones.
    Index("ix_runs_part_id", "part_id", sqlite_where=ANY_OUTCOME, postgresql_where=ANY_OUTCOME),
    # With the start, so that the last run of a unit is found without reading its other runs.
    Index(None, "unit_id", "started_at"),
    unique_where("client_run_ref"),
    unique_where("execution_id", "slot_key"),
    Index(None, "deployment_id", **only_where("deployment_id")),
    Index("ix_runs_voided", "organization_id", "voided_at", **only_where("voided_at")),
    Index("ix_runs_corrected", "organization_id", "id", **only_where("as_reported")),
    # Ids are in the order of creation, so the table itself lies in that order.
    sqlite_with_rowid=False,
)

run_documents = Table(
    "run_documents",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    organization_column(),
    Column("body", LargeBinary, nullable=False),
    # By month; see `store.engine.partitions`.
    postgresql_partition_by="RANGE (run_id)",
)

run_sub_units = Table(
    "run_sub_units",
    metadata,
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    organization_column(),
    reference("unit_id", "units", required=True),
    reference("previous_parent_id", "units"),
    Index(None, "unit_id"),
    Index(None, "previous_parent_id", **only_where("previous_parent_id")),
)

unit_moves = Table(
    "unit_moves",
    metadata,
    id_column(),
    organization_column(),
    reference("unit_id", "units", required=True, cascade=True),
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
    id_column(),
    organization_column(),
    Column("name", Text, nullable=False),
    Column("content_type", Text),
    Column("declared_bytes", BigInteger),
    Column("size_bytes", BigInteger),
    Column("stored_at", Instant),
    reference("run_id", "runs"),
    Column("is_report", Boolean(), nullable=False),
    *created_columns(),
    reference("unit_id", "units"),
    # The id of the bytes in the file store; null: the id of the attachment.
    Column("blob_id", Id),
    Index(None, "run_id"),
    Index(None, "unit_id", **only_where("unit_id")),
)

metadata_entries = Table(
    "metadata_entries",
    metadata,
    # The id of a run, unit, part, revision or station. Ids are unique across all of these.
    Column("entity_id", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    organization_column(),
    Column("text", Text),
    Column("number", Float),
    Column("boolean", Boolean()),
    Index(None, "organization_id", "key"),
)

file_imports = Table(
    "file_imports",
    metadata,
    id_column(),
    organization_column(),
    Column("digest", LargeBinary(32), nullable=False),
    Column("importer", Text, nullable=False),
    Column("attachment_id", Id),
    *created_columns(),
    # How many of the file's reports are recorded, in file order, while the import is not finished; then null.
    Column("recorded_count", Integer),
    # When the last of its runs was deleted for its age. The file still counts as known.
    Column("expired_at", Instant),
    Index(None, "organization_id", "digest"),
    Index(None, "organization_id", "created_at"),
    Index(None, "attachment_id", **only_where("attachment_id")),
)

imported_runs = Table(
    "imported_runs",
    metadata,
    Column("file_import_id", Id, ForeignKey("file_imports.id", ondelete="CASCADE"), primary_key=True),
    Column("run_id", Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    organization_column(),
    # The id of the report in its own format, in lower case.
    Column("report_id", Text),
    # The fields of the run that were stated by the sender and not by the file, separated by blanks; null: none.
    Column("stated", Text),
    Index(None, "run_id"),
    Index(None, "organization_id", "report_id", **only_where("report_id")),
)

quarantined_files = Table(
    "quarantined_files",
    metadata,
    id_column(),
    organization_column(),
    Column("digest", LargeBinary(32), nullable=False),
    reference("attachment_id", "attachments", required=True, cascade=True),
    Column("importer", Text),
    Column("reason", Text, nullable=False),
    Column("recorded_count", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Instant, nullable=False),
    # The program that sent the file, and what the sender stated of it. No references: a named record may be deleted.
    *text_columns("client", "procedure", "part_number"),
    Column("template_id", Id),
    # The rest of what the sender stated, as JSON.
    Column("statement", Text),
    *created_columns(),
    UniqueConstraint("organization_id", "digest"),
    Index(None, "attachment_id"),
    Index(None, "organization_id", "created_at"),
)

repairs = Table(
    "repairs",
    metadata,
    id_column(),
    organization_column(),
    reference("unit_id", "units", required=True, cascade=True),
    # The file that holds its report.
    reference("file_import_id", "file_imports", required=True),
    Column("started_at", Instant, nullable=False),
    reference("operator_id", "users"),
    Column("operator_name", Text),
    # The report, as MessagePack.
    Column("body", LargeBinary, nullable=False),
    *created_columns(),
    Index(None, "unit_id", "started_at"),
    Index(None, "file_import_id"),
    Index(None, "organization_id", "started_at"),
)

import_templates = Table(
    "import_templates",
    metadata,
    id_column(),
    organization_column(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    # The mapping of a table's columns, as JSON.
    Column("mapping", Text, nullable=False),
    *created_columns(),
    UniqueConstraint("organization_id", "name_key"),
)

# Files whose attachment is deleted and whose bytes are still to be removed.
file_removals = Table(
    "file_removals",
    metadata,
    id_column(),
    organization_column(),
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
    organization_column(),
    Column("kind", Text, nullable=False),
    Column("entity_id", Id, nullable=False),
    Column("changed_at", Instant, nullable=False),
    # The audit trail: the user or station, an entry as canonical JSON, and the digest of the record after the change.
    Column("actor_id", Id),
    Column("entry", Text),
    Column("state", LargeBinary(32)),
    Index(None, "entity_id"),
    Index("ix_changes_entries", "organization_id", "seq", **only_where("entry")),
    Index("ix_changes_actors", "organization_id", "actor_id", "seq", **only_where("actor_id")),
    sqlite_autoincrement=True,
)

catalog_version = Table(
    "catalog_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)
