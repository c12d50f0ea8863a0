"""What is asked of the calls that were made over the APIs: lists and totals, all of one organization and one filter."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Integer, and_, case, func, or_, select, tuple_

from runcard.domain.errors import ApiCallNotFound
from runcard.store.api_calls import api_calls
from runcard.store.tables import microseconds_of

StatusClass = Literal["2xx", "3xx", "4xx", "5xx"]


class CallFilter(Struct, frozen=True, kw_only=True):
    """The calls of an organization since a moment.

    path: a part of the route or of the path, in any case. status: a class, or all that failed. owner_id: of the key.
    """

    organization_id: UUID
    since: datetime
    method: str | None = None
    path: str | None = None
    status: StatusClass | Literal["failed"] | None = None
    client: str | None = None
    owner_id: UUID | None = None
    is_deprecated: bool | None = None


class CallPosition(NamedTuple):
    """A place in the list, behind the call with this id that began then."""

    at_us: int
    id: int


class CallRow(NamedTuple):
    """A call as it is listed. route: None where no route took it. path: None where the route says it."""

    id: int
    at_us: int
    duration_us: int
    status: int
    method: str
    route: str | None
    path: str | None
    is_deprecated: bool
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
    """A call with all that is kept of it."""

    row: CallRow
    user_agent: str
    query: str | None
    body: str | None
    answer: str | None


class Totals(NamedTuple):
    """p95: the duration that 95 % of the calls did not exceed; None, as the mean, where there are none."""

    calls: int
    failed: int
    deprecated: int
    mean: timedelta | None
    p95: timedelta | None

    @property
    def success_ratio(self) -> float | None:
        return (self.calls - self.failed) / self.calls if self.calls else None


class SlotCount(NamedTuple):
    """How many calls of a status class began in the slot with this number, from 0."""

    slot: int
    status: StatusClass
    calls: int


class RouteFigures(NamedTuple):
    """route: None: of calls that no route took."""

    method: str
    route: str | None
    is_deprecated: bool
    calls: int
    failed: int
    mean: timedelta
    longest: timedelta


def list_calls(
    connection: Connection, wanted: CallFilter, limit: int, after: CallPosition | None = None
) -> Sequence[CallRow]:
    """The latest first, from behind `after`."""
    c = api_calls.c
    query = select(*(c[name] for name in CallRow._fields)).where(_condition(wanted))
    if after is not None:
        query = query.where(tuple_(c.at_us, c.id) < tuple_(after.at_us, after.id))
    rows = connection.execute(query.order_by(c.at_us.desc(), c.id.desc()).limit(limit))
    return [CallRow(*row) for row in rows]


def get_call(connection: Connection, organization_id: UUID, call_id: int) -> CallDetail:
    """Raises ApiCallNotFound."""
    c = api_calls.c
    columns = [c[name] for name in (*CallRow._fields, *CallDetail._fields[1:])]
    mine = and_(c.organization_id == organization_id, c.id == call_id)
    row = connection.execute(select(*columns).where(mine)).first()
    if row is None:
        raise ApiCallNotFound(call_id)
    head = len(CallRow._fields)
    return CallDetail(CallRow(*row[:head]), *row[head:])


def total_calls(connection: Connection, wanted: CallFilter) -> Totals:
    c = api_calls.c
    matches = _condition(wanted)
    figures = select(func.count(), _count_of(c.status >= 400), func.sum(c.duration_us)).where(matches)
    count, failed, duration_us = connection.execute(figures).one()
    if not count:
        return Totals(0, 0, 0, None, None)
    old = select(func.count()).where(matches, c.is_deprecated)
    # The nearest rank: the smallest duration that at least 95 % of them do not exceed.
    rank = -(-count * 95 // 100)
    ranked = select(c.duration_us).where(matches).order_by(c.duration_us).offset(rank - 1).limit(1)
    return Totals(
        count,
        failed or 0,
        connection.execute(old).scalar_one(),
        _mean(duration_us, count),
        timedelta(microseconds=connection.execute(ranked).scalar_one()),
    )


def count_calls_by_slot(connection: Connection, wanted: CallFilter, slot: timedelta) -> Sequence[SlotCount]:
    """How many calls began in each slot of time since the filter's moment, by status class; slots without are left
    out.
    """
    c = api_calls.c
    width_us = slot // timedelta(microseconds=1)
    number = ((c.at_us - microseconds_of(wanted.since)) // width_us).cast(Integer)
    status = (c.status // 100).cast(Integer)
    query = select(number, status, func.count()).where(_condition(wanted)).group_by(number, status)
    return [SlotCount(at, _class_of(kind), count) for at, kind, count in connection.execute(query)]


def slowest_routes(connection: Connection, wanted: CallFilter, limit: int) -> Sequence[RouteFigures]:
    """Figures of the routes that took longest on the mean, the slowest first."""
    c = api_calls.c
    mean = func.sum(c.duration_us) / func.count()
    query = (
        select(
            c.method,
            c.route,
            c.is_deprecated,
            func.count(),
            _count_of(c.status >= 400),
            func.sum(c.duration_us),
            func.max(c.duration_us),
        )
        .where(_condition(wanted))
        .group_by(c.method, c.route, c.is_deprecated)
        .order_by(mean.desc(), c.method, c.route)
        .limit(limit)
    )
    return [
        RouteFigures(
            method, route, old, count, failed, _mean(total_us, count), timedelta(microseconds=longest_us)
        )
        for method, route, old, count, failed, total_us, longest_us in connection.execute(query)
    ]


def _condition(wanted: CallFilter) -> ColumnElement[bool]:
    c = api_calls.c
    tests = [c.organization_id == wanted.organization_id, c.at_us >= microseconds_of(wanted.since)]
    if wanted.method is not None:
        tests.append(c.method == wanted.method)
    if wanted.path is not None:
        tests.append(or_(*(one.icontains(wanted.path, autoescape=True) for one in (c.route, c.path))))
    if wanted.status == "failed":
        tests.append(c.status >= 400)
    elif wanted.status is not None:
        first = int(wanted.status[0]) * 100
        tests.append(c.status.between(first, first + 99))
    if wanted.client is not None:
        tests.append(func.lower(c.client) == wanted.client.lower())
    if wanted.owner_id is not None:
        tests.append(c.owner_id == wanted.owner_id)
    if wanted.is_deprecated is not None:
        tests.append(c.is_deprecated if wanted.is_deprecated else ~c.is_deprecated)
    return and_(*tests)


def _count_of(matches: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((matches, 1), else_=0)), 0)


def _mean(total_us: int, count: int) -> timedelta:
    return timedelta(microseconds=int(total_us) / count)


def _class_of(hundreds: int) -> StatusClass:
    classes: dict[int, StatusClass] = {2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
    return classes[hundreds]
