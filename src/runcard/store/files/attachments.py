"""Attachments: files of runs and units. The row describes a file; `store.files.blobs` keeps its bytes."""

import mimetypes
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select, true, update

from runcard.domain.actor import UserActor
from runcard.domain.errors import AttachmentNotFound, UploadNotLinkable, UploadTaken
from runcard.domain.ids import new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import attachments, file_imports, imported_runs
from runcard.store.files.blobs import BlobMeta, blob_key
from runcard.store.trail.watching import stage_record, watch

DEFAULT_CONTENT_TYPE = "application/octet-stream"


class Attachment(NamedTuple):
    """A file, or an announced file: `stored_at` and `size_bytes` are None until its bytes have arrived.

    name: as the station gave it; for display only, never part of a path.
    is_report: the file is the report that the run was imported from.
    blob_id: the id under which its bytes are stored; None: the id of the attachment.
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
    unit_id: UUID | None = None
    blob_id: UUID | None = None

    @property
    def is_linked(self) -> bool:
        """Whether the file is part of a run or a unit."""
        return self.run_id is not None or self.unit_id is not None

    @property
    def blob_key(self) -> str:
        return blob_key(self.organization_id, self.blob_id or self.id)

    @property
    def shown_content_type(self) -> str:
        """The content type: as stored, or else guessed from the name."""
        return self.content_type or mimetypes.guess_type(self.name)[0] or DEFAULT_CONTENT_TYPE


class Owner(NamedTuple):
    """What a file is part of: a run, a unit, or, if both are None, nothing yet."""

    run_id: UUID | None = None
    unit_id: UUID | None = None


ATTACHMENT_COLUMNS = [attachments.c[name] for name in Attachment._fields]
_UNLINKED = Owner()


class AnnouncedFile(NamedTuple):
    """A file whose bytes will be uploaded later. id: None: a new one."""

    name: str
    content_type: str | None = None
    declared_bytes: int | None = None
    id: UUID | None = None


def create_attachment(
    tx: Transaction, file: AnnouncedFile, creator: Creator, owner: Owner = _UNLINKED
) -> Attachment:
    """Add the attachment of an announced file, linked to its owner if it has one, and return it."""
    attachment = Attachment(
        id=file.id or new_id(),
        organization_id=tx.organization_id,
        name=file.name,
        content_type=file.content_type,
        declared_bytes=file.declared_bytes,
        size_bytes=None,
        stored_at=None,
        run_id=owner.run_id,
        is_report=False,
        created_at=tx.now,
        unit_id=owner.unit_id,
    )
    stage_record(tx, attachments, {**attachment._asdict(), **creator.columns}, _kept_briefly(tx, creator))
    _note_linked(tx, owner)
    return attachment


def get_attachment(scope: Scope, attachment_id: UUID) -> Attachment:
    """The attachment with this id. Raises AttachmentNotFound."""
    a = attachments.c
    return _one(scope.connection, attachment_id, scope.owns(a))


def find_attachments(scope: Scope, attachment_ids: Collection[UUID]) -> Mapping[UUID, Attachment]:
    """Those of these attachments that exist, by id."""
    a = attachments.c
    found: dict[UUID, Attachment] = {}
    for some in in_chunks(attachment_ids):
        query = select(*ATTACHMENT_COLUMNS).where(scope.owns(a), a.id.in_(some))
        found |= {row.id: Attachment(*row) for row in scope.connection.execute(query)}
    return found


def get_attachment_by_link(connection: Connection, attachment_id: UUID) -> Attachment:
    """The attachment of a signed link, whose signature is the permission. Raises AttachmentNotFound."""
    return _one(connection, attachment_id)


def hold_attachment(tx: Transaction, attachment_id: UUID) -> Attachment:
    """The attachment, locked against changes by other processes until this transaction ends.

    Raises AttachmentNotFound.
    """
    a = attachments.c
    query = select(*ATTACHMENT_COLUMNS).where(tx.owns(a), a.id == attachment_id)
    row = tx.connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise AttachmentNotFound(attachment_id)
    return Attachment(*row)


def mark_stored(tx: Transaction, attachment: Attachment, meta: BlobMeta) -> Attachment:
    """Note that the bytes have arrived, and return the attachment as it is now."""
    after = attachment._replace(
        size_bytes=meta.size_bytes,
        content_type=meta.content_type or attachment.shown_content_type,
        stored_at=tx.now,
        blob_id=meta.blob_id,
    )
    a = attachments.c
    watch(tx, attachments, [attachment.id], by_report=True)
    changed = ("size_bytes", "content_type", "stored_at", "blob_id")
    tx.connection.execute(
        update(attachments)
        .where(tx.owns(a), a.id == attachment.id)
        .values({name: getattr(after, name) for name in changed})
    )
    return after


def link_attachment(
    tx: Transaction, attachment: Attachment, run_id: UUID, *, is_report: bool = False
) -> None:
    """Make a stored file part of a run. Linking it to the same run again changes nothing.

    Raises UploadNotLinkable if its bytes have not arrived or it is part of another run.
    """
    now = get_attachment(tx.scope, attachment.id)
    if now.run_id == run_id:
        return
    if now.stored_at is None or not _link(tx, now, Owner(run_id), is_report=is_report):
        raise UploadNotLinkable


def link_upload(tx: Transaction, attachment_id: UUID, owner: Owner) -> None:
    """Make a file part of a run or unit, even before its bytes arrive. The same pair again changes nothing.

    Raises AttachmentNotFound, and UploadTaken if it is part of something else.
    """
    now = get_attachment(tx.scope, attachment_id)
    if Owner(now.run_id, now.unit_id) != owner and not _link(tx, now, owner):
        raise UploadTaken(attachment_id)


def list_attachments(scope: Scope, run_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Attachment]]:
    """The files of each of these runs, in the order in which they were announced.

    The report of several runs is linked to one of them, but listed with each.
    """
    a, f, i = attachments.c, file_imports.c, imported_runs.c
    linked = select(a.run_id, a.is_report, *ATTACHMENT_COLUMNS).where(scope.owns(a))
    shared = (
        select(i.run_id, true(), *ATTACHMENT_COLUMNS)
        .join_from(imported_runs, file_imports, f.id == i.file_import_id)
        .join(attachments, a.id == f.attachment_id)
        .where(scope.owns(a), a.run_id.is_distinct_from(i.run_id))
    )
    found: dict[UUID, list[Attachment]] = defaultdict(list)
    for some in in_chunks(run_ids):
        for query in (linked.where(a.run_id.in_(some)), shared.where(i.run_id.in_(some))):
            for run_id, is_report, *row in scope.connection.execute(query.order_by(a.created_at, a.id)):
                found[run_id].append(Attachment(*row)._replace(run_id=run_id, is_report=is_report))
    return found


def list_attachments_of_unit(scope: Scope, unit_id: UUID) -> Sequence[Attachment]:
    """The files of a unit, in the order in which they were announced."""
    a = attachments.c
    query = select(*ATTACHMENT_COLUMNS).where(scope.owns(a), a.unit_id == unit_id)
    return [Attachment(*row) for row in scope.connection.execute(query.order_by(a.created_at, a.id))]


def _link(tx: Transaction, attachment: Attachment, owner: Owner, *, is_report: bool = False) -> bool:
    """Link a file to its owner. Returns False if the file was part of something already."""
    a = attachments.c
    watch(tx, attachments, [attachment.id], by_report=not isinstance(tx.author, UserActor))
    free = (a.run_id.is_(None), a.unit_id.is_(None))
    linked = tx.connection.execute(
        update(attachments)
        .where(tx.owns(a), a.id == attachment.id, *free)
        .values(**owner._asdict(), is_report=is_report)
    ).rowcount
    if linked:
        _note_linked(tx, owner)
    return bool(linked)


def _kept_briefly(tx: Transaction, creator: Creator) -> Creator:
    """The creator of a file. Stations bring files with every run, so a station leaves no entry, only a digest."""
    return creator if isinstance(tx.author, UserActor) else creator._replace(by_report=True)


def _note_linked(tx: Transaction, owner: Owner) -> None:
    if owner.run_id is not None:
        tx.note_change("attachment_linked", owner.run_id)
    if owner.unit_id is not None:
        tx.note_change("unit_changed", owner.unit_id)


# Unscoped: callers pass the condition on the organization, or hold a link that nobody can guess.
def _one(connection: Connection, attachment_id: UUID, *conditions: Any) -> Attachment:
    row = connection.execute(
        select(*ATTACHMENT_COLUMNS).where(attachments.c.id == attachment_id, *conditions)
    ).one_or_none()
    if row is None:
        raise AttachmentNotFound(attachment_id)
    return Attachment(*row)
