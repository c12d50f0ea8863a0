"""Files that could not be read or recorded, each with its reason. Their bytes are those of an attachment."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from runcard.domain.errors import NotFound
from runcard.domain.ids import new_id
from runcard.store.creator import Creator
from runcard.store.tables import attachments, quarantined_files
from runcard.store.transaction import Transaction


class Refusal(NamedTuple):
    """Why a file was refused.

    importer: the format that it was read as; None where none was found.
    recorded_count: how many of its reports are recorded all the same.
    """

    importer: str | None
    reason: str
    recorded_count: int = 0


class QuarantinedFile(NamedTuple):
    """size_bytes: None where that is not known. attempts: how often it was tried. created_by: who brought it."""

    id: UUID
    name: str
    size_bytes: int | None
    digest: bytes
    attachment_id: UUID
    importer: str | None
    reason: str
    recorded_count: int
    attempts: int
    tried_at: datetime
    created_at: datetime
    created_by: Creator


def quarantine(
    tx: Transaction,
    organization_id: UUID,
    digest: bytes,
    attachment_id: UUID,
    refusal: Refusal,
    creator: Creator,
) -> UUID:
    """Put a file into quarantine; the id that it has there.

    Of one whose content lies there already, it is noted that it was tried again.
    """
    q = quarantined_files.c
    mine = (q.organization_id == organization_id, q.digest == digest)
    known: UUID | None = tx.connection.execute(
        update(quarantined_files)
        .where(*mine)
        .values(**refusal._asdict(), tried_at=tx.now, attempts=q.attempts + 1)
        .returning(q.id)
    ).scalar_one_or_none()
    if known is not None:
        return known
    made = new_id()
    row = {"id": made, "organization_id": organization_id, "digest": digest, "attachment_id": attachment_id}
    moments = {"tried_at": tx.now, "created_at": tx.now}
    tx.connection.execute(
        insert(quarantined_files).values(**row, **refusal._asdict(), **moments, attempts=1, **creator.columns)
    )
    return made


def release(tx: Transaction, organization_id: UUID, digest: bytes) -> None:
    """Take the file with this content out of quarantine, where it is in there."""
    q = quarantined_files.c
    tx.connection.execute(
        delete(quarantined_files).where(q.organization_id == organization_id, q.digest == digest)
    )


def find_quarantined(connection: Connection, organization_id: UUID, digest: bytes) -> UUID | None:
    """Id of the attachment that holds the bytes of the quarantined file with this content."""
    q = quarantined_files.c
    return connection.execute(
        select(q.attachment_id).where(q.organization_id == organization_id, q.digest == digest)
    ).scalar_one_or_none()


def list_quarantined(
    connection: Connection, organization_id: UUID, ids: Collection[UUID] | None = None
) -> Sequence[QuarantinedFile]:
    """The files in quarantine, or those of these ids, the first that came first. Raises NotFound for an id of none."""
    a, q = attachments.c, quarantined_files.c
    names = (*QuarantinedFile._fields[3:-1],)
    query = (
        select(
            q.id,
            a.name,
            a.size_bytes,
            *(q[name] for name in names),
            q.created_by_user_id,
            q.created_by_station_id,
        )
        .join_from(quarantined_files, attachments, a.id == q.attachment_id)
        .where(q.organization_id == organization_id)
        .order_by(q.created_at, q.id)
    )
    if ids is not None:
        query = query.where(q.id.in_(ids))
    found = [QuarantinedFile._make([*row[:-2], Creator(*row[-2:])]) for row in connection.execute(query)]
    for missing in set(ids or ()) - {one.id for one in found}:
        raise NotFound(
            f"No file with id {missing} is in quarantine. `runcard quarantine list` shows those that are."
        )
    return found
