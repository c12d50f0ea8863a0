"""Files whose attachments are deleted, and whose bytes are still to be removed.

They are noted in the transaction that deletes the attachments, so that whoever dies between that and the removal leaves
nothing behind that nobody knows of.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select

from runcard.store.attachments import Attachment
from runcard.store.blobs import blob_key
from runcard.store.chunks import in_chunks
from runcard.store.tables import file_removals
from runcard.store.transaction import Transaction


def note_removals(tx: Transaction, deleted: Collection[Attachment]) -> None:
    """Note the files of attachments that are deleted."""
    for one in deleted:
        tx.stage(file_removals, {"id": one.id, "organization_id": one.organization_id})


def list_removals(
    connection: Connection, organization_id: UUID | None = None, limit: int | None = None
) -> Sequence[tuple[UUID, str]]:
    """The files that are still to be removed: each one's id and the key of its blob. None: of all organizations."""
    f = file_removals.c
    query = select(f.id, f.organization_id).order_by(f.id).limit(limit)
    if organization_id is not None:
        query = query.where(f.organization_id == organization_id)
    return [(row.id, blob_key(row.organization_id, row.id)) for row in connection.execute(query)]


def forget_removals(tx: Transaction, organization_id: UUID, ids: Collection[UUID]) -> None:
    """Note that the bytes of these files are gone."""
    f = file_removals.c
    for some in in_chunks(ids):
        mine = (f.organization_id == organization_id, f.id.in_(some))
        tx.connection.execute(delete(file_removals).where(*mine))
