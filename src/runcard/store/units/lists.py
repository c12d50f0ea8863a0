"""The filter and the orders of the list of units, and what the list shows with each unit."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, ScalarSelect, Select, Table, and_, func, select, true

from runcard.domain.floor.sample import SampleChoice
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import batches, parts, procedures, revisions, runs, units
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.noted import has_cause, has_tag
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.part_numbers import parts_called
from runcard.store.lists.refs import Named, SerialRef
from runcard.store.lists.run_filter import RunFilter, run_conditions, sample_is_one_of
from runcard.store.lists.serials import serial_number_contains, units_called
from runcard.store.metadata import MetadataTest, keeps
from runcard.store.units.records import UnitRecord, read_units

UnitSort = Literal["created_at", "serial_number", "part_number", "last_run_at", "last_run_procedure"]


class UnitFilter(Struct, frozen=True, kw_only=True):
    """Conditions that a unit must all meet. None: no condition. Bounds are inclusive.

    search: part of the serial number. with_run: some run of the unit must match. with_newest_run: its newest run must.
    """

    search: str | None = None
    ids: Sequence[UUID] | None = None
    serial_numbers: Sequence[str] | None = None
    part_numbers: Sequence[str] | None = None
    revision_numbers: Sequence[str] | None = None
    batch_numbers: Sequence[str] | None = None
    samples: Sequence[SampleChoice] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: Sequence[UUID] | None = None
    created_by_station_ids: Sequence[UUID] | None = None
    without_parent: bool = False
    run_count_min: int | None = None
    run_count_max: int | None = None
    with_run: RunFilter | None = None
    with_newest_run: RunFilter | None = None
    tags: Sequence[str] | None = None
    causes: Sequence[str] | None = None
    metadata: Sequence[MetadataTest] = ()

    @property
    def is_empty(self) -> bool:
        return replace(self, metadata=tuple(self.metadata)) == UnitFilter()


class LastRun(NamedTuple):
    """The run of a unit that started last. For its times see `RunRecord`."""

    id: UUID
    outcome: RunOutcome
    procedure: Named
    started_at: datetime
    ended_at: datetime
    reported_started_at: datetime | None
    reported_ended_at: datetime | None


# Unscoped: the units are of the scope.
def _newest_run(unit_id: ColumnElement[UUID]) -> ScalarSelect[UUID]:
    """The id of the run of a unit that started last."""
    newest = runs.alias("newest")
    n = newest.c
    query = select(n.id).where(n.unit_id == unit_id).order_by(n.started_at.desc(), n.id.desc()).limit(1)
    return query.correlate_except(newest).scalar_subquery()


# Unscoped: the units are of the scope.
def _start_of_last_run() -> ScalarSelect[datetime]:
    return select(func.max(runs.c.started_at)).where(runs.c.unit_id == units.c.id).scalar_subquery()


# Unscoped: the units are of the scope.
def _procedure_of_last_run() -> ScalarSelect[str]:
    p, r = procedures.c, runs.c
    last = select(p.name).join_from(runs, procedures, p.id == r.procedure_id)
    return last.where(r.id == _newest_run(units.c.id)).scalar_subquery()


UNIT_ORDERS: Mapping[UnitSort, ColumnElement[Any]] = {
    "created_at": units.c.created_at,
    "serial_number": units.c.serial_key,
    "part_number": parts.c.number_key,
    "last_run_at": _start_of_last_run(),
    "last_run_procedure": _procedure_of_last_run(),
}
_OF_LAST_RUN = ("last_run_at", "last_run_procedure")


def list_units(
    scope: Scope,
    unit_filter: UnitFilter,
    order: UnitSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[UnitRecord]:
    """A page of units in the order of UNIT_ORDERS with this name; equal units in order of creation, same direction.

    Units that never ran come last when descending, and first when ascending.
    """
    u, column = units.c, UNIT_ORDERS[order]
    ordered = column.desc() if descending else column.asc()
    if order in _OF_LAST_RUN:  # databases differ in where they sort NULL
        ordered = ordered.nulls_last() if descending else ordered.nulls_first()
    conditions = [
        scope.owns(u),
        *known_at(page, "unit_created", u.id),
        *_own(scope.organization_id, unit_filter),
        *_by_name(scope.organization_id, unit_filter),
        *_by_runs(scope, unit_filter),
    ]
    # The list is searched by ids alone, and only the units of the page are read whole.
    query = select(u.id)
    if order != "part_number":
        query = query.where(*conditions)
    elif unit_filter.is_empty:
        query = _along_parts(scope.organization_id, conditions)
    else:
        query = query.join(parts, parts.c.id == u.part_id).where(*conditions)
    query = query.order_by(ordered, u.id.desc() if descending else u.id)
    return read_listed_units(scope, fetch_page(scope.connection, query, page, lambda unit_id: unit_id))


def read_listed_units(scope: Scope, ids: Listed[UUID]) -> Listed[UnitRecord]:
    """The units with these ids, in the order of the ids. Ids that no unit has are left out."""
    found = read_units(scope, ids.rows)
    return Listed([found[unit_id] for unit_id in ids.rows if unit_id in found], ids.has_more, ids.total)


def _along_parts(organization_id: UUID, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The query of the units of one part after the other, along the index that sorts the parts.

    From an inner join, SQLite would look up the part of every unit and sort the units. It does an outer join in the
    order that is written, as long as it cannot see that the conditions need a unit. Hence the IS TRUE.
    """
    need_a_unit = and_(*conditions).is_(true())
    query = select(units.c.id).select_from(parts).outerjoin(units, units.c.part_id == parts.c.id)
    return query.where(owned_by(organization_id, parts.c), need_a_unit)


