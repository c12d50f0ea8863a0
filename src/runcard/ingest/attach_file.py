"""Files of runs and units: their upload, and their links to runs and units."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import Conflict, InvalidInput, PayloadTooLarge, UploadNotLinkable
from runcard.domain.ids import new_id
from runcard.ingest.reach import check_may_add, check_reaches_run, check_reaches_unit
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import (
    AnnouncedFile,
    Attachment,
    Owner,
    create_attachment,
    get_attachment,
    link_attachment,
    link_upload,
)
from runcard.store.files.blobs import BlobMeta, Blobs, blob_key
from runcard.store.files.replacement import REPLACED_TOO_LATE

_IN_MEMORY_BYTES = 1 << 20


async def collect(chunks: AsyncIterator[bytes], max_bytes: int, attachment: Attachment) -> IO[bytes]:
    """The bytes of an upload as a file at its start, on disk if they are more than a megabyte.

    Raises PayloadTooLarge, Conflict if the file is part of a run or unit already, and InvalidInput if there are not as
    many bytes as were declared.
    """
    if attachment.stored_at is not None and attachment.is_linked:
        raise Conflict(REPLACED_TOO_LATE)
    content: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 (the caller closes it)
    async for chunk in chunks:
        content.write(chunk)
        if content.tell() > max_bytes:
            content.close()
            raise PayloadTooLarge(
                f"File is larger than {max_bytes} bytes; send less, or raise max_upload_bytes."
            )
    declared, size = attachment.declared_bytes, content.tell()
    if declared is not None and declared != size:
        content.close()
        raise InvalidInput.at(
            "sizeBytes", f"sizeBytes is {declared}, but {size} bytes were sent; send the whole file"
        )
    content.seek(0)
    return content


def arrived(blobs: Blobs, attachment: Attachment) -> BlobMeta | None:
    """The blob that a client has uploaded directly to the object store; None if none has come or it is noted already.

    It is copied to a key that no link names, since the client's link still works for a while. Raises UploadNotLinkable
    if it does not have as many bytes as were declared.
    """
    if attachment.stored_at is not None or not blobs.signs_urls:
        return None
    if (meta := blobs.find(attachment.blob_key)) is None:
        return None
    if not _is_as_declared(attachment, meta):
        raise UploadNotLinkable
    return _copied(blobs, attachment)


def arrived_whole(blobs: Blobs, attachment: Attachment) -> BlobMeta | None:
    """As `arrived`, but None if the blob does not have as many bytes as were declared."""
    try:
        return arrived(blobs, attachment)
    except UploadNotLinkable:
        return None


def _copied(blobs: Blobs, attachment: Attachment) -> BlobMeta | None:
    """A copy of the uploaded blob. Its size is checked again: the client may have sent other bytes meanwhile."""
    blob_id = new_id()
    key = blob_key(attachment.organization_id, blob_id)
    if not blobs.copy(attachment.blob_key, key) or (meta := blobs.find(key)) is None:
        return None
    if not _is_as_declared(attachment, meta):
        blobs.delete(key)
        raise UploadNotLinkable
    return meta._replace(blob_id=blob_id)


def _is_as_declared(attachment: Attachment, meta: BlobMeta) -> bool:
    return attachment.declared_bytes in (None, meta.size_bytes)


def attach_file(tx: Transaction, actor: Actor, upload_id: UUID, run_id: UUID) -> None:
    """Link an upload to a run.

    Raises PermissionDenied for a viewer; then AttachmentNotFound, RunNotFound, StationNotAuthorized or
    UploadNotLinkable.
    """
    check_may_add(tx.connection, actor)
    attachment = get_attachment(tx.scope, upload_id)
    check_reaches_run(tx, actor, run_id)
    link_attachment(tx, attachment, run_id)


def link_uploads(tx: Transaction, actor: Actor, upload_ids: Sequence[UUID], *, run_id: UUID) -> None:
    """Link more uploads to a run, even before their bytes arrive.

    Raises PermissionDenied for a viewer; then RunNotFound, StationNotAuthorized, AttachmentNotFound or UploadTaken.
    """
    check_may_add(tx.connection, actor)
    check_reaches_run(tx, actor, run_id)
    for upload_id in upload_ids:
        link_upload(tx, upload_id, Owner(run_id=run_id))


def announce_file_of_run(
    tx: Transaction, actor: Actor, run_id: UUID, name: str, attachment_id: UUID
) -> Attachment:
    """Announce a file of a run: add its attachment under this id, and return it.

    Raises PermissionDenied for a viewer; then RunNotFound or StationNotAuthorized.
    """
    check_may_add(tx.connection, actor)
    check_reaches_run(tx, actor, run_id)
    return _announce(tx, actor, name, Owner(run_id=run_id), attachment_id)


def announce_file_of_unit(
    tx: Transaction, actor: Actor, serial_number: str, name: str, attachment_id: UUID
) -> Attachment:
    """Announce a file of a unit: add its attachment under this id, and return it.

    Raises PermissionDenied for a viewer; then UnitNotFound or UnitNotReached.
    """
    check_may_add(tx.connection, actor)
    unit = tx.catalog.get_unit(actor.organization_id, serial_number)
    check_reaches_unit(tx, actor, unit)
    return _announce(tx, actor, name, Owner(unit_id=unit.id), attachment_id)


def _announce(tx: Transaction, actor: Actor, name: str, owner: Owner, attachment_id: UUID) -> Attachment:
    return create_attachment(tx, AnnouncedFile(name, id=attachment_id), Creator.of(actor), owner)
