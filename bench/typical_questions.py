"""The typical questions of a test engineer, each as Runcard answers it and as SQL on rows in PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from bench.copied_runs import DAYS, CopiedRuns
from runcard.analytics.asking import Selection, Snapshot
from runcard.analytics.measured import Measured
from runcard.analytics.questions.capabilities import capabilities
from runcard.analytics.questions.capability import capability
from runcard.analytics.questions.compare import compare
from runcard.analytics.questions.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.correlation import correlation
from runcard.analytics.questions.durations import durations
from runcard.analytics.questions.first_pass_yield import first_pass_yield
from runcard.analytics.questions.histogram import histogram
from runcard.analytics.questions.outcome_disagreement import Shown, outcome_disagreement
from runcard.analytics.questions.pareto import Failing, pareto
from runcard.analytics.questions.phase_durations import TimedPhases, phase_durations
from runcard.analytics.questions.retest import retest
from runcard.analytics.questions.rolled_yield import rolled_yield
from runcard.analytics.questions.throughput import throughput
from runcard.store.database import Connection
from runcard.store.run_filter import RunFilter

_END = datetime(2025, 10, 1, tzinfo=UTC) + timedelta(days=DAYS)
_ZONE = ZoneInfo("Europe/Berlin")
_PHASE, _NAME, _OTHER = "phase_3", "value_3_1", "value_3_2"

Ask = Callable[[CopiedRuns, Connection], Any]


class Question(NamedTuple):
    """rows_sql: the same, or its heart, on the tables of `rows`; None where nobody would do it in SQL."""

    name: str
    ask: Ask
    rows_sql: str | None


def _since(days: int, copied: CopiedRuns | None = None) -> Selection:
    """The last so many days, of the first procedure where the floor is given."""
    procedures = None if copied is None else copied.floor.procedure_ids[:1]
    return Selection(RunFilter(started_after=_END - timedelta(days=days), procedure_ids=procedures))


def _measured(copied: CopiedRuns, name: str = _NAME) -> Measured:
    return Measured(copied.floor.procedure_ids[0], name, _PHASE)


def _snapshot(copied: CopiedRuns, connection: Connection) -> Snapshot:
    return Snapshot(copied.copy, connection, copied.floor.home)


def _of(
    question: Callable[..., Any], days: int, *more: Any, one_procedure: bool = False, **named: Any
) -> Ask:
    """A question about the last so many days."""
    return lambda c, connection: question(
        _snapshot(c, connection), _since(days, c if one_procedure else None), *more, **named
    )


def _of_one(question: Callable[..., Any], days: int, *more: Any) -> Ask:
    """A question about one measurement."""
    return lambda c, connection: question(_snapshot(c, connection), _since(days), _measured(c), *more)


def _pairs(copied: CopiedRuns, connection: Connection) -> Any:
    x, y = _measured(copied), _measured(copied, _OTHER)
    return correlation(_snapshot(copied, connection), _since(30), x, y)


def _all_capabilities(days: int) -> Ask:
    return lambda c, connection: capabilities(
        _snapshot(c, connection), _since(days), c.floor.procedure_ids[0]
    )


_FIRST = "attempt = 1 AND sample IS NULL AND started_at >= now_is() - INTERVAL '{} days'"
_RUNS = "r.sample IS NULL AND r.started_at >= now_is() - INTERVAL '{} days'"
_ONE = (
    "FROM measurements m JOIN runs r USING (run) WHERE m.procedure = 1 AND m.phase = 'phase_3' AND m.name = '{name}' "
    "AND m.started_at >= now_is() - INTERVAL '{days} days' AND r.sample IS NULL"
)
_MOMENTS = "count(*), avg(num), stddev_samp(num), min(lower), min(upper)"

QUESTIONS = [
    Question(
        "yield, 365 days",
        _of(first_pass_yield, 365, _ZONE),
        "SELECT count(*), count(*) FILTER (WHERE passed_at = 1), count(*) FILTER (WHERE passed_at <= 2), "
        f"count(*) FILTER (WHERE last_outcome = 'PASS') FROM runs WHERE {_FIRST.format(365)}",
    ),
    Question(
        "yield a day, 90 days",
        _of(first_pass_yield, 90, _ZONE, "day"),
        "SELECT date_trunc('day', started_at), count(*), count(*) FILTER (WHERE passed_at = 1) "
        f"FROM runs WHERE {_FIRST.format(90)} GROUP BY 1",
    ),
    Question(
        "rolled throughput yield, 365 days",
        _of(rolled_yield, 365),
        "SELECT part, procedure, count(*), count(*) FILTER (WHERE passed_at = 1) "
        f"FROM runs WHERE {_FIRST.format(365)} GROUP BY 1, 2",
    ),
    Question(
        "throughput a day, 90 days",
        _of(throughput, 90, _ZONE, "day"),
        "SELECT date_trunc('day', r.started_at), r.outcome, count(*), count(DISTINCT r.unit) "
        f"FROM runs r WHERE {_RUNS.format(90)} GROUP BY 1, 2",
    ),
    Question(
        "retests, 365 days",
        _of(retest, 365, _ZONE),
        "SELECT attempts, count(*), count(*) FILTER (WHERE passed_at > 1) "
        f"FROM runs WHERE {_FIRST.format(365)} GROUP BY 1",
    ),
    Question(
        "phases by failures, 90 days",
        _of(pareto, 90, Failing("phases"), one_procedure=True),
        "SELECT p.name, count(*), count(DISTINCT p.run) FROM phases p JOIN runs r USING (run) "
        f"WHERE p.outcome IN ('FAIL', 'ERROR') AND r.procedure = 1 AND {_RUNS.format(90)} GROUP BY 1 ORDER BY 2 DESC",
    ),
    Question(
        "measurements by failures, 90 days",
        _of(pareto, 90, Failing("measurements"), one_procedure=True),
        "SELECT m.phase, m.name, count(*), count(DISTINCT m.run) FROM measurements m JOIN runs r USING (run) "
        f"WHERE m.outcome = 'FAIL' AND r.procedure = 1 AND {_RUNS.format(90)} GROUP BY 1, 2 ORDER BY 3 DESC",
    ),
    Question(
        "durations of runs a week, 365 days",
        _of(durations, 365, _ZONE, "week"),
        "SELECT date_trunc('week', r.started_at), avg(r.ended_at - r.started_at), "
        "percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM r.ended_at - r.started_at)) "
        f"FROM runs r WHERE {_RUNS.format(365)} GROUP BY 1",
    ),
    Question(
        "durations of phases, 30 days",
        _of(phase_durations, 30, TimedPhases(), _ZONE, one_procedure=True),
        "SELECT p.name, count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP "
        "(ORDER BY extract(epoch FROM p.ended_at - p.started_at)) FROM phases p JOIN runs r USING (run) "
        f"WHERE r.procedure = 1 AND {_RUNS.format(30)} GROUP BY 1",
    ),
    Question(
        "capability of all, 30 days",
        _all_capabilities(30),
        f"SELECT m.phase, m.name, {_MOMENTS} FROM measurements m JOIN runs r USING (run) "
        f"WHERE r.procedure = 1 AND {_RUNS.format(30)} GROUP BY 1, 2",
    ),
    Question(
        "capability of one, 90 days",
        _of_one(capability, 90, _ZONE),
        f"SELECT {_MOMENTS}, percentile_cont(ARRAY[0.00135, 0.5, 0.99865]) WITHIN GROUP (ORDER BY num) "
        + _ONE.format(name=_NAME, days=90),
    ),
    Question(
        "control chart of the last 500",
        _of_one(control_chart, DAYS + 1, ChartSettings(), _ZONE),
        "SELECT m.run, m.started_at, m.num, m.lower, m.upper, m.outcome "
        + _ONE.format(name=_NAME, days=DAYS + 1)
        + " ORDER BY m.started_at DESC LIMIT 500",
    ),
    Question(
        "histogram and percentiles, 90 days",
        _of_one(histogram, 90, _ZONE),
        "SELECT width_bucket(num, 3.5, 6.5, 50), count(*) "
        + _ONE.format(name=_NAME, days=90)
        + " GROUP BY 1",
    ),
    Question(
        "comparison of stations, 30 days",
        _of_one(compare, 30, _ZONE, "station"),
        f"SELECT r.station, {_MOMENTS} " + _ONE.format(name=_NAME, days=30) + " GROUP BY 1",
    ),
    Question(
        "correlation of two, 30 days",
        _pairs,
        "SELECT corr(a.num, b.num), regr_slope(b.num, a.num), count(*) FROM "
        f"(SELECT m.run, m.num {_ONE.format(name=_NAME, days=30)}) a "
        f"JOIN (SELECT m.run, m.num {_ONE.format(name=_OTHER, days=30)}) b USING (run)",
    ),
    Question(
        "outcomes against limits, 30 days",
        _of(outcome_disagreement, 30, Shown(), one_procedure=True),
        "SELECT m.phase, m.name, count(*) FROM measurements m JOIN runs r USING (run) "
        "WHERE (m.outcome = 'PASS') <> (m.num >= coalesce(m.lower, m.num) AND m.num <= coalesce(m.upper, m.num)) "
        f"AND r.procedure = 1 AND {_RUNS.format(30)} GROUP BY 1, 2",
    ),
]
