"""Bytes that arrive for a file. They can be replaced until something needs the file.

Anybody with the link may send bytes, so each decision is made in the transaction that keeps them.
"""

from sqlalchemy import select

from runcard.domain.errors import Conflict
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import attachments
from runcard.store.files.attachments import Attachment, hold_attachment, mark_stored
from runcard.store.files.blobs import BlobMeta
from runcard.store.files.bytes_to_remove import note_removals
from runcard.store.files.removal import is_needed

REPLACED_TOO_LATE = (
    "This upload is in use already and cannot be replaced. Announce a new one for other bytes."
)


def replace_bytes(tx: Transaction, attachment: Attachment, meta: BlobMeta) -> Attachment:
    """The attachment with these bytes in place of its earlier ones, which are noted for removal.

    Raises Conflict if it has bytes and something needs them, and AttachmentNotFound if it is deleted.
    """
    now = hold_attachment(tx, attachment.id)
    if now.stored_at is not None:
        a = attachments.c
        if tx.connection.execute(select(is_needed()).where(tx.owns(a), a.id == now.id)).scalar_one():
            raise Conflict(REPLACED_TOO_LATE)
        note_removals(tx, [now.blob_id or now.id])
    return mark_stored(tx, now, meta)


def keep_first(tx: Transaction, attachment: Attachment, meta: BlobMeta) -> Attachment:
    """The attachment with these bytes, or with the bytes that another process kept first.

    Bytes that are not kept, and the upload itself, which the client may still overwrite, are noted for removal. Raises
    AttachmentNotFound.
    """
    now = hold_attachment(tx, attachment.id)
    if now.stored_at is not None:
        if meta.blob_id is not None:
            note_removals(tx, [meta.blob_id])
        return now
    note_removals(tx, [now.id])
    return mark_stored(tx, now, meta)
