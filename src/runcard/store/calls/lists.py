"""Lists and totals of the calls of the APIs, each of one organization and one filter."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, case, func, or_, select, tuple_

from runcard.domain.errors import ApiCallNotFound
from runcard.store.calls.rows import Route, api_calls, api_routes
from runcard.store.engine.column_types import microseconds_of
from runcard.store.engine.scope import Scope, owned_by

# Unscoped: every CallFilter names its organization.

StatusClass = Literal["2xx", "3xx", "4xx", "5xx"]


class CallFilter(Struct, frozen=True, kw_only=True):
    """The calls of an organization from `since` to `until`, both included. until: None: until now.

    path: a part of the route or of the path, in any case, or the whole id of a request. status: a class, or "failed"
    for 4xx and 5xx together.
    owner_id: the station or user of the key.
    """

    organization_id: UUID
    since: datetime
    until: datetime | None = None
    method: str | None = None
    path: str | None = None
    status: StatusClass | Literal["failed"] | None = None
    client: str | None = None
    owner_id: UUID | None = None
    is_deprecated: bool | None = None


class CallPosition(NamedTuple):
    """The place in the list after the call with this start and id."""

    at_us: int
    id: int


class CallRow(NamedTuple):
    """A call as it is listed. path: None if it is the path of the route."""

    route: Route
    id: int
    at_us: int
    duration_us: int
    status: int
    path: str | None
    key_prefix: str
    owner_id: UUID | None
    client: str
    client_version: str

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.at_us)

    @property
    def duration(self) -> timedelta:
        return timedelta(microseconds=self.duration_us)


class CallDetail(NamedTuple):
    """A call with everything that is kept of it."""

    row: CallRow
    user_agent: str
    query: str | None
    body: str | None
    answer: str | None
    request_id: str | None


class SlotCount(NamedTuple):
    """How many calls of a status class began in the slot with this number, from 0."""

    slot: int
    status: StatusClass
    calls: int


class RouteFigures(NamedTuple):
    route: Route
    calls: int
    failed: int
    total: timedelta
    longest: timedelta

    @property
    def mean(self) -> timedelta:
        return self.total / self.calls


class CallFigures(NamedTuple):
    """p95: the duration that 95 % of the calls did not exceed. It, the mean and the ratio are None without calls.

    routes: slowest mean first.
    """

    routes: Sequence[RouteFigures]
    p95: timedelta | None

    @property
    def calls(self) -> int:
        return sum(route.calls for route in self.routes)

    @property
    def failed(self) -> int:
        return sum(route.failed for route in self.routes)

    @property
    def deprecated(self) -> int:
        return sum(figures.calls for figures in self.routes if figures.route.is_deprecated)

    @property
    def mean(self) -> timedelta | None:
        return sum((route.total for route in self.routes), timedelta()) / self.calls if self.routes else None

    @property
    def success_ratio(self) -> float | None:
        return (self.calls - self.failed) / self.calls if self.routes else None


def list_calls(
    connection: Connection, call_filter: CallFilter, limit: int, after: CallPosition | None = None
) -> Sequence[CallRow]:
    """At most `limit` calls, newest first, from right after the position `after`."""
    c = api_calls.c
    query = _rows().where(_condition(call_filter))
    if after is not None:
        query = query.where(tuple_(c.at_us, c.id) < tuple_(after.at_us, after.id))
    rows = connection.execute(query.order_by(c.at_us.desc(), c.id.desc()).limit(limit))
    return [_row(row) for row in rows]


def list_later_calls(
    connection: Connection, call_filter: CallFilter, limit: int, before: CallPosition
) -> Sequence[CallRow]:
    """The last `limit` calls before the position `before`, in the order of `list_calls`: newest first."""
    c = api_calls.c
    later = tuple_(c.at_us, c.id) > tuple_(before.at_us, before.id)
    rows = connection.execute(
        _rows().where(_condition(call_filter), later).order_by(c.at_us, c.id).limit(limit)
    )
    return [_row(row) for row in rows][::-1]


def count_calls(connection: Connection, call_filter: CallFilter, at_most: int) -> int:
    """How many calls there are. Counting stops at `at_most`."""
    found = select(api_calls.c.id).where(_condition(call_filter)).limit(at_most).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()


def get_call(scope: Scope, call_id: int) -> CallDetail:
    """A call with everything that is kept of it. Raises ApiCallNotFound."""
    c = api_calls.c
    details = [c[name] for name in CallDetail._fields[1:]]
    mine = _rows().add_columns(*details).where(scope.owns(c), c.id == call_id)
    row = scope.connection.execute(mine).first()
    if row is None:
        raise ApiCallNotFound(call_id)
    return CallDetail(_row(row[: -len(details)]), *row[-len(details) :])


def figure_calls(connection: Connection, call_filter: CallFilter) -> CallFigures:
    routes = _figure_routes(connection, call_filter)
    calls = sum(route.calls for route in routes)
    if not calls:
        return CallFigures([], None)
    c = api_calls.c
    # By nearest rank: the shortest duration that at least 95 % of the calls do not exceed. Counted from the longest, so
    # that only one call in twenty must be sorted.
    longer = calls * 5 // 100
    query = select(c.duration_us).where(_condition(call_filter)).order_by(c.duration_us.desc())
    p95_us = connection.execute(query.offset(longer).limit(1)).scalar_one()
    return CallFigures(routes, timedelta(microseconds=p95_us))


def count_calls_by_slot(
    connection: Connection, call_filter: CallFilter, slot: timedelta
) -> Sequence[SlotCount]:
    """How many calls began in each slot of time from the filter's `since` on, by status class. Without empty slots."""
    c = api_calls.c
    width_us = slot // timedelta(microseconds=1)
    number = ((c.at_us - microseconds_of(call_filter.since)) // width_us).cast(Integer)
    status = (c.status // 100).cast(Integer)
    query = select(number, status, func.count()).where(_condition(call_filter)).group_by(number, status)
    return [SlotCount(at, _class_of(kind), count) for at, kind, count in connection.execute(query)]


def _rows() -> Select[Any]:
    c, r = api_calls.c, api_routes.c
    columns = [r.method, r.path, r.is_deprecated, *(c[name] for name in CallRow._fields[1:])]
    return select(*columns).join_from(api_calls, api_routes, r.id == c.route_id)


def _row(columns: Sequence[Any]) -> CallRow:
    width = len(Route._fields)
    return CallRow(Route(*columns[:width]), *columns[width:])


def _figure_routes(connection: Connection, call_filter: CallFilter) -> Sequence[RouteFigures]:
    c, r = api_calls.c, api_routes.c
    failed = func.sum(case((c.status >= 400, 1), else_=0))
    grouped = (
        select(
            c.route_id,
            func.count().label("calls"),
            failed.label("failed"),
            func.sum(c.duration_us).label("total_us"),
            func.max(c.duration_us).label("longest_us"),
        )
        .where(_condition(call_filter))
        .group_by(c.route_id)
        .subquery()
    )
    query = select(r.method, r.path, r.is_deprecated, *list(grouped.c)[1:]).join(
        grouped, grouped.c.route_id == r.id
    )
    figures = [
        RouteFigures(
            Route(*route),
            calls,
            failed,
            timedelta(microseconds=int(total_us)),
            timedelta(microseconds=longest_us),
        )
        for *route, calls, failed, total_us, longest_us in connection.execute(query)
    ]
    return sorted(figures, key=lambda of: (-of.mean, of.route.method, of.route.path or ""))


def _condition(call_filter: CallFilter) -> ColumnElement[bool]:
    c, r = api_calls.c, api_routes.c
    tests = [owned_by(call_filter.organization_id, c), c.at_us >= microseconds_of(call_filter.since)]
    if call_filter.until is not None:
        tests.append(c.at_us <= microseconds_of(call_filter.until))
    if call_filter.method is not None:
        tests.append(_of_routes(r.method == call_filter.method))
    if call_filter.path is not None:
        in_route, in_path = (
            column.icontains(call_filter.path, autoescape=True) for column in (r.path, c.path)
        )
        tests.append(or_(_of_routes(in_route), in_path, c.request_id == call_filter.path))
    if call_filter.status == "failed":
        tests.append(c.status >= 400)
    elif call_filter.status is not None:
        first = int(call_filter.status[0]) * 100
        tests.append(c.status.between(first, first + 99))
    if call_filter.client is not None:
        tests.append(func.lower(c.client) == call_filter.client.lower())
    if call_filter.owner_id is not None:
        tests.append(c.owner_id == call_filter.owner_id)
    if call_filter.is_deprecated is not None:
        tests.append(_of_routes(r.is_deprecated if call_filter.is_deprecated else ~r.is_deprecated))
    return and_(*tests)


def _of_routes(matches: ColumnElement[bool]) -> ColumnElement[bool]:
    return api_calls.c.route_id.in_(select(api_routes.c.id).where(matches))


def _class_of(hundreds: int) -> StatusClass:
    classes: dict[int, StatusClass] = {2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
    return classes[hundreds]
