"""The overview: what happens on the floor, at a glance."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Request
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.answers import Freshness
from runcard.analytics.questions.yields.retest import RetestRow
from runcard.analytics.snapshot import Snapshot
from runcard.edge.requests.services import Services, WithServices
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import list_choices
from runcard.store.lists.run_filter import RunFilter
from runcard.store.procedures.rows import list_procedures
from runcard.store.runs.records import list_latest_runs
from runcard.web.charts.chart import Chart, RatioPoint, ratio_bars, ratio_trend
from runcard.web.charts.counts import outcome_stack
from runcard.web.charts.first_pass_yield import yield_tiles
from runcard.web.charts.tiles import Tile
from runcard.web.floor.glance import Floor, LatestFailure, Stations, WorstLine
from runcard.web.floor.kiosk import kiosk_page
from runcard.web.frame.formats import count_text, percent_text
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import (
    FigureQuery,
    FilterBar,
    attempts_field,
    filter_bar,
    filters_of,
    page_query,
    selection_of,
    url_of,
)
from runcard.web.lists.period import step_of
from runcard.web.lists.point_links import PointLinks
from runcard.web.lists.run_query import runs_url
from runcard.web.people.first_run import SOME_PROCEDURE, Snippet, snippets

router = APIRouter()


class OverviewQuery(FigureQuery, kw_only=True):
    """kiosk: which slide to show on a screen on the wall."""

    kiosk: Annotated[int, Meta(ge=1, le=1000)] | None = None


class OverviewPage(NamedTuple):
    """here: the address of this page, from which it refreshes itself. kiosk_url: for a screen on the wall.

    behind: how many changes the figures do not count yet, as a sentence; empty if they are current.
    """

    here: str
    kiosk_url: str
    behind: str
    filters: FilterBar
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    failures: Sequence[LatestFailure]
    stations: Stations
    worst: Sequence[WorstLine]
    voided: int


class WelcomePage(NamedTuple):
    """The overview before the first run is recorded. has_procedure: there is a procedure to record a run of."""

    organization: str
    has_procedure: bool
    snippets: Sequence[Snippet]


@router.get("/")
def show_overview(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    query: Annotated[OverviewQuery, page_query(OverviewQuery)],
) -> Response:
    organization_id, now = visit.actor.organization_id, datetime.now(UTC)
    selection = selection_of(query, visit.zone, now)
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        if not list_latest_runs(scope, RunFilter(), 1).rows:
            return render("floor/welcome.html", _welcome(request, services, scope, visit), visit)
        floor = Floor(snapshot, visit, selection)
        if query.kiosk is not None:
            return render("floor/kiosk.html", kiosk_page(floor, filters_of(query), query.kiosk, now))
        page = _overview(floor, query, now)
    return render("floor/overview.html", page, visit)


@router.get("/first-run")
def tell_first_run(services: WithServices, visit: WithVisit) -> Response:
    """An empty answer. Once the first run is recorded, it tells the page to reload."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        is_there = list_latest_runs(scope, RunFilter(), 1).rows
    return Response(status_code=204, headers={"HX-Refresh": "true"} if is_there else {})


def _overview(floor: Floor, query: OverviewQuery, now: datetime) -> OverviewPage:
    step = step_of(query)
    links = PointLinks(query, floor.selection.runs, step, floor.visit.zone, {})
    over_time, by_procedure = floor.yields(step), floor.yields("procedure")
    runs, stations = floor.throughput(step), floor.stations(now)
    choices = list_choices(floor.snapshot.scope)
    return OverviewPage(
        here=url_of("/", query),
        kiosk_url=url_of("/", query, kiosk=1),
        behind=_behind(runs.freshness),
        filters=filter_bar(
            "/",
            query,
            choices,
            without=("revision", "version", "batch", "sample"),
            more=[attempts_field(query)],
        ),
        tiles=[
            Tile(
                "Runs today",
                count_text(floor.runs_today(now)),
                "up to now",
                runs_url(query, period="today", since=None, until=None),
            ),
            Tile("Runs", count_text(runs.total.runs), "in the period", runs_url(query)),
            *yield_tiles(over_time.total),
            _retest_tile(floor.retests()),
            _station_tile(stations),
        ],
        charts=[
            ratio_trend(
                "trend",
                "First-pass yield",
                [RatioPoint(row.group, row.first_pass, links(row.group)) for row in over_time.rows],
                step,
            ),
            outcome_stack(runs.rows, step, links),
            ratio_bars(
                "procedures",
                "First-pass yield by procedure",
                [
                    RatioPoint(
                        row.group,
                        row.first_pass,
                        url_of(
                            f"/procedures/{row.group.key}", filters_of(query), procedure=None, tab="yield"
                        ),
                    )
                    for row in by_procedure.rows
                ],
            ),
        ],
        failures=floor.failures(),
        stations=stations,
        worst=floor.worst(query),
        voided=floor.snapshot.voided,
    )


def _behind(freshness: Freshness) -> str:
    return (
        "" if freshness.is_current else f"{count_text(freshness.changes_behind)} changes are not counted yet."
    )


def _welcome(request: Request, services: Services, scope: Scope, visit: Visit) -> WelcomePage:
    procedures = list_procedures(scope, in_use=True)
    root = services.links.root(str(request.base_url))
    procedure = procedures[0].identifier if procedures else SOME_PROCEDURE
    return WelcomePage(visit.organization_name, bool(procedures), snippets(root, "YOUR_API_KEY", procedure))


def _retest_tile(total: RetestRow) -> Tile:
    passed = percent_text(total.passed_after_retest.ratio)
    return Tile(
        "Retested",
        percent_text(total.retested.ratio) or "–",
        f"{passed} of first failures passed on retest" if passed else "",
    )


def _station_tile(stations: Stations) -> Tile:
    new = f", {count_text(stations.new)} new" if stations.new else ""
    silent = f"{count_text(len(stations.silent))} silent{new}"
    return Tile("Active stations", count_text(stations.active), silent, "/stations?state=silent")
