"""Merges: which thing stands for which other one, and what they moved."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.table_parts import (
    created_columns,
    id_column,
    metadata,
    organization_column,
    reference,
)

procedure_merges = Table(
    "procedure_merges",
    metadata,
    id_column(),
    organization_column(),
    reference("source_id", "procedures", required=True, cascade=True),
    # The target at the time of the merge. It may have been merged into another procedure since.
    reference("target_id", "procedures", required=True, cascade=True),
    *created_columns(),
    # When it was taken back. The row stays until all that it moved is back again.
    Column("ended_at", Instant),
    Index(None, "source_id"),
    Index(None, "target_id"),
)

# The records that a merge moved and that are not back again. No foreign key leads to the runs, so deleting a run costs
# nothing here.
merged_records = Table(
    "merged_records",
    metadata,
    Column("merge_id", Id, ForeignKey("procedure_merges.id", ondelete="CASCADE"), primary_key=True),
    Column("record_id", Id, primary_key=True),
    organization_column(),
    # "run" or "deployment".
    Column("kind", Text, nullable=False),
)

part_merges = Table(
    "part_merges",
    metadata,
    id_column(),
    organization_column(),
    reference("source_id", "parts", required=True, cascade=True),
    reference("target_id", "parts", required=True, cascade=True),
    *created_columns(),
    Column("ended_at", Instant),
    Index(None, "source_id"),
    Index(None, "target_id"),
)

merged_of_parts = Table(
    "merged_of_parts",
    metadata,
    Column("merge_id", Id, ForeignKey("part_merges.id", ondelete="CASCADE"), primary_key=True),
    Column("record_id", Id, primary_key=True),
    organization_column(),
    # "unit" or "run".
    Column("kind", Text, nullable=False),
)
