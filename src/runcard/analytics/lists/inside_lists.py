"""Lists of what is inside runs, found in the copy and read from the database.

If there is no copy, or it has not seen all changes in time, or it failed, the database makes the list.
"""

import math
from collections.abc import Collection, Mapping
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from runcard.analytics.conditions import Conditions, is_one_of, microseconds_between, numbers
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.columns import split_number
from runcard.analytics.copy.engines.engine import CopyCursor
from runcard.analytics.lists.first_named import first_named
from runcard.analytics.lists.log_search import Search, holding
from runcard.analytics.lists.matching_runs import MatchingRuns, find_in_copy
from runcard.analytics.lists.ordered_places import Key, RowOrder, RowPlace, RowSource, find_places
from runcard.domain.ids import part_id, run_of
from runcard.store.contents.inside_runs import (
    Found,
    Kind,
    Listing,
    NumberedPart,
    list_inside,
    places_up_to,
    read_inside,
)
from runcard.store.contents.logs import LOGS, FoundLog, LogFilter, LogSort
from runcard.store.contents.measurements import (
    MEASUREMENTS,
    FoundMeasurement,
    MeasurementFilter,
    MeasurementSort,
)
from runcard.store.contents.phases import PHASES, FoundPhase, PhaseFilter, PhaseSort
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed
from runcard.store.lists.run_filter import RunFilter

T = TypeVar("T", bound=NumberedPart)
S = TypeVar("S", bound=str)

_SPECS = "JOIN specs s USING (spec)"
_BY_SERIAL = RowOrder(of_runs=[Key("u.serial_key", "VARCHAR")], joins="JOIN units u ON u.id = r.unit")
_PHASE_DURATION = microseconds_between("x.started_at", "x.ended_at")
_PHASE_ORDERS: Mapping[PhaseSort, RowOrder] = {
    "started_at": RowOrder([Key("x.started_at", "TIMESTAMP")]),
    "duration": RowOrder([Key(_PHASE_DURATION, "BIGINT")]),
    "outcome": RowOrder([Key("x.outcome", "phase_outcome")]),
    "serial_number": _BY_SERIAL,
    "phase_name": RowOrder([Key("x.name", "VARCHAR")]),
}
_MEASUREMENT_ORDERS: Mapping[MeasurementSort, RowOrder] = {
    "started_at": RowOrder([Key("x.started_at", "TIMESTAMP")]),
    "value": RowOrder([Key("x.num", "DOUBLE"), Key("x.rest", "SMALLINT")]),
    "outcome": RowOrder([Key("x.outcome", "measurement_outcome")]),
    "serial_number": _BY_SERIAL,
    "phase_name": RowOrder([Key("s.phase", "VARCHAR")], joins=_SPECS),
    "measurement_name": RowOrder([Key("s.name", "VARCHAR")], joins=_SPECS),
}
_LOG_ORDERS: Mapping[LogSort, RowOrder] = {
    "created_at": RowOrder([Key("x.timestamp", "TIMESTAMP")]),
    "level": RowOrder([Key("x.level", "log_level")]),
    "run_id": RowOrder(),
    "outcome": RowOrder(of_runs=[Key("r.outcome", "run_outcome")]),
}


class _Query(NamedTuple, Generic[T, S]):
    """What to list: rows of a table that meet `rows`, and whose specs meet `specs`. ids: as in `InsideFilter`.

    text: case-folded; messages of logs must hold it.
    """

    kind: Kind[T, S]
    table: str
    rows: Conditions
    order: RowOrder
    specs: Conditions | None = None
    ids: Collection[UUID] | None = None
    text: str | None = None


def list_phases(
    copy: ColumnarCopy | None,
    scope: Scope,
    runs: RunFilter,
    phase_filter: PhaseFilter,
    listing: Listing[PhaseSort],
) -> Listed[FoundPhase]:
    """A page of the phases of these runs. Raises as `store.contents.inside_runs.list_inside`."""
    rows = Conditions()
    rows.one_of("x.name", phase_filter.names)
    rows.one_of("x.sequence_path", phase_filter.sequence_paths)
    rows.one_of("x.outcome", phase_filter.outcomes, "phase_outcome")
    rows.within("x.started_at", phase_filter.started_after, phase_filter.started_before)
    rows.within(_PHASE_DURATION, phase_filter.duration_min, phase_filter.duration_max)
    if phase_filter.only_final:
        rows.add("x.is_final")
    query = _Query(PHASES, "phases", rows, _PHASE_ORDERS[listing.order], ids=phase_filter.ids)
    listed = _list(copy, scope, runs, query, listing)
    return listed or list_inside(scope, PHASES, runs, phase_filter, listing)


def list_measurements(
    copy: ColumnarCopy | None,
    scope: Scope,
    runs: RunFilter,
    measurement_filter: MeasurementFilter,
    listing: Listing[MeasurementSort],
) -> Listed[FoundMeasurement]:
    """A page of the measurements of these runs. Raises as `store.contents.inside_runs.list_inside`."""
    specs = Conditions()
    specs.one_of("name", measurement_filter.names)
    specs.one_of("phase", measurement_filter.phase_names)
    query = _Query(
        MEASUREMENTS,
        "measurements",
        _on_measurements(measurement_filter),
        _MEASUREMENT_ORDERS[listing.order],
        None if measurement_filter.names is None and measurement_filter.phase_names is None else specs,
        measurement_filter.ids,
    )
    listed = _list(copy, scope, runs, query, listing)
    return listed or list_inside(scope, MEASUREMENTS, runs, measurement_filter, listing)


