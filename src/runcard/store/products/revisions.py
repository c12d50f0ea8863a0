"""Revisions of parts, as people manage them."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, delete, func, select, update

from runcard.domain.errors import AlreadyExists, Conflict, InUse, RevisionNotFound
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import parts, revisions, runs, units
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, PartRef, created_by, with_creator
from runcard.store.metadata import delete_metadata
from runcard.store.products.parts import PartRecord, get_part
from runcard.store.products.staged import stage_revision
from runcard.store.trail.watching import watch


class RevisionRecord(NamedTuple):
    """image_id: an upload, perhaps still without bytes."""

    id: UUID
    number: str
    is_default: bool
    created_at: datetime
    part: PartRef
    created_by: CreatedBy
    image_id: UUID | None


def create_revision(tx: Transaction, part: PartRecord, number: str, creator: Creator) -> UUID:
    """Add a revision to a part, and return its id. Raises AlreadyExists if the part has one with this number."""
    if tx.catalog.revision(part.id, number) is not None:
        raise AlreadyExists("Revision", f"{number} of part {part.number}")
    return stage_revision(tx, part.id, number, creator)


def get_revision(scope: Scope, part_number: str, number: str) -> RevisionRecord:
    """The revision with this number of a part. Raises PartNotFound, RevisionNotFound."""
    part = get_part(scope, part_number)
    r = revisions.c
    query = (
        select(r.id, r.number, r.is_default, r.created_at, r.image_id, *CREATOR_COLUMNS)
        .select_from(with_creator(revisions))
        .where(
            scope.owns(r),
            r.part_id == part.id,
            r.number_key == lookup_key(number),
        )
    )
    row = None if "\0" in number else scope.connection.execute(query).one_or_none()
    if row is None:
        raise RevisionNotFound(part.number, number)
    revision_id, shown_number, is_default, created_at, image_id, *creator = row
    return RevisionRecord(
        revision_id,
        shown_number,
        is_default,
        created_at,
        PartRef(part.id, part.number, part.name),
        created_by(*creator),
        image_id,
    )


def change_revision(
    tx: Transaction,
    revision: RevisionRecord,
    *,
    number: str | None,
    image_id: UUID | UnsetType | None,
) -> None:
    """Give a revision another number or image. number: None: no change. image_id: UNSET: no change; None: no image.

    Raises AlreadyExists for the number of another revision of the part.
    """
    values: dict[str, Any] = {}
    if number is not None:
        _check_free(tx.connection, revision, number)
        values |= {"number": number, "number_key": lookup_key(number)}
    if image_id is not UNSET:
        values["image_id"] = image_id
    if values:
        watch(tx, revisions, [revision.id])
        r = revisions.c
        mine = (tx.owns(r), r.id == revision.id)
        tx.connection.execute(update(revisions).where(*mine).values(values))


def delete_revision(tx: Transaction, revision: RevisionRecord) -> None:
    """Delete a revision. If it was the default, the oldest remaining revision of the part becomes the default.

    Raises InUse while units or runs name it, and Conflict if it is the last revision of its part.
    """
    r, part = revisions.c, revision.part
    # The lock keeps two processes from each deleting one of the last two revisions.
    tx.connection.execute(select(parts.c.id).where(parts.c.id == part.id).with_for_update())
    thing = f"Revision {revision.number} of part {part.number}"
    for table, column in ((units, units.c.revision_id), (runs, runs.c.revision_id)):
        users = select(func.count()).select_from(table).where(column == revision.id)
        if count := tx.connection.execute(users).scalar_one():
            raise InUse(thing, count, table.name)
    others = select(r.id).where(r.part_id == part.id, r.id != revision.id).order_by(r.created_at, r.id)
    oldest = tx.connection.execute(others.limit(1)).scalar_one_or_none()
    if oldest is None:
        raise Conflict(
            f"{thing} is its only revision, and a part needs one. Delete the part, or add another revision first."
        )
    watch(tx, revisions, [revision.id, oldest])
    delete_metadata(tx, [revision.id])
    mine = (tx.owns(r), r.id == revision.id)
    tx.connection.execute(delete(revisions).where(*mine))
    if revision.is_default:
        tx.connection.execute(update(revisions).where(r.id == oldest).values(is_default=True))


# Unscoped: the part was found in the scope.
def _check_free(connection: Connection, revision: RevisionRecord, number: str) -> None:
    r = revisions.c
    taken = select(r.id).where(
        r.part_id == revision.part.id, r.number_key == lookup_key(number), r.id != revision.id
    )
    if connection.execute(taken).first():
        raise AlreadyExists("Revision", f"{number} of part {revision.part.number}")
