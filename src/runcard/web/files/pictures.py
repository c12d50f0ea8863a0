"""Pictures of records: the uploads that pages show, and the forms that send them."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, Request

from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput
from runcard.domain.ids import new_id
from runcard.edge.files.transfers import HARMLESS_IMAGES
from runcard.edge.files.uploads import settled
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import AnnouncedFile, create_attachment, find_attachments, mark_stored
from runcard.store.files.blobs import BlobMeta, blob_key
from runcard.web.frame.forms import Fields
from runcard.web.frame.sent_form import read_sent_form
from runcard.web.frame.visit import WithVisit

_MAX_BYTES = 10_000_000
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class PictureForm(NamedTuple):
    """picture: the bytes of the chosen file; None if none was chosen."""

    fields: Fields
    picture: bytes | None


def picture_urls(services: Services, scope: Scope, image_ids: Sequence[UUID | None]) -> Mapping[UUID, str]:
    """The addresses of these images, by id; without those whose bytes have not arrived or that browsers cannot show."""
    ids = [image_id for image_id in image_ids if image_id is not None]
    found = settled(services, list(find_attachments(scope, ids).values()))
    return {
        one.id: f"/pictures/{one.id}"
        for one in found
        if one.stored_at is not None and one.shown_content_type in HARMLESS_IMAGES
    }


def content_type_of(picture: bytes) -> str:
    """The content type of a picture, by its bytes alone. Raises InvalidInput for a file that is none."""
    for signature, content_type in _SIGNATURES.items():
        if picture.startswith(signature):
            return content_type
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    raise InvalidInput.at(
        "picture", "This file is not a picture that browsers can show; send a PNG, JPEG, GIF or WebP file"
    )


def keep_picture(services: Services, actor: UserActor, picture: bytes) -> Callable[[Transaction], UUID]:
    """Store the bytes of a picture; return a function that makes them an attachment and returns its id.

    Raises InvalidInput for other files.
    """
    meta = BlobMeta(len(picture), content_type_of(picture))
    organization_id, picture_id = actor.organization_id, new_id()
    services.blobs.write(blob_key(organization_id, picture_id), BytesIO(picture))

    def attach(tx: Transaction) -> UUID:
        attachment = create_attachment(
            tx, AnnouncedFile("picture", meta.content_type, meta.size_bytes, picture_id), Creator.of(actor)
        )
        return mark_stored(tx, attachment, meta).id

    return attach


async def _read_form(request: Request, _visit: WithVisit, services: WithServices) -> PictureForm:
    """The fields and the picture of a form. Raises InvalidInput and PayloadTooLarge."""
    most = min(_MAX_BYTES, services.max_upload_bytes)
    form = await read_sent_form(
        request, most, f"Picture is larger than {most} bytes; send a smaller one.", max_files=1
    )
    picture = None
    for chosen in form.files:
        picture = await chosen.read()
        await chosen.close()
    return PictureForm(form.fields, picture or None)


WithPictureForm = Annotated[PictureForm, Depends(_read_form)]
