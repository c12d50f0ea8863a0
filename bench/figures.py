"""What an answer says, as the rows that the statement of the same name in `sql` finds: so the two can be compared.

What is made of these figures alone, such as shares, intervals and p-values, is left to whoever has them, and in no row.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from runcard.analytics.questions.activity.durations import DurationFigures, DurationsAnswer
from runcard.analytics.questions.activity.phase_durations import PhaseDurationsAnswer
from runcard.analytics.questions.activity.throughput import ThroughputAnswer, ThroughputRow
from runcard.analytics.questions.values.capabilities import CapabilitiesAnswer
from runcard.analytics.questions.values.capability import CapabilityAnswer
from runcard.analytics.questions.values.compare import CompareAnswer, ComparedGroup
from runcard.analytics.questions.values.control_chart import ControlChartAnswer
from runcard.analytics.questions.values.correlation import CorrelationAnswer
from runcard.analytics.questions.values.histogram import HistogramAnswer
from runcard.analytics.questions.values.outcome_disagreement import OutcomeDisagreementAnswer
from runcard.analytics.questions.yields.first_pass_yield import YieldAnswer, YieldRow
from runcard.analytics.questions.yields.pareto import ParetoAnswer
from runcard.analytics.questions.yields.retest import RetestAnswer
from runcard.analytics.questions.yields.rolled_yield import RolledYieldAnswer
from runcard.analytics.specified import Specified
from runcard.analytics.statistics.control_rules import RuleName

Row = Sequence[Any]
Rows = Sequence[Row]
# The number that the copy, and so PostgreSQL, has of a run.
NumberOf = Callable[[UUID], int]
# Given an answer of the question.
Figures = Callable[[Any, NumberOf], Rows]

_TOLERANCE = 1e-9
# What is called zero where figures are differences of numbers around 1.
_ZERO = 1e-12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RULES: Sequence[RuleName] = (
    "western_electric_1",
    "western_electric_2",
    "western_electric_3",
    "western_electric_4",
    "nelson_2",
    "nelson_3",
    "nelson_4",
    "nelson_7",
    "nelson_8",
)


def difference(ours: Any, theirs: Any, where: str = "") -> str | None:
    """The first place where rows differ, floating-point numbers by more than a billionth of them; None where none."""
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        if len(ours) != len(theirs):
            return f"{where} has {len(ours)} here and {len(theirs)} there"
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next(
            (found for at, pair in pairs if (found := difference(*pair, where=f"{where}[{at}]"))), None
        )
    if (
        isinstance(ours, float | int)
        and isinstance(theirs, float | int)
        and float in (type(ours), type(theirs))
    ):
        are_same = math.isclose(ours, theirs, rel_tol=_TOLERANCE, abs_tol=_ZERO)
    else:
        are_same = ours == theirs
    return None if are_same else f"{where} is {ours!r} here and {theirs!r} there"


def of_yield(answer: YieldAnswer, _: NumberOf) -> Rows:
    return [_of_yield(answer.total)]


def of_yields(answer: YieldAnswer, _: NumberOf) -> Rows:
    return [(one.group.name, *_of_yield(one)) for one in (answer.total, *answer.rows)]


def _of_yield(one: YieldRow) -> Row:
    passed = (one.first_pass.count, one.second_pass.count, one.final.count)
    return (one.units, *passed, one.opportunities, one.defects)


def of_rolled_yield(answer: RolledYieldAnswer, _: NumberOf) -> Rows:
    return [
        (part.part.name, one.procedure.name, one.first_pass.count, one.first_pass.n)
        for part in answer.parts
        for one in part.procedures
    ]


def of_throughput(answer: ThroughputAnswer, _: NumberOf) -> Rows:
    return [_of_throughput(one) for one in (answer.total, *answer.rows)]


def _of_throughput(one: ThroughputRow) -> Row:
    counts = [count for outcome in one.outcomes for count in (outcome.runs, outcome.units)]
    return (one.group.name, one.runs, one.units, *counts)


def of_retests(answer: RetestAnswer, _: NumberOf) -> Rows:
    total = answer.total
    page = [
        (one.serial_number, one.procedure.name, one.attempts, one.passed_at, one.last_outcome)
        for one in answer.unit_page
    ]
    return [
        (
            total.units,
            total.retested.count,
            total.passed_after_retest.n,
            total.passed_after_retest.count,
            total.passed_elsewhere.n,
            total.passed_elsewhere.count,
            [(one.attempts, one.units) for one in answer.attempts],
            [(one.first_station.name, one.passing_station.name, one.units) for one in answer.moves] or None,
            answer.units_over,
            page or None,
        )
    ]


def of_failures(answer: ParetoAnswer, _: NumberOf) -> Rows:
    rows = [
        (
            one.sequence_path,
            one.phase,
            *([one.measurement] if one.measurement else []),
            one.failures,
            one.runs,
        )
        for one in answer.rows
    ]
    names = len(answer.rows) + answer.others.names
    return [(answer.n, answer.runs_affected, answer.failures, names, rows)]


def of_durations(answer: DurationsAnswer, _: NumberOf) -> Rows:
    return [
        (None, *_of_durations(answer.total)),
        *((one.group.name, *_of_durations(one.figures)) for one in answer.rows),
    ]


def of_phase_durations(answer: PhaseDurationsAnswer, _: NumberOf) -> Rows:
    rows = [
        (one.sequence_path, one.phase, one.time_share, *_of_durations(one.figures)) for one in answer.phases
    ]
    return [(answer.runs, answer.n, answer.phases_count, rows)]


def _of_durations(one: DurationFigures) -> Row:
    return (one.n, one.mean_s, [one.median_s, one.p95_s], one.min_s, one.max_s)


def of_capabilities(answer: CapabilitiesAnswer, _: NumberOf) -> Rows:
    return [
        (
            *_of_spec(one.spec),
            one.n,
            one.failed,
            one.mean,
            one.sigma_overall,
            one.sigma_within,
            one.cp,
            one.cpk,
            one.pp,
            one.ppk,
        )
        for one in answer.rows
    ]


def of_capability(answer: CapabilityAnswer, _: NumberOf) -> Rows:
    return [
        (
            *_of_spec(one.spec),
            _microseconds(one.first_at),
            _microseconds(one.last_at),
            one.n,
            one.failed,
            one.mean,
            one.sigma_overall,
            one.sigma_within,
            one.observed.below,
            one.observed.above,
            one.skewness,
            one.percentiles and [one.percentiles.low, one.percentiles.median, one.percentiles.high],
            one.outliers,
            one.normality and one.normality.n,
            one.normality and one.normality.statistic,
        )
        for one in answer.rows
    ]


def of_control_chart(answer: ControlChartAnswer, number_of: NumberOf) -> Rows:
    segments = [
        (*_of_spec(one.spec), one.n, one.centre, one.sigma, one.first, one.last) for one in answer.segments
    ]
    points = [
        (
            number_of(one.run_id),
            _microseconds(one.started_at),
            one.value,
            one.spread,
            one.outcome,
            one.segment,
        )
        for one in answer.points
    ]
    broken = {one.rule: one.points for one in answer.rules}
    rules = [broken.get(name) for name in _RULES]
    changes, beyond = answer.limit_changes or None, answer.spreads_beyond or None
    return [(answer.has_older, segments, points, changes, beyond, *rules)]


def of_histogram(answer: HistogramAnswer, _: NumberOf) -> Rows:
    total = answer.total
    assert total.percentiles is not None
    assert total.box is not None
    percentiles = [getattr(total.percentiles, name) for name in total.percentiles.__struct_fields__]
    box = (total.box.whisker_low, total.box.whisker_high, total.box.outliers)
    limits = [(*_of_spec(one.spec), one.n) for one in answer.limits]
    figures = (total.n, total.mean, total.s, total.lowest, total.highest)
    return [(*figures, percentiles, *box, answer.edges, total.counts, limits)]


def of_comparison(answer: CompareAnswer, _: NumberOf) -> Rows:
    tests = [one and one.statistic for one in (answer.anova, answer.kruskal)]
    return [
        (
            one.group.name,
            one.n,
            one.mean,
            one.s,
            one.ppk,
            one.difference and one.difference.difference,
            _deviation_of([other for other in answer.groups if other is not one]),
            *tests,
        )
        for one in answer.groups
    ]


def _deviation_of(groups: Sequence[ComparedGroup]) -> float | None:
    """The standard deviation of all values of some groups."""
    n = sum(one.n for one in groups)
    mean = sum(one.n * one.mean for one in groups) / n
    squares = sum((one.n - 1) * (one.s or 0) ** 2 + one.n * (one.mean - mean) ** 2 for one in groups)
    return math.sqrt(squares / (n - 1)) if n > 1 else None


def of_correlation(answer: CorrelationAnswer, number_of: NumberOf) -> Rows:
    found = answer.correlation
    assert found is not None
    points = [(number_of(one.run_id), one.x, one.y) for one in answer.points]
    return [(answer.n, found.pearson, found.spearman, found.slope, found.intercept, points)]


def of_disagreement(answer: OutcomeDisagreementAnswer, number_of: NumberOf) -> Rows:
    rows = [
        (one.phase, one.sequence_path, one.name, one.n, one.passed_outside, one.failed_inside)
        for one in answer.rows
    ]
    examples = [
        (
            one.kind == "passed_outside",
            number_of(one.run_id),
            _microseconds(one.measured_at),
            *_of_spec(one.spec),
            one.value,
        )
        for one in answer.examples
    ]
    counts = (answer.n, answer.passed_outside, answer.failed_inside, answer.measurements)
    return [(*counts, rows or None, examples or None)]


def _of_spec(spec: Specified) -> Row:
    return (spec.phase, spec.sequence_path, spec.name, spec.uom, spec.lower, spec.upper)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
