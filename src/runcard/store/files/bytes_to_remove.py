"""Bytes that are still to be removed, since no attachment needs them any more.

They are noted in the transaction that deletes the attachment or gives it other bytes, so that whoever dies between that
and the removal leaves nothing behind that nobody knows of.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select

from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import owned_by
from runcard.store.engine.tables import file_removals
from runcard.store.files.blobs import blob_key


# Unscoped: ids of bytes are of one organization each.
def note_removals(tx: Transaction, blob_ids: Collection[UUID]) -> None:
    """Note what the bytes lie under."""
    f = file_removals.c
    for some in in_chunks(set(blob_ids)):
        noted = tx.connection.execute(select(f.id).where(f.id.in_(some))).scalars().all()
        for blob_id in set(some) - set(noted):
            tx.stage(file_removals, {"id": blob_id, "organization_id": tx.organization_id})


def list_removals(
    connection: Connection, organization_id: UUID | None = None, limit: int | None = None
) -> Sequence[tuple[UUID, str]]:
    """What is still to be removed: the id that it lies under, and its key. None: of all organizations."""
    f = file_removals.c
    query = select(f.id, f.organization_id).order_by(f.id).limit(limit)
    if organization_id is not None:
        query = query.where(owned_by(organization_id, f))
    return [(row.id, blob_key(row.organization_id, row.id)) for row in connection.execute(query)]


def forget_removals(tx: Transaction, ids: Collection[UUID]) -> None:
    """Note that the bytes of these files are gone."""
    f = file_removals.c
    for some in in_chunks(ids):
        mine = (tx.owns(f), f.id.in_(some))
        tx.connection.execute(delete(file_removals).where(*mine))
