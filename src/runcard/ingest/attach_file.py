"""Files of runs: keeping their bytes, and linking them to the run that they belong to."""

import tempfile
from collections.abc import AsyncIterator
from typing import IO
from uuid import UUID

from runcard.domain.actor import Actor, StationActor
from runcard.domain.errors import Conflict, InvalidInput, PayloadTooLarge, RunNotFound, UploadNotLinkable
from runcard.ingest.resolve import check_station_link
from runcard.store.attachments import Attachment, get_attachment, link_attachment, mark_stored
from runcard.store.blobs import BlobMeta, Blobs
from runcard.store.runs import find_procedure_of
from runcard.store.transaction import Transaction

_IN_MEMORY_BYTES = 1 << 20


async def collect(chunks: AsyncIterator[bytes], max_bytes: int, attachment: Attachment) -> IO[bytes]:
    """The bytes of an upload, on disk beyond a megabyte, at their beginning.

    Raises PayloadTooLarge, Conflict where the file is part of a run already, InvalidInput where their number is not
    the one that was declared.
    """
    if attachment.stored_at is not None and attachment.run_id is not None:
        raise Conflict("This upload is part of a run already and cannot be replaced.")
    content: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 (closed by whoever stores it)
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
            "sizeBytes", f"{declared} bytes were declared and {size} were sent; send the whole file"
        )
    content.seek(0)
    return content


def arrived(blobs: Blobs, attachment: Attachment) -> BlobMeta | None:
    """What an object store took in from the client directly, where that is not noted yet.

    Raises UploadNotLinkable where that is not as many bytes as were declared.
    """
    if attachment.stored_at is not None or not blobs.signs_urls:
        return None
    meta = blobs.find(attachment.blob_key)
    if meta is not None and attachment.declared_bytes not in (None, meta.size_bytes):
        raise UploadNotLinkable
    return meta


def attach_file(tx: Transaction, actor: Actor, upload_id: UUID, run_id: UUID, meta: BlobMeta | None) -> None:
    """Link an upload to a run. `meta`: what has `arrived` since.

    Raises AttachmentNotFound, RunNotFound, StationNotAuthorized or UploadNotLinkable.
    """
    attachment = get_attachment(tx.connection, actor.organization_id, upload_id)
    procedure_id = find_procedure_of(tx.connection, actor.organization_id, run_id)
    if procedure_id is None:
        raise RunNotFound(run_id)
    if isinstance(actor, StationActor):
        check_station_link(tx.catalog, actor, procedure_id)
    if meta is not None:
        mark_stored(tx, attachment, meta)
    link_attachment(tx, attachment, run_id)
