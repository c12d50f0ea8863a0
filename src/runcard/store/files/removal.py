"""Removal of attachments: those that somebody deletes, and those that nothing needs any more."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Exists, delete, or_, select, update

from runcard.domain.errors import AttachmentNotFound
from runcard.store.bin.deleting import Deletion, Remains, before_deleting, bury
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.tables import (
    attachments,
    comment_files,
    deployments,
    file_imports,
    imported_runs,
    quarantined_files,
    revisions,
    runs,
    stations,
)
from runcard.store.files.attachments import ATTACHMENT_COLUMNS, Attachment, get_attachment
from runcard.store.files.bytes_to_remove import note_removals
from runcard.store.trail.watching import watch

# Columns that name a file by its id without a foreign key, and are emptied when it is deleted.
_NAMED_BY = (stations.c.image_id, revisions.c.image_id, deployments.c.artifact_id)


class KeptFile(NamedTuple):
    """An attachment. is_needed: something names it."""

    attachment: Attachment
    is_needed: bool


# Unscoped: the files of all organizations are checked together.
def list_page(connection: Connection, after: UUID | None, limit: int) -> Sequence[KeptFile]:
    """At most `limit` attachments of all organizations, in the order of ids, after the one with the id `after`."""
    a = attachments.c
    query = select(is_needed(), *ATTACHMENT_COLUMNS).order_by(a.id).limit(limit)
    if after is not None:
        query = query.where(a.id > after)
    return [KeptFile(Attachment(*row), bool(is_needed)) for is_needed, *row in connection.execute(query)]


def is_abandoned(file: KeptFile, before: datetime) -> bool:
    """Whether nothing needs an attachment: nothing names it, and nobody has touched it since `before`."""
    touched_at = file.attachment.stored_at or file.attachment.created_at
    return not file.is_needed and touched_at < before


def delete_unneeded(
    tx: Transaction, attachment_ids: Collection[UUID], deletion: Deletion | None = None
) -> Sequence[Attachment]:
    """Delete those of these attachments that nothing needs, and return them.

    deletion: of what they go along with; the caller buries them. Unless they go into the bin, their bytes are noted for
    removal.
    """
    a = attachments.c
    deleted: list[Attachment] = []
    for some in in_chunks(attachment_ids):
        mine = (tx.owns(a), a.id.in_(some), ~is_needed())
        found = tx.connection.execute(select(*ATTACHMENT_COLUMNS).where(*mine)).all()
        deleted += [Attachment(*row) for row in found]
    _erase(tx, deleted, keeps_bytes=deletion is not None and deletion.is_kept)
    return deleted


def remains_of(remains: Mapping[UUID, Remains], gone: Iterable[Attachment]) -> Sequence[Remains]:
    """Those of these remains whose file is gone. A file stays if something else still names it."""
    return [remains[file.id] for file in gone if file.id in remains]


def delete_attachments(
    tx: Transaction, attachment_ids: Iterable[UUID], deletion: Deletion, *, of_unit: UUID | None = None
) -> Sequence[Attachment]:
    """Delete attachments, whatever names them, and return them. Unless they go into the bin, their bytes are noted for
    removal.

    of_unit: they must be part of this unit. Raises AttachmentNotFound for one that is not.
    """
    deleted: list[Attachment] = []
    for attachment_id in dict.fromkeys(attachment_ids):
        attachment = get_attachment(tx.scope, attachment_id)
        if of_unit is not None and attachment.unit_id != of_unit:
            raise AttachmentNotFound(attachment_id)
        deleted.append(attachment)
    deletion = deletion.together(gone.id for gone in deleted)
    remains = before_deleting(tx, attachments, [gone.id for gone in deleted], deletion)
    _erase(tx, deleted, keeps_bytes=deletion.is_kept)
    bury(tx, remains.values(), deletion)
    for run_id in dict.fromkeys(gone.run_id for gone in deleted if gone.run_id is not None):
        tx.note_change("run_changed", run_id)
    for unit_id in dict.fromkeys(gone.unit_id for gone in deleted if gone.unit_id is not None):
        tx.note_change("unit_changed", unit_id)
    return deleted


# Unscoped: a condition on attachments of a known organization.
def is_named() -> ColumnElement[bool]:
    """The condition that something names an attachment by its id: as an image, as a deployed archive, in quarantine,
    in a comment.
    """
    named = (*_NAMED_BY, quarantined_files.c.attachment_id, comment_files.c.attachment_id)
    return or_(*(attachments.c.id.in_(select(column).where(column.is_not(None))) for column in named))


# Unscoped: a condition on attachments of a known organization.
def reported(*conditions: ColumnElement[bool]) -> Exists:
    """The condition that an attachment is the report of some run that exists and meets these conditions."""
    f, i, r = file_imports.c, imported_runs.c, runs.c
    return (
        select(f.id)
        .join_from(file_imports, imported_runs, i.file_import_id == f.id)
        .join(runs, r.id == i.run_id)
        .where(f.attachment_id == attachments.c.id, *conditions)
        .correlate(attachments)
        .exists()
    )


def _erase(tx: Transaction, gone: Sequence[Attachment], *, keeps_bytes: bool) -> None:
    a = attachments.c
    watch(tx, attachments, [attachment.id for attachment in gone])
    for some in in_chunks([attachment.id for attachment in gone]):
        for column in _NAMED_BY:
            naming = select(column.table.c.id).where(tx.owns(column.table.c), column.in_(some))
            watch(tx, column.table, tx.connection.execute(naming).scalars().all())
        for column in (*_NAMED_BY, file_imports.c.attachment_id):
            named = (tx.owns(column.table.c), column.in_(some))
            tx.connection.execute(update(column.table).where(*named).values({column.name: None}))
        mine = (tx.owns(a), a.id.in_(some))
        tx.connection.execute(delete(attachments).where(*mine))
    if not keeps_bytes:
        note_removals(tx, [attachment.blob_id or attachment.id for attachment in gone])


def is_needed() -> ColumnElement[bool]:
    """The condition that a run, a unit, a report or anything else names an attachment."""
    a = attachments.c
    return or_(a.run_id.is_not(None), a.unit_id.is_not(None), is_named(), reported())
