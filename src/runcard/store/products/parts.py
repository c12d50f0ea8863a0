"""Parts and their revisions, as people manage them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update

from runcard.domain.errors import InUse, PartNotFound
from runcard.domain.text import lookup_key
from runcard.store.commit.lookups import find_part
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import parts, revisions, runs, units
from runcard.store.former_names import PART_NUMBERS, exchange_name
from runcard.store.lists.followed_merges import follow_merges
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.part_numbers import had_number_with
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.merging.merges import list_merged_into
from runcard.store.merging.splits import check_none_returning
from runcard.store.metadata import MetadataTest, delete_metadata, keeps
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.numbers import check_part_number_is_free
from runcard.store.products.staged import DEFAULT_REVISION, stage_part
from runcard.store.trail.watching import watch

PartSort = Literal["created_at", "name", "number"]


class PartRecord(NamedTuple):
    """archived_at: since when the part is out of use; None: it is in use."""

    id: UUID
    number: str
    name: str
    created_at: datetime
    archived_at: datetime | None
    created_by: CreatedBy


class PartChange(NamedTuple):
    """The new values of a part. None: no change. archived: whether the part is out of use."""

    number: str | None = None
    name: str | None = None
    archived: bool | None = None


class RevisionRow(NamedTuple):
    """is_default: units get this revision if nobody names one. image_id: an upload, perhaps still without bytes."""

    id: UUID
    number: str
    created_at: datetime
    is_default: bool
    image_id: UUID | None


class PartFilter(NamedTuple):
    """Conditions that a part must all meet. None: no condition.

    search: part of the number or a former one, the name or a revision's number. procedure_ids: one of these must have
    tested the part. archived: True: only archived parts; False: only parts in use.
    """

    search: str | None = None
    procedure_ids: Sequence[UUID] | None = None
    metadata: Sequence[MetadataTest] = ()
    archived: bool | None = None


PART_ORDERS: Mapping[PartSort, ColumnElement[Any]] = {
    "created_at": parts.c.created_at,
    "name": parts.c.name,
    "number": parts.c.number_key,
}


def create_part(
    tx: Transaction,
    number: str,
    name: str | None,
    revision: str | None,
    creator: Creator,
) -> UUID:
    """Add a part with a first revision, and return its id. Raises as `check_part_number_is_free` does."""
    check_part_number_is_free(tx, number)
    return stage_part(tx, number, creator, name=name, revision=revision or DEFAULT_REVISION)


def get_part(scope: Scope, number: str) -> PartRecord:
    """The part that has this number, or else the one that had it before. Raises PartNotFound."""
    part_id = find_part(scope, number)
    if part_id is None:
        raise PartNotFound(number)
    return get_part_by_id(scope, part_id)


def get_part_by_id(scope: Scope, part_id: UUID) -> PartRecord:
    """The part with this id, or the target it was merged into. Raises PartNotFound."""
    p = parts.c
    meant = select(func.coalesce(p.merged_into_id, p.id)).where(scope.owns(p), p.id == part_id)
    return get_former_part(scope, scope.connection.execute(meant).scalar_one_or_none() or part_id)


def get_former_part(scope: Scope, part_id: UUID) -> PartRecord:
    """The part with this id as it is, even if it was merged into another. Raises PartNotFound."""
    row = scope.connection.execute(_parts(scope.organization_id).where(parts.c.id == part_id)).one_or_none()
    if row is None:
        raise PartNotFound(str(part_id))
    return _part(*row)


def list_parts(
    scope: Scope,
    part_filter: PartFilter,
    order: PartSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[PartRecord]:
    """A page of parts in the order of PART_ORDERS with this name; equal parts in order of creation, same direction."""
    p = parts.c
    query = _parts(scope.organization_id).where(
        p.merged_into_id.is_(None), *known_at(page, "part_created", p.id)
    )
    if part_filter.search is not None:
        of_revision = exists().where(
            revisions.c.part_id == p.id, revisions.c.number.icontains(part_filter.search, autoescape=True)
        )
        texts = [column.icontains(part_filter.search, autoescape=True) for column in (p.number, p.name)]
        former = had_number_with(scope.organization_id, part_filter.search)
        query = query.where(or_(*texts, former, of_revision))
    if part_filter.archived is not None:
        query = query.where(p.archived_at.is_not(None) if part_filter.archived else p.archived_at.is_(None))
    if part_filter.procedure_ids is not None:
        ids = follow_merges(scope, part_filter.procedure_ids)
        tested = exists().where(runs.c.part_id == p.id, runs.c.procedure_id.in_(ids))
        query = query.where(tested)
    for test in part_filter.metadata:
        query = query.where(keeps(scope.organization_id, p.id, test))
    columns = [PART_ORDERS[order], p.id]
    query = query.order_by(*(column.desc() if descending else column for column in columns))
    return fetch_page(scope.connection, query, page, _part)


def list_revisions(scope: Scope, part_ids: Collection[UUID]) -> Mapping[UUID, Sequence[RevisionRow]]:
    """The revisions of each of these parts, oldest first."""
    r = revisions.c
    found: dict[UUID, list[RevisionRow]] = defaultdict(list)
    for some in in_chunks(part_ids):
        query = select(r.part_id, r.id, r.number, r.created_at, r.is_default, r.image_id).where(
            scope.owns(r), r.part_id.in_(some)
        )
        for part_id, *revision in scope.connection.execute(query.order_by(r.created_at, r.id)):
            found[part_id].append(RevisionRow(*revision))
    return found


def change_part(tx: Transaction, part: PartRecord, change: PartChange, why: str | None = None) -> PartRecord:
    """Change a part, and return it. A number that it gives up still finds it. why: the reason, if one was given.

    It changes a record that catalogs remember. Raises as `check_part_number_is_free` does.
    """
    number, name = change.number or part.number, change.name or part.name
    archived_at = part.archived_at
    if change.archived is not None:
        archived_at = (archived_at or tx.now) if change.archived else None
    check_part_number_is_free(tx, number, but=part.id)
    exchange_name(tx, PART_NUMBERS, part.id, part.number, number)
    watch(tx, parts, [part.id], why=why)
    p = parts.c
    values = {"number": number, "number_key": lookup_key(number), "name": name, "archived_at": archived_at}
    tx.connection.execute(update(parts).where(tx.owns(p), p.id == part.id).values(values))
    return part._replace(number=number, name=name, archived_at=archived_at)


def delete_part(tx: Transaction, part: PartRecord) -> Sequence[UUID]:
    """Delete a part with its revisions, and return the revisions' ids. What was merged into it is deleted too.

    Raises InUse while units or runs name it, and Conflict while some go back to it after its merge was taken back.
    """
    p, part_ids = parts.c, [part.id, *list_merged_into(tx.scope, PARTS, part.id)]
    for table, column in ((units, units.c.part_id), (runs, runs.c.part_id)):
        of_parts = select(func.count()).select_from(table).where(tx.owns(table.c), column.in_(part_ids))
        if count := tx.connection.execute(of_parts).scalar_one():
            raise InUse(f"Part {part.number}", count, table.name)
    check_none_returning(tx.scope, PARTS, part.id)
    revision_ids = [one.id for some in list_revisions(tx.scope, part_ids).values() for one in some]
    watch(tx, parts, part_ids)
    watch(tx, revisions, revision_ids)
    delete_metadata(tx, [*part_ids, *revision_ids])
    tx.connection.execute(delete(parts).where(tx.owns(p), p.id.in_(part_ids)))
    return revision_ids


def _parts(organization_id: UUID) -> Select[Any]:
    p = parts.c
    return (
        select(p.id, p.number, p.name, p.created_at, p.archived_at, *CREATOR_COLUMNS)
        .select_from(with_creator(parts))
        .where(owned_by(organization_id, p))
    )


def _part(
    part_id: UUID, number: str, name: str, created_at: datetime, archived_at: datetime | None, *creator: Any
) -> PartRecord:
    return PartRecord(part_id, number, name, created_at, archived_at, created_by(*creator))