def list_first_children(
    scope: Scope, unit_ids: Collection[UUID], at_most: int
) -> Mapping[UUID, Sequence[SerialRef]]:
    """The units that are part of each of these units, oldest first, at most `at_most` of each."""
    u = units.c
    place = func.row_number().over(partition_by=u.parent_id, order_by=u.id).label("place")
    found: dict[UUID, list[SerialRef]] = defaultdict(list)
    for some in in_chunks(unit_ids):
        children = (
            select(u.parent_id, u.id, u.serial_number, place)
            .where(scope.owns(u), u.parent_id.in_(some))
            .subquery()
        )
        query = select(children).where(children.c.place <= at_most).order_by(children.c.place)
        for parent_id, unit_id, serial_number, _ in scope.connection.execute(query):
            found[parent_id].append(SerialRef(unit_id, serial_number))
    return found


def list_last_runs(scope: Scope, unit_ids: Collection[UUID]) -> Mapping[UUID, LastRun]:
    """The run that started last of each of these units; no entry for a unit that never ran."""
    r, p = runs.c, procedures.c
    found: dict[UUID, LastRun] = {}
    for some in in_chunks(unit_ids):
        query = (
            select(
                units.c.id, r.id, r.outcome, r.started_at, r.ended_at, r.reported_started_at, r.reported_ended_at,
                p.id, p.name,
            )
            .join_from(units, runs, r.id == _newest_run(units.c.id))
            .join(procedures, p.id == r.procedure_id)
            .where(scope.owns(units.c), units.c.id.in_(some))
        )  # fmt: skip
        for unit_id, run_id, outcome, *times, procedure_id, name in scope.connection.execute(query):
            found[unit_id] = LastRun(run_id, outcome, Named(procedure_id, name), *times)
    return found


def _own(organization_id: UUID, unit_filter: UnitFilter) -> Iterator[ColumnElement[bool]]:
    u = units.c
    if unit_filter.search is not None:
        yield serial_number_contains(organization_id, unit_filter.search)
    lists: list[tuple[Sequence[UUID] | None, ColumnElement[Any]]] = [
        (unit_filter.ids, u.id),
        (unit_filter.created_by_user_ids, u.created_by_user_id),
        (unit_filter.created_by_station_ids, u.created_by_station_id),
    ]
    for values, column in lists:
        if values is not None:
            yield column.in_(values)
    if unit_filter.created_after is not None:
        yield u.created_at >= unit_filter.created_after
    if unit_filter.created_before is not None:
        yield u.created_at <= unit_filter.created_before
    if unit_filter.without_parent:
        # IS TRUE, so that SQLite reads the units in their order. Otherwise it expects few units without a parent.
        yield u.parent_id.is_(None).is_(true())
    if unit_filter.samples is not None:
        yield sample_is_one_of(units.c.sample, unit_filter.samples)
    if unit_filter.tags is not None:
        yield has_tag(organization_id, u.id, unit_filter.tags)
    if unit_filter.causes is not None:
        yield has_cause(organization_id, u.id, unit_filter.causes)
    for test in unit_filter.metadata:
        yield keeps(organization_id, u.id, test)


def _by_name(organization_id: UUID, unit_filter: UnitFilter) -> Iterator[ColumnElement[bool]]:
    """Conditions on the unit and what it belongs to, by the names that people use. Case does not count."""
    u = units.c
    if unit_filter.serial_numbers is not None:
        yield u.id.in_(units_called(organization_id, unit_filter.serial_numbers))
    if unit_filter.part_numbers is not None:
        yield u.part_id.in_(parts_called(organization_id, unit_filter.part_numbers))
    names: list[tuple[Sequence[str] | None, ColumnElement[Any], Table]] = [
        (unit_filter.revision_numbers, u.revision_id, revisions),
        (unit_filter.batch_numbers, u.batch_id, batches),
    ]
    for values, reference, table in names:
        if values is not None:
            keys = [lookup_key(value) for value in values]
            yield reference.in_(
                select(table.c.id).where(owned_by(organization_id, table.c), table.c.number_key.in_(keys))
            )


def _by_runs(scope: Scope, unit_filter: UnitFilter) -> Iterator[ColumnElement[bool]]:
    u, r = units.c, runs.c
    if unit_filter.run_count_min is not None or unit_filter.run_count_max is not None:
        count = select(func.count()).select_from(runs).where(r.unit_id == u.id).scalar_subquery()
        if unit_filter.run_count_min is not None:
            yield count >= unit_filter.run_count_min
        if unit_filter.run_count_max is not None:
            yield count <= unit_filter.run_count_max
    # The units of all matching runs, found once. With a query for each unit, SQLite would read its runs by the wrong
    # index.
    if unit_filter.with_run is not None:
        run_filter = with_merges(scope, unit_filter.with_run)
        yield u.id.in_(select(r.unit_id).where(*run_conditions(scope.organization_id, run_filter)))
    if unit_filter.with_newest_run is not None:
        run_filter = with_merges(scope, unit_filter.with_newest_run)
        conditions = run_conditions(scope.organization_id, run_filter)
        yield u.id.in_(select(r.unit_id).where(*conditions, r.id == _newest_run(r.unit_id)))
