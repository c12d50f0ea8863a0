"""The typical questions of a test engineer: as Runcard answers them, over REST, and as SQL on rows in PostgreSQL."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bench import figures
from bench.copied_runs import DAYS, CopiedRuns, Floor
from bench.figures import Figures
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.activity.durations import durations
from runcard.analytics.questions.activity.phase_durations import TimedPhases, phase_durations
from runcard.analytics.questions.activity.throughput import throughput
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.capability import capability
from runcard.analytics.questions.values.compare import compare
from runcard.analytics.questions.values.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.values.correlation import correlation
from runcard.analytics.questions.values.histogram import histogram
from runcard.analytics.questions.values.outcome_disagreement import Shown, outcome_disagreement
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, pareto
from runcard.analytics.questions.yields.retest import retest
from runcard.analytics.questions.yields.rolled_yield import rolled_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.store.engine.database import Connection
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter

END = datetime(2025, 10, 1, tzinfo=UTC) + timedelta(days=DAYS)
_ZONE = ZoneInfo("Europe/Berlin")
_PHASE, _NAME, _OTHER = "phase_3", "value_3_1", "value_3_2"
_SQL = Path(__file__).parent / "sql"

# Asks about the selected runs.
Ask = Callable[[CopiedRuns, Connection, Selection], Any]


class Question(NamedTuple):
    """A question about the last `days` days.

    path, query: the same over REST; {procedure} stands for the id of the first procedure. sql: name of the statement in
    `sql` that finds the same. figures: makes the rows of that statement from the answer.
    """

    name: str
    days: int
    ask: Ask
    path: str
    query: Mapping[str, str]
    sql: str
    figures: Figures

    def answer(self, copied: CopiedRuns, connection: Connection) -> Any:
        return self.ask(copied, connection, Selection(RunFilter(started_after=self._since)))

    def url(self, floor: Floor) -> tuple[str, Mapping[str, str]]:
        """The path of the question, and its query."""
        query = {name: value.format(procedure=floor.procedure_ids[0]) for name, value in self.query.items()}
        return f"/api/analytics/{self.path}", {"started_after": self._since.isoformat(), **query}

    def statement(self, folder: str = "") -> str | None:
        """The SQL of the question, from `sql` or a folder in it; None if there is no such file."""
        path = _SQL / folder / f"{self.sql}.sql"
        return path.read_text() if path.exists() else None

    def values(self, procedure: int) -> Mapping[str, Any]:
        """The parameters of the statement. procedure: number of the first procedure."""
        names = {"phase": _PHASE, "name": _NAME, "other": _OTHER}
        return {"since": self._since, "procedure": procedure, **names}

    @property
    def _since(self) -> datetime:
        return END - timedelta(days=self.days)


def _snapshot(copied: CopiedRuns, connection: Connection) -> Snapshot:
    return Snapshot(copied.copy, Scope(connection, copied.floor.organization_id))


def _of(question: Callable[..., Any], *more: Any) -> Ask:
    """A question about all runs."""
    return lambda copied, connection, selection: question(_snapshot(copied, connection), selection, *more)


def _of_procedure(question: Callable[..., Any], *more: Any) -> Ask:
    """A question about the first procedure."""

    def ask(copied: CopiedRuns, connection: Connection, selection: Selection) -> Any:
        runs = RunFilter(
            started_after=selection.runs.started_after, procedure_ids=copied.floor.procedure_ids[:1]
        )
        return question(_snapshot(copied, connection), Selection(runs), *more)

    return ask


def _of_one(question: Callable[..., Any], *more: Any) -> Ask:
    """A question about one measurement."""
    return lambda copied, connection, selection: question(
        _snapshot(copied, connection), selection, _measured(copied, _NAME), *more
    )


def _pairs(copied: CopiedRuns, connection: Connection, selection: Selection) -> Any:
    x, y = _measured(copied, _NAME), _measured(copied, _OTHER)
    return correlation(_snapshot(copied, connection), selection, x, y)


def _all_capabilities(copied: CopiedRuns, connection: Connection, selection: Selection) -> Any:
    return capabilities(_snapshot(copied, connection), selection, copied.floor.procedure_ids[0])


def _measured(copied: CopiedRuns, name: str) -> MeasurementSelection:
    return MeasurementSelection(copied.floor.procedure_ids[0], name, _PHASE)


_BERLIN = {"time_zone": "Europe/Berlin"}
_BY_DAY = {"group_by": "day", **_BERLIN}
_BY_WEEK = {"group_by": "week", **_BERLIN}
_THIS = {"procedure_ids": "{procedure}"}
_VALUES = {"procedure_id": "{procedure}", "phase_name": _PHASE, "measurement_name": _NAME, **_BERLIN}
_TWO = {
    "x_procedure_id": "{procedure}",
    "x_phase_name": _PHASE,
    "x_measurement_name": _NAME,
    "y_phase_name": _PHASE,
    "y_measurement_name": _OTHER,
}

QUESTIONS = [
    Question(
        "yield, 365 days",
        365,
        _of(first_pass_yield, _ZONE),
        "yield",
        {},
        "first_pass_yield",
        figures.of_yield,
    ),
    Question(
        "yield a day, 90 days",
        90,
        _of(first_pass_yield, _ZONE, "day"),
        "yield",
        _BY_DAY,
        "first_pass_yield_by_day",
        figures.of_yields,
    ),
    Question(
        "rolled throughput yield, 365 days",
        365,
        _of(rolled_yield),
        "rolled-yield",
        {},
        "rolled_yield",
        figures.of_rolled_yield,
    ),
    Question(
        "throughput a day, 90 days",
        90,
        _of(throughput, _ZONE, "day"),
        "throughput",
        _BY_DAY,
        "throughput_by_day",
        figures.of_throughput,
    ),
    Question("retests, 365 days", 365, _of(retest, _ZONE), "retests", {}, "retest", figures.of_retests),
    Question(
        "phases by failures, 90 days",
        90,
        _of_procedure(pareto, Failing("phases")),
        "pareto",
        {"kind": "phases", **_THIS},
        "phases_by_failures",
        figures.of_failures,
    ),
    Question(
        "measurements by failures, 90 days",
        90,
        _of_procedure(pareto, Failing("measurements")),
        "pareto",
        {"kind": "measurements", **_THIS},
        "measurements_by_failures",
        figures.of_failures,
    ),
    Question(
        "durations of runs a week, 365 days",
        365,
        _of(durations, _ZONE, "week"),
        "durations",
        _BY_WEEK,
        "durations_by_week",
        figures.of_durations,
    ),
    Question(
        "durations of phases, 30 days",
        30,
        _of_procedure(phase_durations, TimedPhases(), _ZONE),
        "phase-durations",
        _THIS,
        "durations_of_phases",
        figures.of_phase_durations,
    ),
    Question(
        "capability of all, 30 days",
        30,
        _all_capabilities,
        "capabilities",
        {"procedure_id": "{procedure}"},
        "capabilities",
        figures.of_capabilities,
    ),
    Question(
        "capability of one, 90 days",
        90,
        _of_one(capability, _ZONE),
        "capability",
        _VALUES,
        "capability",
        figures.of_capability,
    ),
    Question(
        "control chart of the last 500",
        DAYS + 1,
        _of_one(control_chart, ChartSettings(), _ZONE),
        "control-chart",
        _VALUES,
        "control_chart",
        figures.of_control_chart,
    ),
    Question(
        "histogram and percentiles, 90 days",
        90,
        _of_one(histogram, _ZONE),
        "histogram",
        _VALUES,
        "histogram",
        figures.of_histogram,
    ),
    Question(
        "comparison of stations, 30 days",
        30,
        _of_one(compare, _ZONE, "station"),
        "compare",
        {"group_by": "station", **_VALUES},
        "comparison_of_stations",
        figures.of_comparison,
    ),
    Question(
        "correlation of two, 30 days",
        30,
        _pairs,
        "correlation",
        _TWO,
        "correlation",
        figures.of_correlation,
    ),
    Question(
        "outcomes against limits, 30 days",
        30,
        _of_procedure(outcome_disagreement, Shown()),
        "outcome-disagreements",
        _THIS,
        "outcomes_against_limits",
        figures.of_disagreement,
    ),
]
