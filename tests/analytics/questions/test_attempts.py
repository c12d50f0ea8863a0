"""Which runs of a unit the questions count, and that they say so."""

from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from runcard.analytics.answers import Answer
from runcard.analytics.attempts import Attempts
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.activity.procedure_activity import procedure_activity
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.capability import capability
from runcard.analytics.questions.values.compare import compare
from runcard.analytics.questions.values.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.values.correlation import correlation
from runcard.analytics.questions.values.histogram import histogram
from runcard.analytics.questions.values.outcome_disagreement import Shown, outcome_disagreement
from runcard.analytics.questions.values.small_histograms import small_histograms
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, pareto
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.runs.measurement import Measurement
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.written import Writing, Written, run_of

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter())

Ask = Callable[[Snapshot, Selection, MeasurementSelection], Answer]
QUESTIONS: dict[str, tuple[Ask, Attempts]] = {
    "capability": (lambda asked, wanted, one: capability(asked, wanted, one, UTC), "last"),
    "capabilities": (lambda asked, wanted, one: capabilities(asked, wanted, one.procedure_id), "last"),
    "histogram": (lambda asked, wanted, one: histogram(asked, wanted, one, UTC), "all"),
    "compare": (lambda asked, wanted, one: compare(asked, wanted, one, UTC, "station"), "all"),
    "correlation": (lambda asked, wanted, one: correlation(asked, wanted, one, one), "all"),
    "control chart": (
        lambda asked, wanted, one: control_chart(asked, wanted, one, ChartSettings(), UTC),
        "all",
    ),
    "pareto": (lambda asked, wanted, _: pareto(asked, wanted, Failing("measurements")), "all"),
    "disagreement": (lambda asked, wanted, _: outcome_disagreement(asked, wanted, Shown(5, 5)), "all"),
}
every_question = pytest.mark.parametrize(("ask", "usual"), QUESTIONS.values(), ids=list(QUESTIONS))


@pytest.fixture(scope="module")
def retested(tmp_path_factory: pytest.TempPathFactory, written: Writing) -> Iterator[Written]:
    """Four units that were measured once, and a bad one that was measured five times and was good in the end."""
    values = [1.0, 1.1, 0.9, 1.0, 5.0, 5.0, 5.0, 5.0, 1.2]
    reports = [run_of(number, _measured(value)) for number, value in enumerate(values)]
    bad = [replace(one, serial_number="BAD") for one in reports[4:]]
    with written(tmp_path_factory.mktemp("retested"), [*reports[:4], *bad]) as floor:
        yield floor


@every_question
@pytest.mark.parametrize(("attempts", "n"), [("first", 5), ("first_completed", 5), ("last", 5), ("all", 9)])
def test_a_question_counts_the_runs_that_are_asked_for(
    retested: Written, ask: Ask, usual: Attempts, attempts: Attempts, n: int
):
    del usual
    answer = ask(retested.snapshot, Selection(RunFilter(), attempts), _m(retested))
    assert (answer.n, answer.window.attempts) == (n, attempts)


@every_question
def test_where_nothing_is_said_those_count_that_are_usual(retested: Written, ask: Ask, usual: Attempts):
    answer = ask(retested.snapshot, EVERYTHING, _m(retested))
    assert answer.window.attempts == usual
    same = ask(retested.snapshot, Selection(RunFilter(), usual), _m(retested))
    assert answer.n == same.n


def test_a_bad_unit_weighs_once_however_often_it_is_measured(retested: Written):
    [row] = capability(retested.snapshot, EVERYTHING, _m(retested), UTC).rows
    assert row.n == 5
    assert row.mean == pytest.approx(1.04)
    [every] = capability(retested.snapshot, Selection(RunFilter(), "all"), _m(retested), UTC).rows
    assert every.n == 9
    assert every.mean == pytest.approx(25.2 / 9)


def test_small_histograms_are_of_the_values_beside_them(retested: Written):
    rows = capabilities(retested.snapshot, EVERYTHING, retested.procedure_id).rows
    [small] = small_histograms(retested.snapshot, EVERYTHING, retested.procedure_id, rows)
    assert sum(small.counts) == rows[0].n == 5


@pytest.mark.parametrize("attempts", ["first", "last", "all", None])
def test_a_yield_is_of_first_runs_and_says_so(retested: Written, attempts: Attempts | None):
    wanted = Selection(RunFilter(), attempts)
    answer = first_pass_yield(retested.snapshot, wanted, UTC)
    assert (answer.n, answer.window.attempts) == (5, "first")
    [activity] = procedure_activity(retested.snapshot, wanted).values()
    assert activity.first_pass == answer.total.first_pass
    assert activity.runs == (9 if attempts in ("all", None) else 5)


def _m(retested: Written) -> MeasurementSelection:
    return MeasurementSelection(retested.procedure_id, "m")


def _measured(value: float) -> Measurement:
    outcome: Any = "PASS" if value < 2 else "FAIL"
    return Measurement("m", outcome, value, upper_limit=2.0)
