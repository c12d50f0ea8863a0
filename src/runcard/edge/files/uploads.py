"""Announces files: makes the addresses for a PUT of their bytes and for the download."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, SystemActor
from runcard.domain.errors import InvalidInput, PayloadTooLarge
from runcard.domain.ids import new_id
from runcard.edge.requests.services import Services
from runcard.ingest.attach_file import arrived, arrived_whole
from runcard.intake.byte_removal import remove_soon
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import AnnouncedFile, Attachment, create_attachment, get_attachment
from runcard.store.files.blobs import BlobMeta, blob_key
from runcard.store.files.replacement import keep_first


class NewSlot(NamedTuple):
    id: UUID
    url: str


def initialize_upload(
    services: Services,
    actor: Actor,
    request_root: str,
    name: str,
    *,
    content_type: str | None = None,
    size_bytes: int | None = None,
) -> NewSlot:
    """A new attachment and the signed URL for its bytes: of the object store if it can sign, else of this server.

    Raises InvalidInput, and PayloadTooLarge if more bytes are declared than this server takes.
    """
    if not name.strip() or "\0" in name or "\0" in (content_type or ""):
        raise InvalidInput.at(
            "name", f"{name!r} is no file name; give 1 to 1000 characters, none of them NUL"
        )
    if size_bytes is not None and size_bytes > services.max_upload_bytes:
        raise PayloadTooLarge(
            f"File of {size_bytes} bytes is larger than {services.max_upload_bytes} bytes; "
            "send a smaller file, or raise max_upload_bytes."
        )
    slot = new_slot(services, actor.organization_id, request_root)
    services.writer.write(
        actor,
        lambda tx: create_attachment(
            tx,
            AnnouncedFile(name, content_type, size_bytes, slot.id),
            Creator.of(actor),
        ),
    )
    return slot


def new_slot(services: Services, organization_id: UUID, request_root: str) -> NewSlot:
    """The id of a new attachment and the address for a PUT of its bytes. The attachment does not exist yet, so that
    nothing is left behind if the object store cannot sign. Raises StorageUnavailable.
    """
    attachment_id = new_id()
    if services.blobs.signs_urls:
        expires_in = timedelta(seconds=services.links.expires_s["upload"])
        url = services.blobs.sign("PUT", blob_key(organization_id, attachment_id), expires_in)
    else:
        url = services.links.url("upload", attachment_id, request_root)
    return NewSlot(attachment_id, url)


def settled(services: Services, attachments: Sequence[Attachment]) -> Sequence[Attachment]:
    """The same attachments, updated by what the object store knows of bytes that were sent to it directly.

    The attachments belong to one organization. What the store knows is recorded, so it is asked only once for each.
    """
    known = {one.id: meta for one in attachments if (meta := arrived_whole(services.blobs, one)) is not None}
    return _noted(services, attachments, known)


def taken_in(services: Services, attachment: Attachment) -> Attachment:
    """The same attachment, updated as by `settled`, for a caller that needs the whole file now.

    Raises UploadNotLinkable if other bytes arrived than were declared.
    """
    meta = arrived(services.blobs, attachment)
    if meta is not None:
        return _noted(services, [attachment], {attachment.id: meta})[0]
    if attachment.stored_at is not None or not services.blobs.signs_urls:
        return attachment
    # Meanwhile another request may have taken the file in and moved its bytes.
    with services.database.read_in(attachment.organization_id) as scope:
        return get_attachment(scope, attachment.id)


def _noted(
    services: Services, attachments: Sequence[Attachment], known: Mapping[UUID, BlobMeta]
) -> Sequence[Attachment]:
    if not known:
        return attachments

    def apply(tx: Transaction) -> list[Attachment]:
        return [keep_first(tx, one, known[one.id]) if one.id in known else one for one in attachments]

    organization_id = attachments[0].organization_id
    now = services.writer.write(SystemActor(organization_id, "arrival of bytes"), apply)
    remove_soon(services.stores, organization_id)
    return now


def download_url(services: Services, attachment: Attachment, request_root: str) -> str:
    """A signed URL for the download of a stored attachment."""
    if services.blobs.signs_urls:
        expires_in = timedelta(seconds=services.links.expires_s["download"])
        return services.blobs.sign("GET", attachment.blob_key, expires_in)
    return services.links.url("download", attachment.id, request_root)
