"""The routes of signed links, which take in and give out the bytes of attachments without a key."""

import re
from contextlib import suppress
from typing import IO, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from runcard.domain.actor import SystemActor
from runcard.domain.errors import AttachmentNotFound, RuncardError, StorageUnavailable
from runcard.domain.ids import new_id
from runcard.edge.links import Purpose
from runcard.edge.requests.services import Services, WithServices
from runcard.ingest.attach_file import collect
from runcard.intake.byte_removal import remove_soon
from runcard.store.files.attachments import Attachment, get_attachment_by_link
from runcard.store.files.blobs import BlobMeta, blob_key
from runcard.store.files.replacement import replace_bytes

router = APIRouter()

# A browser may show these; it may only save anything else.
HARMLESS_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def _linked(token: str, request: Request, services: WithServices) -> Attachment:
    purpose: Purpose = "upload" if request.method == "PUT" else "download"
    attachment_id = services.links.attachment_id(purpose, token)
    with services.database.read() as connection:
        return get_attachment_by_link(connection, attachment_id)


Linked = Annotated[Attachment, Depends(_linked)]


@router.put("/files/upload/{token}")
async def upload(request: Request, services: WithServices, attachment: Linked) -> Response:
    """Take in the bytes of an upload. A second upload replaces them, until something uses the attachment."""
    content = await collect(request.stream(), services.max_upload_bytes, attachment)
    await run_in_threadpool(_store, services, attachment, content, request.headers.get("content-type"))
    return Response(status_code=200)


def _store(services: Services, attachment: Attachment, content: IO[bytes], content_type: str | None) -> None:
    """Store the bytes under a new id, so that the earlier bytes stay untouched until these are accepted."""
    blob_id = new_id()
    key = blob_key(attachment.organization_id, blob_id)
    with content:
        size = content.seek(0, 2)
        content.seek(0)
        services.blobs.write(key, content)
    meta = BlobMeta(size, _plain(content_type), blob_id)
    author = SystemActor(attachment.organization_id, "upload by a signed link")
    try:
        services.writer.write(author, lambda tx: replace_bytes(tx, attachment, meta))
    except RuncardError:
        # The bytes were refused, so nothing refers to them. If they cannot be removed now, `doctor` finds them.
        with suppress(StorageUnavailable):
            services.blobs.delete(key)
        raise
    remove_soon(services.stores, attachment.organization_id)


@router.get("/files/download/{token}")
def download(services: WithServices, attachment: Linked) -> Response:
    """The bytes of the attachment that a link names. Raises AttachmentNotFound."""
    return file_answer(services, attachment)


def file_answer(services: Services, attachment: Attachment) -> Response:
    """The bytes of an attachment, in a form that no browser would run. Raises AttachmentNotFound."""
    content_type = attachment.shown_content_type
    if content_type in HARMLESS_IMAGES:
        return _bytes_of(services, attachment, content_type, inline=True)
    return saved_file(services, attachment)


def saved_file(services: Services, attachment: Attachment) -> Response:
    """The bytes of an attachment, as a file that a browser only saves. Raises AttachmentNotFound."""
    return _bytes_of(services, attachment, "application/octet-stream", inline=False)


def _bytes_of(services: Services, attachment: Attachment, content_type: str, *, inline: bool) -> Response:
    pieces = services.blobs.stream(attachment.blob_key)
    if pieces is None:
        raise AttachmentNotFound(attachment.id)
    return StreamingResponse(
        pieces,
        media_type=content_type,
        headers={
            "Content-Disposition": content_disposition(attachment.name, inline=inline),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            **({"Content-Length": str(attachment.size_bytes)} if attachment.size_bytes is not None else {}),
        },
    )


def content_disposition(name: str, *, inline: bool) -> str:
    """The Content-Disposition header for a file name with any characters (RFC 6266)."""
    ascii_name = re.sub(r'[^ -~]|["\\/%]', "_", name)
    encoded = quote(name.encode("utf-8", "replace"), safe="")
    return f"{'inline' if inline else 'attachment'}; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded}"


def _plain(content_type: str | None) -> str | None:
    """The content type if a header can hold it, else None."""
    if content_type is None or not re.fullmatch(r"[\w.+-]+/[\w.+-]+(; ?[\w.=+-]+)*", content_type[:200]):
        return None
    return content_type
