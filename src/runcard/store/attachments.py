"""Attachments: files of runs. The row says what a file is; its bytes lie in `store.blobs`."""

import mimetypes
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from runcard.domain.errors import AttachmentNotFound, UploadNotLinkable
from runcard.domain.ids import new_id
from runcard.store.blobs import BlobMeta, blob_key
from runcard.store.creator import Creator
from runcard.store.tables import attachments
from runcard.store.transaction import Transaction

DEFAULT_CONTENT_TYPE = "application/octet-stream"


class Attachment(NamedTuple):
    """A file, or the promise of one: `stored_at` and `size_bytes` are None until its bytes have arrived.

    name: as the station gave it; for display only, never part of a path.
    is_report: the file is the report that the run was imported from.
    """

    id: UUID
    organization_id: UUID
    name: str
    content_type: str | None
    declared_bytes: int | None
    size_bytes: int | None
    stored_at: datetime | None
    run_id: UUID | None
    is_report: bool
    created_at: datetime

    @property
    def blob_key(self) -> str:
        return blob_key(self.organization_id, self.id)

    @property
    def shown_content_type(self) -> str:
        """What is known of its type: as stored, else guessed from its name."""
        return self.content_type or mimetypes.guess_type(self.name)[0] or DEFAULT_CONTENT_TYPE


_COLUMNS = [attachments.c[name] for name in Attachment._fields]


def create_attachment(
    tx: Transaction,
    organization_id: UUID,
    name: str,
    *,
    content_type: str | None,
    declared_bytes: int | None,
    creator: Creator,
) -> Attachment:
    """The promise of a file, linked to nothing yet."""
    attachment = Attachment(
        new_id(), organization_id, name, content_type, declared_bytes, None, None, None, False, tx.now
    )
    tx.connection.execute(insert(attachments).values(**attachment._asdict(), **creator.columns))
    return attachment


def get_attachment(connection: Connection, organization_id: UUID, attachment_id: UUID) -> Attachment:
    """Raises AttachmentNotFound."""
    a = attachments.c
    return _one(connection, attachment_id, a.organization_id == organization_id)


def get_attachment_by_link(connection: Connection, attachment_id: UUID) -> Attachment:
    """The attachment that a signed link stands for: the signature is the permission. Raises AttachmentNotFound."""
    return _one(connection, attachment_id)


def mark_stored(tx: Transaction, attachment: Attachment, meta: BlobMeta) -> None:
    """Note that the bytes have arrived, or have been replaced."""
    a = attachments.c
    tx.connection.execute(
        update(attachments)
        .where(a.organization_id == attachment.organization_id, a.id == attachment.id)
        .values(
            size_bytes=meta.size_bytes,
            content_type=meta.content_type or attachment.shown_content_type,
            stored_at=tx.now,
        )
    )


def link_attachment(
    tx: Transaction, attachment: Attachment, run_id: UUID, *, is_report: bool = False
) -> None:
    """Make a stored file part of a run; the same pair again changes nothing.

    Raises UploadNotLinkable where no bytes have arrived or the file is part of another run.
    """
    now = get_attachment(tx.connection, attachment.organization_id, attachment.id)
    if now.run_id == run_id:
        return
    if now.stored_at is None or now.run_id is not None:
        raise UploadNotLinkable
    a = attachments.c
    tx.connection.execute(
        update(attachments)
        .where(a.organization_id == attachment.organization_id, a.id == attachment.id)
        .values(run_id=run_id, is_report=is_report)
    )
    tx.note_change(attachment.organization_id, "attachment_linked", run_id)


def list_attachments(
    connection: Connection, organization_id: UUID, run_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[Attachment]]:
    """The files of each of these runs, in the order in which they were announced."""
    a = attachments.c
    mine = (a.organization_id == organization_id, a.run_id.in_(list(run_ids)))
    found: dict[UUID, list[Attachment]] = defaultdict(list)
    for row in connection.execute(select(*_COLUMNS).where(*mine).order_by(a.created_at, a.id)):
        attachment = Attachment(*row)
        if attachment.run_id is not None:
            found[attachment.run_id].append(attachment)
    return found


def list_page(connection: Connection, after: UUID | None, limit: int) -> Sequence[Attachment]:
    """At most `limit` attachments of all organizations, by id, going on after one."""
    a = attachments.c
    query = select(*_COLUMNS).order_by(a.id).limit(limit)
    if after is not None:
        query = query.where(a.id > after)
    return [Attachment(*row) for row in connection.execute(query)]


def is_abandoned(attachment: Attachment, before: datetime) -> bool:
    """Whether nothing needs an attachment: it is part of nothing, and nobody has touched it since `before`."""
    touched_at = attachment.stored_at or attachment.created_at
    return attachment.run_id is None and touched_at < before


def delete_abandoned(tx: Transaction, attachment: Attachment) -> bool:
    """Forget an attachment; False where it has become part of something meanwhile. Its bytes are the caller's."""
    a = attachments.c
    mine = (a.organization_id == attachment.organization_id, a.id == attachment.id, a.run_id.is_(None))
    return bool(tx.connection.execute(delete(attachments).where(*mine)).rowcount)


def _one(connection: Connection, attachment_id: UUID, *conditions: Any) -> Attachment:
    row = connection.execute(
        select(*_COLUMNS).where(attachments.c.id == attachment_id, *conditions)
    ).one_or_none()
    if row is None:
        raise AttachmentNotFound(attachment_id)
    return Attachment(*row)
