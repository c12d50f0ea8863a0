"""What happens on the floor, at a glance."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.asking import Selection
from runcard.analytics.columnar_copy import ColumnarCopy
from runcard.analytics.first_pass_yield import YieldAnswer, first_pass_yield
from runcard.analytics.groups import GroupBy
from runcard.analytics.station_activity import StationActivity, station_activity
from runcard.edge.deps import WithParts
from runcard.store.choices import list_choices
from runcard.store.database import Connection
from runcard.store.pages import Page
from runcard.store.run_records import RunRecord, list_runs
from runcard.web.charts import Chart, RatioPoint, ratio_bars, ratio_trend
from runcard.web.filters import FilterBar, FilterQuery, filter_bar, page_query, selection_of, url_of
from runcard.web.formats import Moment, count_text, moment_of
from runcard.web.render import render
from runcard.web.visit import Visit, WithVisit
from runcard.web.yields import Tile, yield_tiles

router = APIRouter()

_FAILURES = 8


class FailureLine(NamedTuple):
    url: str
    serial_number: str
    outcome: str
    procedure: str
    station: str
    started_at: Moment


class StationLine(NamedTuple):
    """last_at: None where it has never reported among these runs."""

    url: str
    name: str
    is_active: bool
    runs: str
    last_at: Moment | None


class OverviewPage(NamedTuple):
    """here: the address of this page, from which it brings itself up to date."""

    here: str
    filters: FilterBar
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    failures: Sequence[FailureLine]
    stations: Sequence[StationLine]


@router.get("/")
def show_overview(
    parts: WithParts, visit: WithVisit, asked: Annotated[FilterQuery, page_query(FilterQuery)]
) -> Response:
    now = datetime.now(UTC)
    selection = selection_of(asked, visit.zone, now)
    with parts.database.read() as connection:
        ask = _Ask(parts.copy, connection, visit, selection)
        by_day, by_procedure = ask.yields(_step(asked)), ask.yields("procedure")
        activity = ask.stations()
        failures = ask.failures()
        choices = list_choices(connection, visit.actor.organization_id)
    page = OverviewPage(
        here=url_of("/", asked),
        filters=filter_bar("/", asked, choices, without=("revision", "version", "batch", "sample")),
        tiles=_tiles(by_day, activity, now),
        charts=[
            ratio_trend(
                "trend", "First-pass yield", [RatioPoint(row.group, row.first_pass) for row in by_day.rows]
            ),
            ratio_bars(
                "procedures",
                "First-pass yield by procedure",
                [RatioPoint(row.group, row.first_pass) for row in by_procedure.rows],
            ),
        ],
        failures=[_failure(run, visit) for run in failures],
        stations=[_station(one, asked, visit, now) for one in activity],
    )
    return render("overview.html", page, visit)


class _Ask(NamedTuple):
    copy: ColumnarCopy | None
    connection: Connection
    visit: Visit
    selection: Selection

    def yields(self, group_by: GroupBy) -> YieldAnswer:
        home = self.visit.actor.organization_id
        return first_pass_yield(self.copy, self.connection, home, self.selection, self.visit.zone, group_by)

    def stations(self) -> Sequence[StationActivity]:
        home = self.visit.actor.organization_id
        return station_activity(self.copy, self.connection, home, self.selection).stations

    def failures(self) -> Sequence[RunRecord]:
        failed = replace(self.selection.runs, outcomes=["FAIL"])
        home = self.visit.actor.organization_id
        return list_runs(self.connection, home, failed, "started_at", Page(_FAILURES), descending=True).rows


def _step(asked: FilterQuery) -> GroupBy:
    """How finely time is divided, so that a chart has some tens of points."""
    steps: dict[str, GroupBy] = {"today": "hour", "365": "week", "all": "month"}
    return "day" if asked.since or asked.until else steps.get(asked.period, "day")


def _tiles(answer: YieldAnswer, stations: Sequence[StationActivity], now: datetime) -> Sequence[Tile]:
    active = sum(one.is_active(now) for one in stations)
    return [
        *yield_tiles(answer.total),
        Tile("Runs", count_text(sum(one.runs for one in stations)), "reported by stations"),
        Tile("Stations", f"{active} active", f"{len(stations) - active} silent"),
    ]


def _failure(run: RunRecord, visit: Visit) -> FailureLine:
    recorder = run.created_by_station or run.created_by_user
    return FailureLine(
        f"/runs/{run.id}",
        run.unit.serial_number,
        run.outcome,
        run.procedure.name,
        recorder.name if recorder else "",
        moment_of(run.started_at, visit.zone),
    )


def _station(one: StationActivity, asked: FilterQuery, visit: Visit, now: datetime) -> StationLine:
    last = None if one.last_started_at is None else moment_of(one.last_started_at, visit.zone)
    return StationLine(
        url_of("/", asked, station=one.id), one.name, one.is_active(now), count_text(one.runs), last
    )
