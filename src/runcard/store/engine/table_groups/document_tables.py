"""Where the documents of old runs lie, once they have left the database: many of them in a pack, which is one object of
the document store.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, LargeBinary, Table

from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.table_parts import id_column, metadata, organization_column

document_packs = Table(
    "document_packs",
    metadata,
    id_column(),
    organization_column(),
    Column("size_bytes", BigInteger, nullable=False),
    # Whether the pack has documents that nothing needs any more.
    Column("has_gaps", Boolean(), nullable=False),
    # Since when no document in it is needed; null: some are.
    Column("emptied_at", Instant),
    Index(None, "organization_id"),
)

# Without a foreign key to the run: a run in the bin keeps its document here.
moved_documents = Table(
    "moved_documents",
    metadata,
    Column("run_id", Id, primary_key=True, autoincrement=False),
    organization_column(),
    Column("pack_id", Id, ForeignKey("document_packs.id"), nullable=False),
    # The bytes of the document in the pack, as they were in `run_documents`.
    Column("start", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # SHA-256 of the packed document, which is part of the digest of the run.
    Column("digest", LargeBinary(32), nullable=False),
    Index(None, "pack_id"),
)
