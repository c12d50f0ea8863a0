"""Bytes that come for a file: they are taken in once something needs it, and replaced before that.

Whoever holds a link may send bytes, so each decision is made in the transaction that keeps them.
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
    """The attachment with these bytes in place of those that it had, which are noted to be removed.

    Raises Conflict where it has bytes and something needs them, AttachmentNotFound where it has been deleted.
    """
    now = hold_attachment(tx, attachment.id)
    if now.stored_at is not None:
        a = attachments.c
        if tx.connection.execute(select(is_needed()).where(tx.owns(a), a.id == now.id)).scalar_one():
            raise Conflict(REPLACED_TOO_LATE)
        note_removals(tx, [now.blob_id or now.id])
    return mark_stored(tx, now, meta)


def keep_first(tx: Transaction, attachment: Attachment, meta: BlobMeta) -> Attachment:
    """The attachment with these bytes, which came under its own id, or with those that another process kept first.

    What is not kept, and what lies where a client may write, is noted to be removed. Raises AttachmentNotFound.
    """
    now = hold_attachment(tx, attachment.id)
    if now.stored_at is not None:
        if meta.blob_id is not None:
            note_removals(tx, [meta.blob_id])
        return now
    note_removals(tx, [now.id])
    return mark_stored(tx, now, meta)
