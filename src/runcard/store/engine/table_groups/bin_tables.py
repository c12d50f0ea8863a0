"""What was deleted: things that wait in the bin, and what is left of those that are gone for good."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.table_parts import id_column, metadata, only_where, organization_column

# The id is that of the thing. Nothing here has a foreign key, because what it names may be deleted too.
deleted_things = Table(
    "deleted_things",
    metadata,
    id_column(),
    organization_column(),
    Column("noun", Text, nullable=False),
    Column("name", Text),
    # The thing that somebody deleted; this one went along with it, or is it.
    Column("head_id", Id, nullable=False),
    # What the audit trail said last of the record; null: it was older than the trail.
    Column("digest", LargeBinary(32)),
    Column("deleted_at", Instant, nullable=False),
    # The user or station; null: Runcard itself.
    Column("deleted_by_id", Id),
    Column("why", Text),
    # Of a run: its place in the history of its unit.
    Column("unit_id", Id),
    Column("procedure_id", Id),
    Column("started_at", Instant),
    Column("outcome", Text),
    # Of a unit that was merged into another: that one. It waits for a split, and is not in the bin.
    Column("merged_into_id", Id),
    # When the content was removed for good; null: it waits in the bin.
    Column("purged_at", Instant),
    # SHA-256 of the content; null: nothing of it was kept.
    Column("content_digest", LargeBinary(32)),
    # The rows of the thing, packed by `store.bin.packing`. It stands last, so that the rest is read without it.
    Column("content", LargeBinary),
    Index(None, "head_id"),
    Index(None, "unit_id", **only_where("unit_id")),
    Index(None, "merged_into_id", **only_where("merged_into_id")),
    Index("ix_deleted_things_bin", "organization_id", "deleted_at", **only_where("content")),
)