def list_logs(
    copy: ColumnarCopy | None,
    scope: Scope,
    runs: RunFilter,
    log_filter: LogFilter,
    listing: Listing[LogSort],
) -> Listed[FoundLog]:
    """A page of the log lines of these runs. Raises as `store.contents.inside_runs.list_inside`."""
    rows = Conditions()
    rows.one_of("x.level", log_filter.levels, "log_level")
    rows.one_of("x.source_file", log_filter.source_files)
    rows.within("x.timestamp", log_filter.logged_after, log_filter.logged_before)
    text = None if log_filter.search is None else log_filter.search.casefold()
    query = _Query(LOGS, "logs", rows, _LOG_ORDERS[listing.order], text=text)
    listed = _list(copy, scope, runs, query, listing)
    return listed or list_inside(scope, LOGS, runs, log_filter, listing)


def _on_measurements(measurement_filter: MeasurementFilter) -> Conditions:
    rows = Conditions()
    rows.one_of("x.outcome", measurement_filter.outcomes, "measurement_outcome")
    rows.one_of("x.kind", measurement_filter.kinds, "value_kind")
    rows.within("x.started_at", measurement_filter.started_after, measurement_filter.started_before)
    bounds = (measurement_filter.value_min, measurement_filter.value_max)
    if any(bound is not None and math.isnan(bound) for bound in bounds):
        rows.add("FALSE")  # no number is within NaN, but to DuckDB NaN is the highest number
    if measurement_filter.value_min is not None:
        lower, above = split_number(measurement_filter.value_min)
        rows.add("x.num >= ? AND (x.num > ? OR x.rest >= ?)", lower, lower, above)
    if measurement_filter.value_max is not None:
        upper, above = split_number(measurement_filter.value_max)
        rows.add("x.num <= ? AND (x.num < ? OR x.rest <= ?)", upper, upper, above)
    if measurement_filter.value_bool is not None:
        rows.add("x.bool = ?", measurement_filter.value_bool)
    rows.one_of("x.str", measurement_filter.value_strings)
    if measurement_filter.only_final:
        rows.add("x.is_final")
    return rows


def _list(
    copy: ColumnarCopy | None,
    scope: Scope,
    runs: RunFilter,
    query: _Query[T, S],
    listing: Listing[S],
) -> Listed[Found[T]] | None:
    """A page; None if the copy cannot answer. Raises InvalidInput for a page that ends too far down."""
    page, descending = listing.page, listing.descending
    count = places_up_to(page)

    def find(cursor: CopyCursor, found: MatchingRuns) -> list[RowPlace]:
        source = _source(cursor, scope.organization_id, found, query)
        order = query.order
        if order.joins == _SPECS and query.specs is None:
            source, order = first_named(cursor, source, found.procedures, order, count, descending=descending)
        if query.text is not None:
            blocks = found.what_lies_inside()
            source = holding(cursor, Search(source, blocks, query.text, order, count, descending))
        return find_places(cursor, source, order, count, page.offset, descending=descending)

    places = find_in_copy(copy, scope, runs, page, find)
    if places is None:
        return None
    ids = [part_id(run_id, query.kind.part, position) for run_id, position in places[: page.limit]]
    return Listed(read_inside(scope, query.kind, ids), len(places) > page.limit)


def _source(cursor: CopyCursor, organization_id: UUID, runs: MatchingRuns, query: _Query[T, S]) -> RowSource:
    """The rows of these runs that the query matches."""
    rows = runs.what_lies_inside().and_of(query.rows)
    if query.specs is not None:
        rows = rows.and_of(_of_specs(cursor, query.specs))
    source = RowSource(query.table, rows, runs.themselves())
    if query.ids is None:
        return source
    return _with_ids(cursor, organization_id, source, query.kind, query.ids)


def _of_specs(cursor: CopyCursor, specs: Conditions) -> Conditions:
    found = Conditions()
    found.one_of("x.spec", numbers(cursor, "spec", "specs", specs), "INTEGER")
    return found


def _with_ids(
    cursor: CopyCursor, organization_id: UUID, source: RowSource, kind: Kind[T, S], ids: Collection[UUID]
) -> RowSource:
    """The source, narrowed to rows that have one of these ids, or whose run has one."""
    places = {id_: run_of(id_) for id_ in ids}
    inner = [place for place in places.values() if place is not None and place[1] is kind.part]
    run_ids = [id_ for id_, place in places.items() if place is None]
    on_runs = Conditions()
    on_runs.add("organization = ?", organization_id)
    on_runs.one_of("id", [*run_ids, *(run_id for run_id, _, _ in inner)], "UUID")
    found = cursor.execute(f"SELECT id, run FROM runs WHERE {on_runs.sql}", on_runs.values).fetchall()
    numbers = dict(found)
    pairs = [(numbers[run_id], position) for run_id, _, position in inner if run_id in numbers]
    of_whole = [numbers[run_id] for run_id in run_ids if run_id in numbers]
    alternatives = [is_one_of("x.run", of_whole, "BIGINT")]
    alternatives += ["x.run = ? AND x.position = ?"] * len(pairs)
    rows, runs = Conditions(), Conditions()
    rows.one_of("x.run", numbers.values(), "BIGINT")
    rows.add(f"({' OR '.join(alternatives)})", *of_whole, *(value for pair in pairs for value in pair))
    runs.one_of("r.run", numbers.values(), "BIGINT")
    return source._replace(rows=source.rows.and_of(rows), runs=source.runs.and_of(runs))
