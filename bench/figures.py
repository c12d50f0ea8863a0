"""The figures of an answer as rows, to compare with the rows that the statement of the same name in `sql` finds.

Figures that follow from others alone, such as shares, intervals and p-values, are in no row.
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
# The number of a run in the copy, and so in PostgreSQL, given its id.
NumberOf = Callable[[UUID], int]
# Makes the rows of an answer.
Figures = Callable[[Any, NumberOf], Rows]

_TOLERANCE = 1e-9
# Counts as zero for figures that are differences of numbers around 1.
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
    """The first place where rows differ, floats by more than a billionth of their size; None if they do not differ."""
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
    return [(row.group.name, *_of_yield(row)) for row in (answer.total, *answer.rows)]


def _of_yield(row: YieldRow) -> Row:
    passed = (row.first_pass.count, row.second_pass.count, row.final.count)
    return (row.units, *passed, row.opportunities, row.defects)


def of_rolled_yield(answer: RolledYieldAnswer, _: NumberOf) -> Rows:
    return [
        (part.part.name, procedure.procedure.name, procedure.first_pass.count, procedure.first_pass.n)
        for part in answer.parts
        for procedure in part.procedures
    ]


def of_throughput(answer: ThroughputAnswer, _: NumberOf) -> Rows:
    return [_of_throughput(row) for row in (answer.total, *answer.rows)]


def _of_throughput(row: ThroughputRow) -> Row:
    counts = [count for outcome in row.outcomes for count in (outcome.runs, outcome.units)]
    return (row.group.name, row.runs, row.units, *counts)


def of_retests(answer: RetestAnswer, _: NumberOf) -> Rows:
    total = answer.total
    page = [
        (row.serial_number, row.procedure.name, row.attempts, row.passed_at, row.last_outcome)
        for row in answer.unit_page
    ]
    return [
        (
            total.units,
            total.retested.count,
            total.passed_after_retest.n,
            total.passed_after_retest.count,
            total.passed_elsewhere.n,
            total.passed_elsewhere.count,
            [(row.attempts, row.units) for row in answer.attempts],
            [(row.first_station.name, row.passing_station.name, row.units) for row in answer.moves] or None,
            answer.units_over,
            page or None,
        )
    ]


def of_failures(answer: ParetoAnswer, _: NumberOf) -> Rows:
    rows = [
        (
            row.sequence_path,
            row.phase,
            *([row.measurement] if row.measurement else []),
            row.failures,
            row.runs,
        )
        for row in answer.rows
    ]
    names = len(answer.rows) + answer.others.names
    return [(answer.n, answer.runs_affected, answer.failures, names, rows)]


def of_durations(answer: DurationsAnswer, _: NumberOf) -> Rows:
    return [
        (None, *_of_durations(answer.total)),
        *((row.group.name, *_of_durations(row.figures)) for row in answer.rows),
    ]


def of_phase_durations(answer: PhaseDurationsAnswer, _: NumberOf) -> Rows:
    rows = [
        (row.sequence_path, row.phase, row.time_share, *_of_durations(row.figures)) for row in answer.phases
    ]
    return [(answer.runs, answer.n, answer.phases_count, rows)]


def _of_durations(durations: DurationFigures) -> Row:
    quantiles = [durations.median_s, durations.p95_s]
    return (durations.n, durations.mean_s, quantiles, durations.min_s, durations.max_s)


def of_capabilities(answer: CapabilitiesAnswer, _: NumberOf) -> Rows:
    return [
        (
            *_of_spec(row.spec),
            row.n,
            row.failed,
            row.mean,
            row.sigma_overall,
            row.sigma_within,
            row.cp,
            row.cpk,
            row.pp,
            row.ppk,
        )
        for row in answer.rows
    ]


def of_capability(answer: CapabilityAnswer, _: NumberOf) -> Rows:
    return [
        (
            *_of_spec(row.spec),
            _microseconds(row.first_at),
            _microseconds(row.last_at),
            row.n,
            row.failed,
            row.mean,
            row.sigma_overall,
            row.sigma_within,
            row.observed.below,
            row.observed.above,
            row.skewness,
            row.percentiles and [row.percentiles.low, row.percentiles.median, row.percentiles.high],
            row.outliers,
            row.normality and row.normality.n,
            row.normality and row.normality.statistic,
        )
        for row in answer.rows
    ]


def of_control_chart(answer: ControlChartAnswer, number_of: NumberOf) -> Rows:
    segments = [
        (*_of_spec(row.spec), row.n, row.centre, row.sigma, row.first, row.last) for row in answer.segments
    ]
    points = [
        (
            number_of(point.run_id),
            _microseconds(point.started_at),
            point.value,
            point.spread,
            point.outcome,
            point.segment,
        )
        for point in answer.points
    ]
    broken = {rule.rule: rule.points for rule in answer.rules}
    rules = [broken.get(name) for name in _RULES]
    changes, beyond = answer.limit_changes or None, answer.spreads_beyond or None
    return [(answer.has_older, segments, points, changes, beyond, *rules)]


def of_histogram(answer: HistogramAnswer, _: NumberOf) -> Rows:
    total = answer.total
    assert total.percentiles is not None
    assert total.box is not None
    percentiles = [getattr(total.percentiles, name) for name in total.percentiles.__struct_fields__]
    box = (total.box.whisker_low, total.box.whisker_high, total.box.outliers)
    limits = [(*_of_spec(row.spec), row.n) for row in answer.limits]
    figures = (total.n, total.mean, total.s, total.lowest, total.highest)
    return [(*figures, percentiles, *box, answer.edges, total.counts, limits)]


def of_comparison(answer: CompareAnswer, _: NumberOf) -> Rows:
    tests = [test and test.statistic for test in (answer.anova, answer.kruskal)]
    return [
        (
            row.group.name,
            row.n,
            row.mean,
            row.s,
            row.ppk,
            row.difference and row.difference.difference,
            _deviation_of([other for other in answer.groups if other is not row]),
            *tests,
        )
        for row in answer.groups
    ]


def _deviation_of(groups: Sequence[ComparedGroup]) -> float | None:
    """The standard deviation of all values of these groups."""
    n = sum(group.n for group in groups)
    mean = sum(group.n * group.mean for group in groups) / n
    squares = sum(
        (group.n - 1) * (group.s or 0) ** 2 + group.n * (group.mean - mean) ** 2 for group in groups
    )
    return math.sqrt(squares / (n - 1)) if n > 1 else None


def of_correlation(answer: CorrelationAnswer, number_of: NumberOf) -> Rows:
    found = answer.correlation
    assert found is not None
    points = [(number_of(point.run_id), point.x, point.y) for point in answer.points]
    return [(answer.n, found.pearson, found.spearman, found.slope, found.intercept, points)]


def of_disagreement(answer: OutcomeDisagreementAnswer, number_of: NumberOf) -> Rows:
    rows = [
        (row.phase, row.sequence_path, row.name, row.n, row.passed_outside, row.failed_inside)
        for row in answer.rows
    ]
    examples = [
        (
            row.kind == "passed_outside",
            number_of(row.run_id),
            _microseconds(row.measured_at),
            *_of_spec(row.spec),
            row.value,
        )
        for row in answer.examples
    ]
    counts = (answer.n, answer.passed_outside, answer.failed_inside, answer.measurements)
    return [(*counts, rows or None, examples or None)]


def _of_spec(spec: Specified) -> Row:
    return (spec.phase, spec.sequence_path, spec.name, spec.uom, spec.lower, spec.upper)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
