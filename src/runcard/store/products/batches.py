"""Batches, as people manage them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select, update

from runcard.domain.errors import AlreadyExists, BatchNotFound
from runcard.domain.text import lookup_key
from runcard.store.bin.deleting import Deletion, before_deleting, bury
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import batches, revisions, runs, units
from runcard.store.lists.id_pages import id_pages
from runcard.store.lists.noted import has_cause, has_tag
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.part_numbers import parts_called
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.products.staged import stage_batch
from runcard.store.trail.watching import watch
from runcard.store.units.rows import stage_move

BatchSort = Literal["created_at", "number"]


class BatchRecord(NamedTuple):
    id: UUID
    number: str
    created_at: datetime
    created_by: CreatedBy


class BatchFilter(NamedTuple):
    """Conditions that a batch must all meet. None: no condition. Bounds are inclusive.

    search: part of the number. part_numbers, revision_numbers: some unit of the batch must match both.
    """

    search: str | None = None
    ids: Sequence[UUID] | None = None
    numbers: Sequence[str] | None = None
    part_numbers: Sequence[str] | None = None
    revision_numbers: Sequence[str] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    tags: Sequence[str] | None = None
    causes: Sequence[str] | None = None


BATCH_ORDERS: Mapping[BatchSort, ColumnElement[Any]] = {
    "created_at": batches.c.created_at,
    "number": batches.c.number_key,
}


def create_batch(tx: Transaction, number: str, creator: Creator) -> UUID:
    """Add a batch without units, and return its id. Raises AlreadyExists if the number is taken."""
    if tx.catalog.batch(tx.organization_id, number) is not None:
        raise AlreadyExists("Batch", number)
    return stage_batch(tx, number, creator)


def get_batch(scope: Scope, number: str) -> BatchRecord:
    """The batch with this number. Raises BatchNotFound."""
    query = _batches(scope.organization_id).where(batches.c.number_key == lookup_key(number))
    row = None if "\0" in number else scope.connection.execute(query).one_or_none()
    if row is None:
        raise BatchNotFound(number)
    return _batch(*row)


def list_batches(
    scope: Scope,
    batch_filter: BatchFilter,
    order: BatchSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[BatchRecord]:
    """A page of batches in the order of BATCH_ORDERS with this name; equals in order of creation, same direction."""
    b = batches.c
    query = _batches(scope.organization_id).where(
        *known_at(page, "batch_created", b.id), *_conditions(scope.organization_id, batch_filter)
    )
    columns = [BATCH_ORDERS[order], b.id]
    query = query.order_by(*(column.desc() if descending else column for column in columns))
    return fetch_page(scope.connection, query, page, _batch)


def renumber_batch(tx: Transaction, batch: BatchRecord, number: str) -> None:
    """Give a batch another number. Raises AlreadyExists for the number of another batch."""
    b = batches.c
    taken = select(b.id).where(tx.owns(b), b.number_key == lookup_key(number), b.id != batch.id)
    if tx.connection.execute(taken).first():
        raise AlreadyExists("Batch", number)
    watch(tx, batches, [batch.id])
    tx.connection.execute(
        update(batches)
        .where(tx.owns(b), b.id == batch.id)
        .values(number=number, number_key=lookup_key(number))
    )


def delete_batch(tx: Transaction, batch: BatchRecord, deletion: Deletion) -> None:
    """Delete a batch. Its units stay, and their move is recorded; its runs stay too."""
    u, r, b = units.c, runs.c, batches.c
    remains = before_deleting(tx, batches, [batch.id], deletion)
    for some in id_pages(tx.connection, u.id, tx.owns(u), u.batch_id == batch.id):
        watch(tx, units, some, kind="unit_moved")
        tx.connection.execute(update(units).where(u.id.in_(some)).values(batch_id=None))
        for unit_id in some:
            stage_move(tx, unit_id, "batch", (batch.id, None), None)
    for some in id_pages(tx.connection, r.id, tx.owns(r), r.batch_id == batch.id):
        watch(tx, runs, some)
        tx.connection.execute(update(runs).where(r.id.in_(some)).values(batch_id=None))
    tx.connection.execute(delete(batches).where(tx.owns(b), b.id == batch.id))
    bury(tx, remains.values(), deletion)


def _batches(organization_id: UUID) -> Select[Any]:
    b = batches.c
    return (
        select(b.id, b.number, b.created_at, *CREATOR_COLUMNS)
        .select_from(with_creator(batches))
        .where(owned_by(organization_id, b))
    )


def _batch(batch_id: UUID, number: str, created_at: datetime, *creator: Any) -> BatchRecord:
    return BatchRecord(batch_id, number, created_at, created_by(*creator))


def _conditions(organization_id: UUID, batch_filter: BatchFilter) -> Iterator[ColumnElement[bool]]:
    b = batches.c
    if batch_filter.search is not None:
        yield b.number.icontains(batch_filter.search, autoescape=True)
    if batch_filter.ids is not None:
        yield b.id.in_(batch_filter.ids)
    if batch_filter.numbers is not None:
        yield b.number_key.in_([lookup_key(number) for number in batch_filter.numbers])
    if batch_filter.created_after is not None:
        yield b.created_at >= batch_filter.created_after
    if batch_filter.created_before is not None:
        yield b.created_at <= batch_filter.created_before
    if batch_filter.tags is not None:
        yield has_tag(organization_id, b.id, batch_filter.tags)
    if batch_filter.causes is not None:
        yield has_cause(organization_id, b.id, batch_filter.causes)
    of_unit = list(_of_unit(organization_id, batch_filter))
    if of_unit:
        yield select(units.c.id).where(units.c.batch_id == b.id, *of_unit).exists()


def _of_unit(organization_id: UUID, batch_filter: BatchFilter) -> Iterator[ColumnElement[bool]]:
    """The conditions that one and the same unit of a batch must meet."""
    u, r = units.c, revisions.c
    if batch_filter.part_numbers is not None:
        yield u.part_id.in_(parts_called(organization_id, batch_filter.part_numbers))
    if batch_filter.revision_numbers is not None:
        keys = [lookup_key(number) for number in batch_filter.revision_numbers]
        yield u.revision_id.in_(select(r.id).where(owned_by(organization_id, r), r.number_key.in_(keys)))
