"""Capability of a measurement, against the record as dataframes."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.analytics.groups import ALL, GroupBy
from runcard.analytics.left_out import LeftOut
from runcard.analytics.measured import MeasurementSelection, SpecRow
from runcard.analytics.measured_values import Values
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.capability import (
    CapabilityAnswer,
    CapabilityRow,
    Within,
    _row,
    capability,
)
from runcard.analytics.questions.values.whole import whole_of
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.sample import SampleChoice
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_attempts, every_filter, every_group, selection
from tests.analytics.truth import group_names, selected_runs
from tests.analytics.written import START, Writing, Written, run_of

UTC = ZoneInfo("UTC")
EVERYTHING: list[SampleChoice] = ["production", "golden", "failing", "ignored"]
# Measured by every procedure, with an upper limit, and in phases that are repeated.
CONTACT = "contact_resistance"


@every_filter
def test_figures_are_those_of_the_record(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    for procedure, name in ((0, "rail_5v"), (1, CONTACT)):
        measured = MeasurementSelection(_procedure(line, procedure), name)
        answer = ask(line, wanted, measured)
        expected = _expected(line, wanted, measured)
        assert _told(answer) == expected
        assert answer.n == sum(row.n for row in answer.rows)
        assert answer.is_exact


@every_attempts
@pytest.mark.parametrize("only_final", [True, False])
def test_attempts_and_retries(line: Line, attempts: Any, only_final: bool):
    wanted = selection(line, "everything", attempts)
    measured = MeasurementSelection(_procedure(line, 0), CONTACT, only_final=only_final)
    assert _told(ask(line, wanted, measured)) == _expected(line, wanted, measured)


@every_group
def test_groups_share_out_the_values(line: Line, group_by: GroupBy):
    wanted = Selection(RunFilter(samples=EVERYTHING))
    measured = MeasurementSelection(_procedure(line, 0), "rail_3v3")
    answer = ask(line, wanted, measured, group_by)
    assert _told(answer) == _expected(line, wanted, measured, group_by)
    assert answer.n == ask(line, wanted, measured).n
    names = [row.group.name for row in answer.rows if row.group.name is not None]
    assert names == sorted(names)


@every_group
def test_sigma_within_may_be_pooled(line: Line, group_by: GroupBy):
    wanted = Selection(RunFilter(samples=EVERYTHING))
    measured = MeasurementSelection(_procedure(line, 0), "rail_3v3")
    answer = ask(line, wanted, measured, "station", group_by)
    assert _told(answer) == _expected(line, wanted, measured, "station", group_by)
    assert group_by in answer.definition


def test_a_phase_may_be_named(line: Line):
    procedure_id = _procedure(line, 0)
    wanted = Selection(RunFilter())
    one = ask(line, wanted, MeasurementSelection(procedure_id, CONTACT, "fixture_contact"))
    assert one.rows == ask(line, wanted, MeasurementSelection(procedure_id, CONTACT)).rows
    assert len(one.rows) == 1
    assert ask(line, wanted, MeasurementSelection(procedure_id, CONTACT, "no such phase")).rows == []


def test_another_organization_sees_nothing(line: Line):
    elsewhere, procedure_id = line.frames.runs["id"].iloc[0], _procedure(line, 0)
    answer = capability(
        Snapshot(line.copy, Scope(line.connection, elsewhere)),
        Selection(RunFilter()),
        MeasurementSelection(procedure_id, CONTACT),
        UTC,
    )
    assert (answer.n, answer.rows) == (0, [])


def test_of_too_many_values_what_needs_only_sums_is_exact_and_the_rest_has_no_interval(line: Line):
    measured = MeasurementSelection(_procedure(line, 0), "rail_5v")
    wanted = Selection(RunFilter())
    every = ask(line, wanted, measured, "station")
    some = capability(line.snapshot, wanted, measured, ZoneInfo(ZONE), "station", Within(most_values=300))
    assert not some.is_exact
    assert some.n == every.n > 300
    assert "More than 300 values" in some.definition
    assert "More than" not in every.definition
    assert 50 < sum(row.sampled or 0 for row in some.rows) <= 300
    for told, known in zip(some.rows, every.rows, strict=True):
        assert known.sampled is None
        assert _exact_figures(told) == pytest.approx(_exact_figures(known), rel=1e-12)
        assert (told.group, told.spec, told.first_at, told.last_at) == (
            known.group,
            known.spec,
            known.first_at,
            known.last_at,
        )
        assert {told.cp.low, told.cpk.low, told.outliers} == {None}
        assert known.cpk.low is not None
        assert told.cpk.value == pytest.approx(known.cpk.value, rel=0.9)


def test_limits_that_change_are_told_apart(tmp_path: Path, written: Writing):
    """In order of limits, none first; one that comes back is the specification that it was."""
    limits: list[tuple[float | None, float | None]] = [(0, 10), (0, 10), (1, 9), (None, 9), (0, 10), (1, 9)]
    reports = [run_of(number, _numeric(number, *pair)) for number, pair in enumerate(limits)]
    with written(tmp_path, reports) as floor:
        rows = _ask(floor).rows
        assert [(row.spec.lower, row.spec.upper, row.n) for row in rows] == [
            (None, 9, 1),
            (0, 10, 3),
            (1, 9, 2),
        ]
        assert [row.mean for row in rows] == [3, pytest.approx(5 / 3), 3.5]
        assert rows[1].first_at == START
        assert (rows[1].last_at - START).total_seconds() == 4 * 60


def test_values_that_are_no_finite_numbers_do_not_count(tmp_path: Path, written: Writing):
    values = [1.0, math.nan, math.inf, "text", True, None, 3, -0.0, 8]
    reports = [run_of(number, _numeric(value, None, None)) for number, value in enumerate(values)]
    with written(tmp_path, reports) as floor:
        answer = _ask(floor)
        [row] = answer.rows
        assert (row.n, row.not_finite, row.mean) == (4, 2, 3)
        assert answer.left_out == [
            LeftOut("not_finite", 2),
            LeftOut("boolean", 1),
            LeftOut("text", 1),
            LeftOut("no_value", 1),
        ]


@pytest.mark.parametrize(
    ("values", "mean", "sigma"),
    [
        ([], None, None),
        ([5.0], 5, None),
        ([0.1] * 30, 0.1, 0),
        ([1.7e308, -1.7e308], 0, None),
    ],
    ids=["none", "one", "equal", "too large"],
)
def test_values_that_tell_little(
    tmp_path: Path, values: list[float], mean: object, sigma: float | None, written: Writing
):
    reports = [run_of(number, _numeric(value, -1, 1)) for number, value in enumerate(values)]
    with written(tmp_path, reports) as floor:
        rows = _ask(floor).rows
        assert len(rows) == bool(values)
        for row in rows:
            assert (row.n, row.mean, row.sigma_overall) == (len(values), mean, sigma)
            assert {row.cp.value, row.cpk.value, row.pp.value, row.ppk.value, row.expected.total} == {None}
            assert (row.normality, row.percentiles, row.skewness, row.outliers) == (None, None, None, 0)
            beyond = sum(not -1 <= value <= 1 for value in values)
            assert row.observed.total == pytest.approx(1e6 * beyond / len(values))


def test_values_of_one_moment_are_in_the_order_of_their_recording(tmp_path: Path, written: Writing):
    """The moving range depends on it."""
    inside = [_numeric(value, 0, 10) for value in (1.0, 9.0, 2.0)]
    other = replace(run_of(0, _numeric(3.0, 0, 10)), serial_number="W-other")
    with written(tmp_path, [run_of(0, *inside), other]) as floor:
        [row] = _ask(floor).rows
        assert row.sigma_within == pytest.approx((8 + 7 + 1) / 3 * math.sqrt(math.pi) / 2)


def test_what_failed_without_a_finite_value_has_failed(tmp_path: Path, written: Writing):
    """Overrange: of 8 values 3 are no figures and failed; under other limits, there is no figure at all."""
    values = [1.0] * 5 + [math.inf, -math.inf, math.nan]
    reports = [
        run_of(
            number, Measurement("m", "PASS" if number < 5 else "FAIL", value, lower_limit=0, upper_limit=2)
        )
        for number, value in enumerate(values)
    ]
    over = Measurement("m", "FAIL", math.inf, lower_limit=0, upper_limit=3)
    with written(tmp_path, [*reports, run_of(9, over)]) as floor:
        answer = _ask(floor)
        assert [(row.n, row.failed, row.not_finite, row.mean) for row in answer.rows] == [
            (5, 3, 3, 1),
            (0, 1, 1, None),
        ]
        assert (answer.n, answer.left_out) == (5, [LeftOut("not_finite", 4)])
        summary = capabilities(floor.snapshot, Selection(RunFilter()), floor.procedure_id)
        assert (summary.n, summary.left_out) == (5, [LeftOut("not_finite", 4)])
        assert [(row.n, row.failed, row.not_finite, row.mean) for row in summary.rows] == [
            (5, 3, 3, 1),
            (0, 1, 1, None),
        ]


def test_the_mean_of_values_near_the_largest_double_is_told(tmp_path: Path, written: Writing):
    """So are sigmas and A²: those of the same values times a power of two."""
    small = [1.0, 1.25, 0.75, 1.5, 1.125, 0.875, 1.0, 1.375, 0.5]
    figures = []
    for power in (0, 1020):
        (tmp_path / str(power)).mkdir()
        reports = [
            run_of(number, _numeric(math.ldexp(one, power), 0.0, None)) for number, one in enumerate(small)
        ]
        with written(tmp_path / str(power), reports) as floor:
            [row] = _ask(floor).rows
            [summary] = capabilities(floor.snapshot, Selection(RunFilter()), floor.procedure_id).rows
        assert row.mean is not None
        assert row.sigma_overall is not None
        assert row.sigma_within is not None
        assert row.normality is not None
        assert summary.ppk == pytest.approx(row.ppk.value)
        sigmas = (row.mean, row.sigma_overall, row.sigma_within)
        figures.append((*(math.ldexp(one, -power) for one in sigmas), row.ppk.value, row.normality.statistic))
    assert figures[1] == pytest.approx(figures[0], rel=1e-12)


def test_what_the_station_said_is_counted_as_it_said_it(tmp_path: Path, written: Writing):
    outcomes: tuple[MeasurementOutcome, ...] = ("PASS", "FAIL", "UNSET", "FAIL")
    reports = [
        run_of(number, Measurement("m", outcome, 5.0, lower_limit=0, upper_limit=10))
        for number, outcome in enumerate(outcomes)
    ]
    with written(tmp_path, reports) as floor:
        [row] = _ask(floor).rows
        assert row.failed == 2
        assert row.observed.total == 0


def _limited(
    value: float, limits: tuple[float | None, float | None], checks: Mapping[str, float]
) -> Measurement:
    validators = tuple(Validator(f"x {symbol} {bound}", symbol, bound) for symbol, bound in checks.items())
    return Measurement("m", "PASS", value, None, *limits, validators)


@pytest.mark.parametrize(
    ("limits", "checks"),
    [
        ((None, None), {">=": 0.0, "<": 5.6}),
        ((None, None), {">": 0.0, "<": 5.6}),
        ((0, None), {"<=": 5.6}),
        ((0, 11), {"<": 5.6}),
        ((0, 5.6), {"<": 7.0, "==": 3.0}),
    ],
    ids=["GELT", "GTLT", "a check beside", "a tighter check", "looser ones"],
)
def test_strict_bounds_and_checks_beside_limits_are_limits(
    tmp_path: Path, limits: tuple[float | None, float | None], checks: Mapping[str, float], written: Writing
):
    """The indices are those of 0 ... 5.6; a value that equals a strict bound is outside."""
    values = [5.5, 5.4, 5.52, 5.49, 5.6]
    reports = [run_of(number, _limited(value, limits, checks)) for number, value in enumerate(values)]
    with written(tmp_path, reports) as floor:
        [row] = _ask(floor).rows
        summary = capabilities(floor.snapshot, Selection(RunFilter()), floor.procedure_id)
        assert summary.rows[0].spec == row.spec
        assert (summary.rows[0].cpk, summary.rows[0].pp) == pytest.approx((row.cpk.value, row.pp.value))
    assert (row.spec.lower, row.spec.upper) == (0, 5.6)
    mean, sigma = np.mean(values), np.std(values, ddof=1)
    assert row.ppk.value == pytest.approx((5.6 - mean) / sigma / 3)
    assert row.pp.value == pytest.approx(5.6 / sigma / 6)
    is_strict = checks.get("<") == 5.6
    assert (row.spec.upper_is_strict, row.observed.above) == (is_strict, 2e5 if is_strict else 0)


def test_bounds_that_leave_only_what_a_strict_one_forbids_exclude_every_value(
    tmp_path: Path, written: Writing
):
    reports = [
        run_of(number, _limited(value, (5, None), {"<": 5.0})) for number, value in enumerate((4.0, 6.0))
    ]
    with written(tmp_path, reports) as floor:
        [row] = _ask(floor).rows
        [summary] = capabilities(floor.snapshot, Selection(RunFilter()), floor.procedure_id).rows
        assert (row.pp.value, row.ppk.value, summary.pp, summary.ppk) == (None,) * 4


def test_more_specifications_than_can_be_shown_are_refused(tmp_path: Path, written: Writing):
    inside = [_numeric(1.0, 0, 10 + number) for number in range(1001)]
    with written(tmp_path, [run_of(0, *inside)]) as floor:
        with pytest.raises(InvalidInput) as refused:
            _ask(floor)
        [issue] = refused.value.issues
        assert issue.path == ("measurement_name",)
        assert "more than 1000 specifications" in issue.message


def test_more_rows_than_can_be_shown_are_refused(tmp_path: Path, written: Writing):
    """Three specifications in each of 700 groups."""
    limits = [_numeric(1.0, 0, upper) for upper in (10, 20, 30)]
    reports = [run_of(number, *limits, part=f"P{number}") for number in range(700)]
    with written(tmp_path, reports) as floor:
        assert len(_ask(floor).rows) == 3
        with pytest.raises(InvalidInput) as refused:
            _ask(floor, "part")
        [issue] = refused.value.issues
        assert issue.path == ("group_by",)
        assert "makes 2100 rows" in issue.message


_ANY_NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, 1.0, 5e-324, 1e308, -1e308]
)
_ANY_LIMIT = st.none() | _ANY_NUMBER


@given(st.lists(_ANY_NUMBER, min_size=1, max_size=30), _ANY_LIMIT, _ANY_LIMIT, st.booleans())
@example([1.0, 1.0 + 2**-52] * 400, 0, 1, False)
@example([5e-324, 0.0] * 400, 0, 1, True)
@example([1e308] * 20 + [-1e308] * 10, 0, 1, False)
@example([1.7e308, 1.7e308, -1.7e308, -1.7e308], None, 1.7e308, True)
def test_every_figure_is_a_number_or_nothing(
    values: list[float], lower: float | None, upper: float | None, is_pooled: bool
):
    """Whatever the values: no NaN, no infinity, no warning."""
    n = len(values)
    nothing = np.zeros(n, np.int64)
    measured = Values(np.array(values), nothing, nothing > 0, nothing, nothing, np.arange(n) % 3)
    spec = SpecRow(1, "p", None, "m", None, lower, upper)
    row = _row(ALL, spec, whole_of(measured, spec), measured, is_pooled=is_pooled, is_exact=True)
    assert all(math.isfinite(figure) for figure in _floats(msgspec.to_builtins(row)))
    for one in (row.cp, row.cpl, row.cpu, row.cpk, row.pp, row.ppl, row.ppu, row.ppk):
        if one.value is not None:
            assert one.low is not None
            assert one.high is not None
            assert one.low <= one.high
    assert 0 <= (row.observed.total or 0) <= 1e6
    assert 0 <= (row.expected.total or 0) <= 1e6


def _floats(told: Any) -> Iterator[float]:
    match told:
        case dict():
            for one in told.values():
                yield from _floats(one)
        case float():
            yield told


def ask(
    line: Line,
    wanted: Selection,
    measured: MeasurementSelection,
    group_by: GroupBy | None = None,
    subgroup_by: GroupBy | None = None,
) -> CapabilityAnswer:
    return capability(line.snapshot, wanted, measured, ZoneInfo(ZONE), group_by, Within(subgroup_by))


def _ask(floor: Written, group_by: GroupBy | None = None) -> CapabilityAnswer:
    return capability(
        floor.snapshot,
        Selection(RunFilter()),
        MeasurementSelection(floor.procedure_id, "m"),
        UTC,
        group_by,
    )


def _exact_figures(row: CapabilityRow) -> list[float]:
    """Those that need only sums."""
    indices = (row.pp, row.ppl, row.ppu, row.ppk)
    figures = [row.n, row.failed, row.not_finite, row.mean, row.sigma_overall]
    figures += [end for one in indices for end in (one.value, one.low, one.high)]
    figures += [row.expected.total, row.observed.below, row.observed.above]
    return [one for one in figures if one is not None]


def _numeric(value: Any, lower: float | None, upper: float | None) -> Measurement:
    return Measurement("m", "PASS", value, lower_limit=lower, upper_limit=upper)


def _procedure(line: Line, number: int) -> Any:
    """The first is that of the boards, the second that of the modules."""
    return line.frames.runs["procedure_id"].drop_duplicates().iloc[number]


def _told(answer: CapabilityAnswer) -> dict[Any, Any]:
    return {
        (row.group.name, row.spec.phase, row.spec.lower, row.spec.upper): _figures(row) for row in answer.rows
    }


def _figures(row: CapabilityRow) -> tuple[Any, ...]:
    return (
        row.n,
        row.failed,
        row.outliers,
        row.first_at,
        row.last_at,
        *(
            None if figure is None else pytest.approx(figure, rel=1e-9, abs=1e-12)
            for figure in (
                row.mean,
                row.sigma_overall,
                row.sigma_within,
                row.cp.value,
                row.cpk.value,
                row.pp.value,
                row.ppk.value,
                row.observed.total,
                row.skewness,
            )
        ),
    )


def _expected(
    line: Line,
    wanted: Selection,
    measured: MeasurementSelection,
    group_by: GroupBy | None = None,
    subgroup_by: GroupBy | None = None,
) -> dict[Any, Any]:
    wanted = wanted._replace(attempts=wanted.attempts or "last")
    runs = selected_runs(line.frames, measured.among(wanted))
    runs = runs.assign(
        g=None if group_by is None else group_names(runs, group_by, ZONE),
        sub=None if subgroup_by is None else group_names(runs, subgroup_by, ZONE),
    )
    values = line.frames.measurements.merge(
        runs[["id", "seq", "station", "g", "sub"]].rename(columns={"id": "run"}), on="run"
    )
    values = values[(values["name"] == measured.name) & values["num"].notna()]
    if measured.only_final:
        values = values[values["is_final"]]
    values = values.sort_values(["started_at", "seq", "position"])
    grouped = values.groupby(["g", "phase", "lower", "upper"], dropna=False)
    return {
        tuple(None if pd.isna(one) else one for one in key): _plainly(some, is_pooled=subgroup_by is not None)
        for key, some in grouped
    }


def _plainly(values: pd.DataFrame, *, is_pooled: bool) -> tuple[Any, ...]:
    numbers = values["num"].astype(float)
    lower, upper = values["lower"].iloc[0], values["upper"].iloc[0]
    within = _pooled(values) if is_pooled else _moving_range(values) * math.sqrt(math.pi) / 2
    first, third = numbers.quantile(0.25), numbers.quantile(0.75)
    inner = numbers.between(first - 1.5 * (third - first), third + 1.5 * (third - first))
    outside = ((numbers < lower) | (numbers > upper)).mean() * 1e6
    figures = [
        numbers.mean(),
        numbers.std(),
        within,
        *(
            index
            for sigma in (within, numbers.std())
            for index in _indices(numbers.mean(), sigma, lower, upper)
        ),
        outside if pd.notna(lower) or pd.notna(upper) else None,
        numbers.skew(),
    ]
    return (
        len(values),
        int((values["outcome"] == "FAIL").sum()),
        int((~inner).sum()),
        values["started_at"].iloc[0],
        values["started_at"].iloc[-1],
        *(None if pd.isna(figure) else figure for figure in figures),
    )


def _moving_range(values: pd.DataFrame) -> float:
    """Within each station; users are one more."""
    series = values["station"].astype(object).where(values["station"].notna(), "")
    return float(values["num"].astype(float).groupby(series).diff().abs().mean())


def _pooled(values: pd.DataFrame) -> float:
    variances = values.groupby("sub", dropna=False)["num"].agg(["var", "count"])
    variances = variances[variances["count"] > 1]
    freedom = (variances["count"] - 1).sum()
    return (
        math.nan if freedom == 0 else math.sqrt((variances["var"] * (variances["count"] - 1)).sum() / freedom)
    )


def _indices(mean: float, sigma: float, lower: float, upper: float) -> tuple[float, float]:
    if not sigma > 0:
        return math.nan, math.nan
    return (upper - lower) / (6 * sigma), np.nanmin([mean - lower, upper - mean]) / (3 * sigma)
