"""Bytes that must still be removed, because no attachment needs them any more.

They are noted in the transaction that deletes the attachment or gives it other bytes. So if a process dies before it
removes them, the next one still knows of them.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select

from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import owned_by
from runcard.store.engine.tables import file_removals
from runcard.store.files.blobs import blob_key


# Unscoped: each id of bytes belongs to one organization.
def note_removals(tx: Transaction, blob_ids: Collection[UUID]) -> None:
    """Note the bytes with these ids for removal."""
    f = file_removals.c
    for some in in_chunks(set(blob_ids)):
        noted = tx.connection.execute(select(f.id).where(f.id.in_(some))).scalars().all()
        for blob_id in set(some) - set(noted):
            tx.stage(file_removals, {"id": blob_id, "organization_id": tx.organization_id})


def list_removals(
    connection: Connection, organization_id: UUID | None = None, limit: int | None = None
) -> Sequence[tuple[UUID, str]]:
    """The id and the key of bytes that must still be removed. organization_id: None: of all organizations."""
    f = file_removals.c
    query = select(f.id, f.organization_id).order_by(f.id).limit(limit)
    if organization_id is not None:
        query = query.where(owned_by(organization_id, f))
    return [(row.id, blob_key(row.organization_id, row.id)) for row in connection.execute(query)]


def forget_removals(tx: Transaction, ids: Collection[UUID]) -> None:
    """Note that the bytes with these ids are removed."""
    f = file_removals.c
    for some in in_chunks(ids):
        mine = (tx.owns(f), f.id.in_(some))
        tx.connection.execute(delete(file_removals).where(*mine))
