"""Quarantine: files that could not be read or recorded are kept, each with its reason, until somebody mends that."""

from uuid import UUID

from runcard.domain.actor import Actor, check_may_record
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import get_attachment
from runcard.store.files.removal import delete_unneeded
from runcard.store.intake.quarantine import QuarantinedFile, RefusedFile, quarantine, release


def quarantine_file(tx: Transaction, actor: Actor, file: RefusedFile) -> UUID:
    """Put a file into quarantine, and return its id there. It leaves when it is imported, or by `discard_file`.

    Raises PermissionDenied for a viewer; then AttachmentNotFound.
    """
    check_may_record(actor)
    get_attachment(tx.scope, file.attachment_id)
    return quarantine(tx, file, Creator.of(actor))


def discard_file(tx: Transaction, file: QuarantinedFile) -> None:
    """Take a file out of quarantine for good. Its bytes are noted for removal, unless something else needs them."""
    attachment = get_attachment(tx.scope, file.attachment_id)
    release(tx, file.digest, "file_discarded")
    delete_unneeded(tx, [attachment.id])
