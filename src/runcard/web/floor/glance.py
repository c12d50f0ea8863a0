"""The figures of the floor that the overview and the screen on the wall share."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from typing import NamedTuple, Self
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.groups import GroupBy
from runcard.analytics.lists.run_lists import latest_runs
from runcard.analytics.questions.activity.procedure_activity import ProcedureActivity, procedure_activity
from runcard.analytics.questions.activity.station_activity import StationActivity, station_activity
from runcard.analytics.questions.activity.throughput import ThroughputAnswer, count_runs, throughput
from runcard.analytics.questions.yields.first_pass_yield import YieldAnswer, first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, ParetoRow, pareto
from runcard.analytics.questions.yields.retest import RetestRow, retest_total
from runcard.store.runs.records import RunRecord
from runcard.web.frame.clocks import start_of
from runcard.web.frame.formats import Moment, count_text, moment_of, percent_text
from runcard.web.frame.urls import station_url
from runcard.web.frame.visit import Visit
from runcard.web.lists.filters import FigureQuery, filters_of, url_of
from runcard.web.lists.page_runs import PageRuns
from runcard.web.lists.run_columns import created_by_name

_FAILURES = 8
_WORST = 8
# How many silent stations are listed.
SHOWN_STATIONS = 8


class Floor(PageRuns):
    """The questions that a reader's overview asks about the runs of a selection."""

    def of_procedure(self, procedure_id: UUID) -> Self:
        return self.narrowed(procedure_ids=[procedure_id])

    def yields(self, group_by: GroupBy) -> YieldAnswer:
        return first_pass_yield(self.snapshot, self.selection, self.visit.zone, group_by)

    def throughput(self, group_by: GroupBy) -> ThroughputAnswer:
        return throughput(self.snapshot, self.selection, self.visit.zone, group_by)

    def runs_today(self, now: datetime) -> int:
        """How many runs of the selection started today, whatever its period. Runs that start after now do not count."""
        midnight = datetime.combine(now.astimezone(self.visit.zone), time(), self.visit.zone)
        today = self.narrowed(started_after=midnight, started_before=now)
        return count_runs(self.snapshot, today.selection)

    def retests(self) -> RetestRow:
        return retest_total(self.snapshot, self.selection, self.visit.zone)

    def procedures(self) -> dict[UUID, ProcedureActivity]:
        """The procedures of these runs, those with the most runs first."""
        return dict(procedure_activity(self.snapshot, self.selection))

    def stations(self, now: datetime) -> "Stations":
        found = station_activity(self.snapshot, self.selection).stations
        states = Counter(one.state(now) for one in found)
        silent = [_station(one, self.visit) for one in found if one.state(now) == "silent"]
        return Stations(silent, states["active"], states["new"])

    def failures(self) -> Sequence["LatestFailure"]:
        """The latest runs that failed."""
        failed = replace(self.selection.counted, outcomes=["FAIL"])
        return [_failure(run, self.visit) for run in latest_runs(self.snapshot, failed, _FAILURES)]

    def worst(self, query: FigureQuery) -> Sequence["WorstLine"]:
        """The measurements that failed most."""
        failing = Failing("measurements", top=_WORST)
        rows = pareto(self.snapshot, self.selection, failing).rows
        return [_worst(row, query) for row in rows]


class LatestFailure(NamedTuple):
    url: str
    serial_number: str
    outcome: str
    procedure: str
    station: str
    started_at: Moment


class StationGlance(NamedTuple):
    """last_at: when it reported last; None if none of these runs is its own."""

    url: str
    name: str
    runs: str
    last_at: Moment | None


class Stations(NamedTuple):
    """silent: stations that need a look, the last to report first. active, new: how many other stations there are."""

    silent: Sequence[StationGlance]
    active: int
    new: int

    @property
    def shown(self) -> Sequence[StationGlance]:
        return self.silent[:SHOWN_STATIONS]


class WorstLine(NamedTuple):
    """share: of all failed measurements."""

    url: str
    name: str
    procedure: str
    failures: str
    share: str


def _failure(run: RunRecord, visit: Visit) -> LatestFailure:
    return LatestFailure(
        f"/runs/{run.id}",
        run.unit.serial_number,
        run.outcome,
        run.procedure.name,
        created_by_name(run),
        start_of(run, visit.zone),
    )


def _station(activity: StationActivity, visit: Visit) -> StationGlance:
    last = activity.last_started_at
    return StationGlance(
        station_url(activity.id),
        activity.name,
        count_text(activity.runs),
        None if last is None else moment_of(last, visit.zone),
    )


def _worst(row: ParetoRow, query: FigureQuery) -> WorstLine:
    name = row.measurement or row.phase
    url = url_of(
        f"/procedures/{row.procedure.key}/measurements",
        filters_of(query),
        procedure=None,
        name=name,
        phase=row.phase,
    )
    return WorstLine(url, name, row.procedure.name or "", count_text(row.failures), percent_text(row.share))
