"""The page of API calls: how many there are, how they end, how long they take, and each of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from runcard.activity.log import ActivityLog
from runcard.domain.errors import InvalidInput
from runcard.edge.requests.services import Services, WithServices
from runcard.store.calls.lists import (
    CallFigures,
    CallFilter,
    CallPosition,
    CallRow,
    RouteFigures,
    SlotCount,
    StatusClass,
    count_calls_by_slot,
    figure_calls,
    list_calls,
    list_later_calls,
)
from runcard.store.engine.database import Connection
from runcard.store.engine.scope import Scope
from runcard.store.people.users import list_users
from runcard.store.stations.rows import list_stations
from runcard.web.calls.charts import RoutePoint, SlotPoint, calls_over_time, slowest_bars
from runcard.web.calls.rows import CallLine, call_lines, check_may_see_calls
from runcard.web.calls.windows import CALL_PERIODS, CallPeriod, CallWindow, between, ending_now, of_day
from runcard.web.charts.chart import Chart
from runcard.web.charts.tiles import Tile
from runcard.web.frame.formats import count_text, duration_text, percent_text
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import FilterBar, choice_field, page_query, period_field, text_field, url_of
from runcard.web.lists.period import written_between
from runcard.web.lists.table_files import TableFiles, files_of

router = APIRouter()

PATH = "/activity"
_PAGE_SIZE = 50
_SLOWEST = 8

_STATUSES = {
    "": "All",
    "failed": "Failed",
    "2xx": "2xx success",
    "3xx": "3xx redirect",
    "4xx": "4xx refused",
    "5xx": "5xx server error",
}
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
_METHODS: Sequence[Method] = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


class ActivityQuery(Struct, kw_only=True):
    """since, until: days or moments, as on every page. key: the station or user that owns the key.

    before: the place in the list behind which the page begins. after: the place at which it ends.
    """

    period: CallPeriod = "24h"
    since: str | None = None
    until: str | None = None
    method: Method | None = None
    path: str | None = None
    status: StatusClass | Literal["failed"] | None = None
    client: str | None = None
    key: UUID | None = None
    deprecated: Literal["yes", "no"] | None = None
    before: str | None = None
    after: str | None = None


class ActivityPage(NamedTuple):
    """is_kept: whether calls are recorded at all. keeps: for how long."""

    is_kept: bool
    keeps: str
    filters: FilterBar
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    calls: Sequence[CallLine]
    files: TableFiles
    older_url: str
    newer_url: str
    newest_url: str


class _Place(NamedTuple):
    """Where the page of calls begins or ends; both None: at the newest call."""

    before: CallPosition | None
    after: CallPosition | None


@router.get(PATH)
def show_activity(
    services: WithServices, visit: WithVisit, query: Annotated[ActivityQuery, page_query(ActivityQuery)]
) -> Response:
    check_may_see_calls(visit)
    place = _place(query)
    with services.database.read_in(visit.actor.organization_id) as scope:
        page = _page(scope, services, visit, query, place)
    return render("calls/calls.html", page, visit)


def _page(
    scope: Scope, services: Services, visit: Visit, query: ActivityQuery, place: _Place
) -> ActivityPage:
    organization_id, activity = visit.actor.organization_id, services.activity
    keys = [(station.id, station.name) for station in list_stations(scope)]
    keys += [(user.id, user.name) for user in list_users(scope)]
    files = files_of(PATH, query, "before", "after")
    if activity is None:
        return ActivityPage(False, "", _bar(query, keys, []), [], [], [], files, "", "", "")
    window = _window(query, activity.keep, visit.zone, datetime.now(UTC))
    found = _ask(activity, _filter(query, organization_id, window), window, place)
    shown = found.calls.rows
    return ActivityPage(
        is_kept=True,
        keeps=f"{activity.keep.days} days",
        filters=_bar(query, keys, sorted({row.client for row in shown if row.client})),
        tiles=_tiles(found.figures, query),
        charts=[
            calls_over_time(_slot_points(found.by_slot, window, query, visit.zone)),
            slowest_bars([_route_point(one, query) for one in found.figures.routes[:_SLOWEST]]),
        ],
        calls=call_lines(scope, shown, visit.zone),
        files=files,
        older_url=_url(query, before=_place_text(shown[-1])) if found.calls.has_older else "",
        newer_url=_url(query, after=_place_text(shown[0])) if found.calls.has_newer and shown else "",
        newest_url=_url(query) if found.calls.has_newer else "",
    )


def call_filter_of(query: ActivityQuery, activity: ActivityLog, visit: Visit) -> CallFilter:
    """The filter for the calls of a page. Raises InvalidInput if `since` or `until` is no day or moment."""
    window = _window(query, activity.keep, visit.zone, datetime.now(UTC))
    return _filter(query, visit.actor.organization_id, window)


class _Calls(NamedTuple):
    """The calls of a page, the latest first."""

    rows: Sequence[CallRow]
    has_newer: bool
    has_older: bool


class _FoundCalls(NamedTuple):
    figures: CallFigures
    by_slot: Sequence[SlotCount]
    calls: _Calls


def _ask(activity: ActivityLog, call_filter: CallFilter, window: CallWindow, place: _Place) -> _FoundCalls:
    activity.write_waiting()
    return activity.ask(
        lambda connection: _FoundCalls(
            figure_calls(connection, call_filter),
            count_calls_by_slot(connection, call_filter, window.slot),
            _list_calls(connection, call_filter, place),
        )
    )


def _list_calls(connection: Connection, call_filter: CallFilter, place: _Place) -> _Calls:
    if place.after is not None:
        rows = list_later_calls(connection, call_filter, _PAGE_SIZE + 1, place.after)
        if len(rows) > _PAGE_SIZE:
            return _Calls(rows[1:], has_newer=True, has_older=True)
        # No later call is left, so this is the first page, and it is filled from the newest call on.
    rows = list_calls(connection, call_filter, _PAGE_SIZE + 1, place.before)
    return _Calls(rows[:_PAGE_SIZE], place.before is not None, len(rows) > _PAGE_SIZE)


def _filter(query: ActivityQuery, organization_id: UUID, window: CallWindow) -> CallFilter:
    return CallFilter(
        organization_id=organization_id,
        since=window.since,
        until=window.until,
        method=query.method,
        path=query.path,
        status=query.status,
        client=query.client,
        owner_id=query.key,
        is_deprecated=None if query.deprecated is None else query.deprecated == "yes",
    )


def _window(query: ActivityQuery, keep: timedelta, zone: ZoneInfo, now: datetime) -> CallWindow:
    if query.period == "range" or query.since is not None or query.until is not None:
        return between(query.since, query.until, keep, zone, now)
    match query.period:
        case "today" | "yesterday" as day:
            return of_day(day, zone, now)
        case period:
            return ending_now(period, keep, zone, now)


def _slot_points(
    counted: Sequence[SlotCount], window: CallWindow, query: ActivityQuery, zone: ZoneInfo
) -> Sequence[SlotPoint]:
    by_slot: dict[int, dict[StatusClass, int]] = {}
    for slot_count in counted:
        by_slot.setdefault(slot_count.slot, {})[slot_count.status] = slot_count.calls
    return [_slot_point(at, by_slot.get(at, {}), window, query, zone) for at in range(window.slots)]


def _slot_point(
    at: int, counts: Mapping[StatusClass, int], window: CallWindow, query: ActivityQuery, zone: ZoneInfo
) -> SlotPoint:
    first, last = window.of_slot(at)
    since, until = written_between(first, last, zone)
    here = replace(query, period="24h", since=since, until=until, before=None, after=None)
    urls = {status: url_of(PATH, here, status=status) for status in counts}
    return SlotPoint(first.astimezone(zone).strftime(window.label), counts, url_of(PATH, here), urls)


def _route_point(figures: RouteFigures, query: ActivityQuery) -> RoutePoint:
    method, path = figures.route.method, figures.route.path
    name = f"{method} {path or 'unknown paths'}"
    url = _url(query, method=method, path=path or query.path)
    return RoutePoint(name, url, figures.calls, figures.failed, figures.mean, figures.longest)


def _tiles(figures: CallFigures, query: ActivityQuery) -> Sequence[Tile]:
    failed = _url(query, status="failed") if figures.failed else ""
    deprecated = _url(query, deprecated="yes") if figures.deprecated else ""
    return [
        Tile("Calls", count_text(figures.calls)),
        Tile(
            "Succeeded",
            percent_text(figures.success_ratio) or "–",
            f"{count_text(figures.failed)} failed",
            failed,
        ),
        Tile("Mean duration", "–" if figures.mean is None else duration_text(figures.mean)),
        Tile("95 % take at most", "–" if figures.p95 is None else duration_text(figures.p95)),
        Tile(
            "Deprecated calls", count_text(figures.deprecated), "show them" if deprecated else "", deprecated
        ),
    ]


def _bar(query: ActivityQuery, keys: Sequence[tuple[UUID, str]], clients: Sequence[str]) -> FilterBar:
    fields = [
        period_field(CALL_PERIODS, query.period, query.since, query.until),
        choice_field("method", "Method", query.method, [("", "All"), *((one, one) for one in _METHODS)]),
        text_field("path", "Path", query.path),
        choice_field("status", "Status", query.status, list(_STATUSES.items())),
        text_field("client", "Client", query.client, clients),
        choice_field("key", "Key of", query.key, [("", "All"), *keys]),
        choice_field(
            "deprecated",
            "Deprecated",
            query.deprecated,
            [("", "All"), ("yes", "Deprecated"), ("no", "Not deprecated")],
        ),
    ]
    return FilterBar(PATH, fields, [])


def _url(query: ActivityQuery, **changes: object) -> str:
    """The address of the same calls, from the newest on unless `changes` name a place."""
    return url_of(PATH, query, **{"before": None, "after": None, **changes})


def _place(query: ActivityQuery) -> _Place:
    """The place that a query names. Raises InvalidInput."""
    if query.before is not None and query.after is not None:
        raise InvalidInput.at("after", "cannot be given together with before; give one of the two")
    before, after = _position("before", query.before), _position("after", query.after)
    return _Place(before, after)


def _place_text(call: CallRow) -> str:
    return f"{call.at_us}-{call.id}"


def _position(name: str, text: str | None) -> CallPosition | None:
    """The position that `_place_text` wrote; None for None. Raises InvalidInput for any other text."""
    if text is None:
        return None
    at_us, _, call_id = text.partition("-")
    if not all(one.isascii() and one.isdigit() and len(one) <= 18 for one in (at_us, call_id)):
        raise InvalidInput.at(name, f"{text!r} is no place in the list; start from {PATH}")
    return CallPosition(int(at_us), int(call_id))
