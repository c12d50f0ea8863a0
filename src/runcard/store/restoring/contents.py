"""What lies in the bin."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from runcard.domain.errors import Conflict, NotDeleted
from runcard.store.engine.chunks import get_rows, in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import deleted_things
from runcard.store.lists.pages import Listed, Page, fetch_page


class Deleted(NamedTuple):
    """A deleted thing. noun: as in `store.trail.things`. deleted_by_id: None: Runcard itself. purged_at: when its
    content was removed for good; None: it waits in the bin. started_at, outcome: of a run. merged_into_id: what a unit
    was merged into; it waits for a split, and not in the bin.
    """

    id: UUID
    noun: str
    name: str | None
    head_id: UUID
    digest: bytes | None
    deleted_at: datetime
    deleted_by_id: UUID | None
    why: str | None
    purged_at: datetime | None
    started_at: datetime | None
    outcome: str | None
    merged_into_id: UUID | None

    @property
    def is_in_bin(self) -> bool:
        return self.purged_at is None and self.merged_into_id is None

    @property
    def called(self) -> str:
        """What it is, in words."""
        return " ".join(filter(None, (self.noun, self.name)))


class InBin(NamedTuple):
    """A deleted thing that waits in the bin. along: how many other things went along with it, by noun."""

    thing: Deleted
    along: Mapping[str, int]


_COLUMNS = [deleted_things.c[name] for name in Deleted._fields]
# Of the things that wait in the bin, and were deleted by themselves.
_IN_BIN = (
    deleted_things.c.content.is_not(None),
    deleted_things.c.head_id == deleted_things.c.id,
    deleted_things.c.merged_into_id.is_(None),
)


def find_deleted(scope: Scope, thing_id: UUID) -> Deleted | None:
    """The tombstone of a thing; None if it was not deleted."""
    d = deleted_things.c
    row = scope.connection.execute(select(*_COLUMNS).where(scope.owns(d), d.id == thing_id)).one_or_none()
    return None if row is None else Deleted(*row)


def get_deleted(scope: Scope, thing_id: UUID) -> Deleted:
    """The tombstone of a thing. Raises NotDeleted."""
    thing = find_deleted(scope, thing_id)
    if thing is None:
        raise NotDeleted(thing_id)
    return thing


def get_in_bin(scope: Scope, thing_id: UUID) -> Deleted:
    """A thing that waits in the bin and was deleted by itself. Raises NotDeleted, and Conflict for one that went along
    with another, was merged into another or is gone for good.
    """
    return get_all_in_bin(scope, [thing_id])[thing_id]


def get_all_in_bin(scope: Scope, thing_ids: Collection[UUID]) -> Mapping[UUID, Deleted]:
    """These things, by their ids and in their order. Raises as `get_in_bin` does, for the first that is none."""
    d = deleted_things.c
    rows = get_rows(scope.connection, select(*_COLUMNS).where(scope.owns(d)), thing_ids, NotDeleted)
    found = {thing_id: Deleted(*row) for thing_id, row in rows.items()}
    for thing in found.values():
        _check_waits(scope, thing)
    return found


def _check_waits(scope: Scope, thing: Deleted) -> None:
    if thing.purged_at is not None:
        raise Conflict(f"The {thing.called} is gone for good since {thing.purged_at:%Y-%m-%d %H:%M} UTC.")
    if thing.merged_into_id is not None:
        raise Conflict(
            f"The {thing.called} is not in the bin: it was merged into another unit. Split the two on the page of that."
        )
    if thing.head_id != thing.id:
        head = find_deleted(scope, thing.head_id)
        of = "another thing" if head is None else head.called
        raise Conflict(
            f"The {thing.called} was deleted together with the {of}. Use the ID of that, which is {thing.head_id}."
        )


def list_with(scope: Scope, head_id: UUID) -> Sequence[UUID]:
    """The ids of a deleted thing and of all that was deleted along with it."""
    d = deleted_things.c
    query = select(d.id).where(scope.owns(d), d.head_id == head_id).order_by(d.id)
    return scope.connection.execute(query).scalars().all()


def count_with(scope: Scope, head_ids: Collection[UUID]) -> int:
    """How many things were deleted with these, themselves included."""
    d = deleted_things.c
    total = 0
    for some in in_chunks(head_ids):
        query = select(func.count()).select_from(deleted_things).where(scope.owns(d), d.head_id.in_(some))
        total += scope.connection.execute(query).scalar_one()
    return total


def list_bin(
    scope: Scope, page: Page, search: str | None = None, ids: Collection[UUID] | None = None
) -> Listed[InBin]:
    """A page of the things in the bin that somebody deleted, the last deleted first.

    search: part of their names. ids: only these; None: all.
    """
    d = deleted_things.c
    query = select(*_COLUMNS).where(scope.owns(d), *_IN_BIN)
    if search:
        query = query.where(d.name.icontains(search, autoescape=True))
    if ids is not None:
        query = query.where(d.id.in_(ids))
    query = query.order_by(d.deleted_at.desc(), d.id.desc())
    listed = fetch_page(scope.connection, query, page, Deleted)
    along = _count_along(scope, [thing.id for thing in listed.rows])
    rows = [InBin(thing, along.get(thing.id, {})) for thing in listed.rows]
    return Listed(rows, listed.has_more, listed.total)


def count_bin(scope: Scope) -> int:
    """How many things that somebody deleted wait in the bin."""
    d = deleted_things.c
    query = select(func.count()).where(scope.owns(d), *_IN_BIN)
    return scope.connection.execute(query).scalar_one()


def is_due(scope: Scope, thing_id: UUID, before: datetime) -> bool:
    """Whether a thing waits in the bin and was deleted before a moment."""
    thing = find_deleted(scope, thing_id)
    return thing is not None and thing.is_in_bin and thing.deleted_at < before


def list_due(scope: Scope, before: datetime, limit: int) -> Sequence[UUID]:
    """The things that were deleted by themselves before a moment and still wait in the bin, oldest first."""
    d = deleted_things.c
    query = select(d.id).where(scope.owns(d), d.deleted_at < before, *_IN_BIN)
    return scope.connection.execute(query.order_by(d.deleted_at, d.id).limit(limit)).scalars().all()


def _count_along(scope: Scope, head_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    d = deleted_things.c
    found: dict[UUID, Counter[str]] = {}
    for some in in_chunks(head_ids):
        query = select(d.head_id, d.noun, func.count()).where(
            scope.owns(d), d.head_id.in_(some), d.id != d.head_id
        )
        for head_id, noun, count in scope.connection.execute(query.group_by(d.head_id, d.noun)):
            found.setdefault(head_id, Counter())[noun] = count
    return found
