"""The figures of one station, and how it compares with other stations on the same procedures."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, get_args
from uuid import UUID

from runcard.analytics.groups import GroupBy
from runcard.analytics.lists.run_lists import latest_runs
from runcard.analytics.questions.activity.station_activity import (
    StationActivity,
    StationState,
    station_activity,
)
from runcard.analytics.questions.activity.station_clock import station_clock
from runcard.analytics.questions.activity.throughput import ThroughputRow, throughput
from runcard.analytics.questions.yields.first_pass_yield import YieldRow, first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import FiguresUnavailable
from runcard.domain.floor.sample import SampleChoice
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.records import RunRecord
from runcard.web.charts.chart import Chart, RatioPoint, ratio_bars
from runcard.web.charts.counts import outcome_stack
from runcard.web.charts.first_pass_yield import yield_tiles
from runcard.web.charts.tiles import Tile
from runcard.web.frame.clocks import clock_error, start_of
from runcard.web.frame.formats import Moment, count_text, duration_text, moment_of
from runcard.web.frame.urls import run_url, station_url
from runcard.web.frame.visit import Visit
from runcard.web.lists.filters import FilterQuery
from runcard.web.lists.page_runs import PageRuns
from runcard.web.lists.point_links import PointLinks

# Runs of samples also show that a station reports.
ANY_UNIT: Sequence[SampleChoice] = get_args(SampleChoice)

# A station is compared with others on this many of the procedures that it reports most.
_COMPARED = 3
_LATEST = 10


class LatestRun(NamedTuple):
    url: str
    serial_number: str
    outcome: str
    procedure: str
    started_at: Moment
    duration: str


class StationFigures(NamedTuple):
    """last_at: when its latest run ever started; None if it has none. clock_error: by how much its clock is wrong;
    empty if it is right. runs: the number of runs of the page, by procedure.
    """

    state: StationState
    last_at: Moment | None
    clock_error: str
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    runs: Mapping[UUID, int]


def station_figures(
    snapshot: Snapshot, visit: Visit, station_id: UUID, floor: Selection, query: FilterQuery
) -> StationFigures | None:
    """The figures of a station among the runs of the whole floor; None if this server has no figures now.

    query: of the page, for links to these runs.
    """
    links = PointLinks(query, floor.runs, "week", visit.zone, {"station": station_id})
    ask = _StationAsk(PageRuns(snapshot, visit, floor), station_id)
    try:
        weeks, rows = ask.runs("week"), ask.runs("procedure")
        procedures = sorted((row for row in rows if row.group.key), key=lambda row: -row.runs)
        runs = {UUID(row.group.key): row.runs for row in procedures}
        activity = ask.activity()
        last_at = activity.last_started_at if activity else None
        return StationFigures(
            state=activity.state(datetime.now(UTC)) if activity else "silent",
            last_at=None if last_at is None else moment_of(last_at, visit.zone),
            clock_error=clock_error(station_clock(snapshot, ask.ever)),
            tiles=[
                *yield_tiles(ask.own_yield()),
                Tile(
                    "Runs",
                    count_text(sum(runs.values())),
                    "all of this station",
                    f"/runs?station={station_id}",
                ),
            ],
            charts=[
                outcome_stack(weeks, "week", links),
                *(ask.compared(row) for row in procedures[:_COMPARED]),
            ],
            runs=runs,
        )
    except FiguresUnavailable:
        return None


def latest_of_station(
    snapshot: Snapshot, visit: Visit, station_id: UUID, floor: Selection
) -> Sequence[LatestRun]:
    """Return the latest runs of a station among those of the floor, the last started first.

    Works on a server without figures too.
    """
    own = _StationAsk(PageRuns(snapshot, visit, floor), station_id).own
    return [_latest_run(run, visit) for run in latest_runs(snapshot, own.counted, _LATEST)]


def _latest_run(run: RunRecord, visit: Visit) -> LatestRun:
    return LatestRun(
        run_url(run.id),
        run.unit.serial_number,
        run.outcome,
        run.procedure.name,
        start_of(run, visit.zone),
        duration_text(run.duration),
    )


class _StationAsk(NamedTuple):
    """floor: the runs of all stations."""

    floor: PageRuns
    station_id: UUID

    @property
    def own(self) -> Selection:
        return self.floor.narrowed(created_by_station_ids=[self.station_id]).selection

    @property
    def ever(self) -> Selection:
        """All runs that the station ever reported."""
        return Selection(RunFilter(created_by_station_ids=[self.station_id], samples=ANY_UNIT))

    def runs(self, group_by: GroupBy) -> Sequence[ThroughputRow]:
        zone = self.floor.visit.zone
        return throughput(self.floor.snapshot, self.own, zone, group_by).rows

    def own_yield(self) -> YieldRow:
        return first_pass_yield(self.floor.snapshot, self.own, self.floor.visit.zone).total

    def activity(self) -> StationActivity | None:
        """The activity of the station over all time; None if it is not in use."""
        found = station_activity(self.floor.snapshot, self.ever).stations
        return next((one for one in found if one.id == self.station_id), None)

    def compared(self, procedure: ThroughputRow) -> Chart:
        key, name = procedure.group.key or "", procedure.group.name or ""
        selection = self.floor.narrowed(procedure_ids=[UUID(key)]).selection
        answer = first_pass_yield(self.floor.snapshot, selection, self.floor.visit.zone, "station")
        points = [
            RatioPoint(
                row.group,
                row.first_pass,
                station_url(UUID(row.group.key)) if row.group.key else "",
                is_aside=row.group.key != str(self.station_id),
            )
            for row in answer.rows
        ]
        return ratio_bars(f"yield-{key}", f"First-pass yield on {name}", points, note="all stations")
