"""Removing attachments: those that somebody deletes, and those that nothing needs any more."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, or_, select, union_all, update

from runcard.domain.errors import AttachmentNotFound
from runcard.store.attachments import ATTACHMENT_COLUMNS, Attachment, get_attachment
from runcard.store.tables import (
    attachments,
    deployments,
    file_imports,
    imported_runs,
    quarantined_files,
    revisions,
    stations,
)
from runcard.store.transaction import Transaction

# What names a file by its id alone and may lose it: images, and what was deployed.
_NAMED_BY = (stations.c.image_id, revisions.c.image_id, deployments.c.artifact_id)


class KeptFile(NamedTuple):
    """is_needed: something names it."""

    attachment: Attachment
    is_needed: bool


def list_page(connection: Connection, after: UUID | None, limit: int) -> Sequence[KeptFile]:
    """At most `limit` attachments of all organizations, by id, going on after one."""
    a = attachments.c
    query = select(_is_needed(), *ATTACHMENT_COLUMNS).order_by(a.id).limit(limit)
    if after is not None:
        query = query.where(a.id > after)
    return [KeptFile(Attachment(*row), bool(is_needed)) for is_needed, *row in connection.execute(query)]


def is_abandoned(file: KeptFile, before: datetime) -> bool:
    """Whether nothing needs an attachment: it is part of nothing, and nobody has touched it since `before`."""
    touched_at = file.attachment.stored_at or file.attachment.created_at
    return not file.is_needed and touched_at < before


def delete_abandoned(tx: Transaction, attachment: Attachment) -> bool:
    """Forget an attachment; False where it has become part of something meanwhile. Its bytes are the caller's."""
    a = attachments.c
    mine = (a.organization_id == attachment.organization_id, a.id == attachment.id, ~_is_needed())
    return bool(tx.connection.execute(delete(attachments).where(*mine)).rowcount)


def delete_attachments(
    tx: Transaction, organization_id: UUID, attachment_ids: Iterable[UUID], *, of_unit: UUID | None = None
) -> Sequence[Attachment]:
    """Forget attachments, whatever names them, and return them; their bytes are the caller's.

    of_unit: they must be part of this unit. Raises AttachmentNotFound where one is not.
    """
    deleted: list[Attachment] = []
    for attachment_id in dict.fromkeys(attachment_ids):
        attachment = get_attachment(tx.connection, organization_id, attachment_id)
        if of_unit is not None and attachment.unit_id != of_unit:
            raise AttachmentNotFound(attachment_id)
        _delete(tx, attachment)
        deleted.append(attachment)
    return deleted


def _delete(tx: Transaction, attachment: Attachment) -> None:
    home = attachment.organization_id
    for column in (*_NAMED_BY, file_imports.c.attachment_id):
        named = (column.table.c.organization_id == home, column == attachment.id)
        tx.connection.execute(update(column.table).where(*named).values({column.name: None}))
    a = attachments.c
    tx.connection.execute(delete(attachments).where(a.organization_id == home, a.id == attachment.id))
    tx.note_change(home, "attachment_deleted", attachment.id)
    if attachment.run_id is not None:
        tx.note_change(home, "run_changed", attachment.run_id)
    if attachment.unit_id is not None:
        tx.note_change(home, "unit_changed", attachment.unit_id)


def _is_needed() -> ColumnElement[bool]:
    """The condition that something names an attachment: a run, a unit, or what knows it by its id."""
    a, f, i = attachments.c, file_imports.c, imported_runs.c
    imported = select(f.attachment_id).join_from(file_imports, imported_runs, i.file_import_id == f.id)
    named = [select(column).where(column.is_not(None)) for column in _NAMED_BY]
    quarantined = select(quarantined_files.c.attachment_id)
    by_id = union_all(*named, imported.where(f.attachment_id.is_not(None)), quarantined)
    return or_(a.run_id.is_not(None), a.unit_id.is_not(None), a.id.in_(by_id))
