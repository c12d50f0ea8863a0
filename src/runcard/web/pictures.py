"""Pictures that people send from a page: a file in a browser's form, kept as an attachment that a record names."""

import io
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput
from runcard.domain.ids import new_id
from runcard.edge.bodies import read_body
from runcard.edge.deps import Parts, WithParts
from runcard.store.attachments import create_attachment, mark_stored
from runcard.store.blobs import BlobMeta, blob_key
from runcard.store.creator import Creator
from runcard.store.transaction import Transaction
from runcard.web.forms import TOKEN_FIELD
from runcard.web.visit import WithVisit

MAX_PICTURE_BYTES = 5_000_000
# The fields beside the picture, and what multipart itself takes.
_FORM_BYTES = 16_384
_MAX_FIELDS = 5
_MAX_NAME_LENGTH = 255

# How files of each kind begin; what a browser may show must be what it says it is.
_BEGINNINGS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


class Picture(NamedTuple):
    name: str
    content_type: str
    content: bytes


async def _read_picture(request: Request, parts: WithParts, visit: WithVisit) -> Picture:
    body = await read_body(request.receive, MAX_PICTURE_BYTES + _FORM_BYTES)
    try:
        parser = MultiPartParser(
            request.headers, _whole(body), max_files=1, max_fields=_MAX_FIELDS, max_part_size=_FORM_BYTES
        )
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidInput.at("picture", f"The form cannot be read: {error.message}") from error
    token, file = form.get(TOKEN_FIELD), form.get("picture")
    parts.form_tokens.check(visit.session, token if isinstance(token, str) else "")
    if not isinstance(file, UploadFile):
        raise InvalidInput.at("picture", "No picture was chosen; choose a file")
    content = await file.read()
    await form.close()
    name = (file.filename or "").replace("\0", "").strip()[:_MAX_NAME_LENGTH]
    return Picture(name or "picture", _content_type(content), content)


# The picture of a form that a page gave to the member who sends it.
WithPicture = Annotated[Picture, Depends(_read_picture)]


def keep_picture(
    parts: Parts, actor: UserActor, picture: Picture, use: Callable[[Transaction, UUID], None]
) -> None:
    """Keep a picture as an attachment, and `use` its id in the same transaction."""
    home, attachment_id = actor.organization_id, new_id()
    parts.blobs.write(blob_key(home, attachment_id), io.BytesIO(picture.content))

    def apply(tx: Transaction) -> None:
        attachment = create_attachment(
            tx,
            home,
            picture.name,
            content_type=picture.content_type,
            declared_bytes=len(picture.content),
            creator=Creator.of(actor),
            attachment_id=attachment_id,
        )
        mark_stored(tx, attachment, BlobMeta(len(picture.content), picture.content_type))
        use(tx, attachment_id)

    parts.writer.run(apply)


def picture_url(parts: Parts, image_id: UUID | None) -> str:
    """Where a page shows an image from, on this server as its safety headers ask; empty where there is none."""
    if image_id is None:
        return ""
    return urlsplit(parts.links.url("download", image_id, "")).path


async def _whole(body: bytes) -> AsyncGenerator[bytes]:
    yield body


def _content_type(content: bytes) -> str:
    for beginning, content_type in _BEGINNINGS.items():
        if content.startswith(beginning):
            return content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidInput.at("picture", "The file is no PNG, JPEG, GIF or WebP picture; choose one that is")
