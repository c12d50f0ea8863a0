"""Quarantine: files whose content could not be read or recorded are kept with the reason, until it is mended."""

from uuid import UUID

from runcard.domain.actor import Actor, check_may_record
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import get_attachment
from runcard.store.files.removal import delete_unneeded
from runcard.store.intake.quarantine import QuarantinedFile, RefusedFile, quarantine, release


def quarantine_file(tx: Transaction, actor: Actor, file: RefusedFile) -> UUID:
    """Id of the file in quarantine. It leaves that when its content is imported, or by `discard_file`.

    Raises PermissionDenied for a viewer; then AttachmentNotFound.
    """
    check_may_record(actor)
    get_attachment(tx.scope, file.attachment_id)
    return quarantine(tx, file, Creator.of(actor))


def discard_file(tx: Transaction, file: QuarantinedFile) -> None:
    """Give a quarantined file up. Its bytes are noted to be removed, unless something else needs them."""
    attachment = get_attachment(tx.scope, file.attachment_id)
    release(tx, file.digest)
    delete_unneeded(tx, [attachment.id])
