"""Pictures of records: which uploads pages show, and forms that send one."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from io import BytesIO
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput, PayloadTooLarge
from runcard.domain.ids import new_id
from runcard.edge.deps import Parts, WithParts
from runcard.edge.files import HARMLESS_IMAGES
from runcard.edge.uploads import settled
from runcard.store.attachments import create_attachment, find_attachments, mark_stored
from runcard.store.blobs import BlobMeta, blob_key
from runcard.store.creator import Creator
from runcard.store.database import Connection
from runcard.store.transaction import Transaction
from runcard.web.forms import Fields
from runcard.web.visit import WithVisit

_MAX_BYTES = 10_000_000
_MAX_FIELDS = 10
_FORM_BYTES = 16_384
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class PictureForm(NamedTuple):
    """picture: the bytes of the file that was chosen; None where none was."""

    fields: Fields
    picture: bytes | None


def picture_urls(
    parts: Parts, connection: Connection, organization_id: UUID, image_ids: Sequence[UUID | None]
) -> Mapping[UUID, str]:
    """Where those of these images can be seen whose bytes have arrived and which browsers show, by their ids."""
    wanted = [image_id for image_id in image_ids if image_id is not None]
    found = settled(parts, list(find_attachments(connection, organization_id, wanted).values()))
    return {
        one.id: f"/pictures/{one.id}"
        for one in found
        if one.stored_at is not None and one.shown_content_type in HARMLESS_IMAGES
    }


def content_type_of(picture: bytes) -> str:
    """What kind of picture these bytes are, whatever they are called. Raises InvalidInput."""
    for signature, content_type in _SIGNATURES.items():
        if picture.startswith(signature):
            return content_type
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidInput.at(
        "picture", "This file is no picture that browsers show; send a PNG, JPEG, GIF or WebP file"
    )


def keep_picture(parts: Parts, actor: UserActor, picture: bytes) -> Callable[[Transaction], UUID]:
    """Keep the bytes of a picture, and return what makes them an attachment. Raises InvalidInput for other files."""
    meta = BlobMeta(len(picture), content_type_of(picture))
    home, picture_id = actor.organization_id, new_id()
    parts.blobs.write(blob_key(home, picture_id), BytesIO(picture))

    def attach(tx: Transaction) -> UUID:
        attachment = create_attachment(
            tx,
            home,
            "picture",
            content_type=meta.content_type,
            declared_bytes=meta.size_bytes,
            creator=Creator.of(actor),
            attachment_id=picture_id,
        )
        return mark_stored(tx, attachment, meta).id

    return attach


async def _read_form(request: Request, _visit: WithVisit, parts: WithParts) -> PictureForm:
    """The fields and the picture of a multipart form. Raises InvalidInput, PayloadTooLarge."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput.at(
            "form", "It is not sent as multipart/form-data, so it has no picture; send it so"
        )
    chunks = _bounded(request.stream(), min(_MAX_BYTES, parts.max_upload_bytes))
    parser = MultiPartParser(
        request.headers, chunks, max_files=1, max_fields=_MAX_FIELDS, max_part_size=_FORM_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise InvalidInput.at(
            "form", "It is not made as multipart/form-data is; send it from the page"
        ) from error
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    chosen = form.get("picture")
    picture = await chosen.read() if isinstance(chosen, UploadFile) else None
    await form.close()
    return PictureForm(fields, picture or None)


WithPictureForm = Annotated[PictureForm, Depends(_read_form)]


async def _bounded(chunks: AsyncGenerator[bytes, None], max_bytes: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes + _FORM_BYTES:
            raise PayloadTooLarge(f"Picture is larger than {max_bytes} bytes; send a smaller one.")
        yield chunk
