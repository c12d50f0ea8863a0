"""Capability of all that a procedure measures, against that of each measurement and certified values."""

import statistics
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runcard.analytics import time_slices
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values.capabilities import CapabilitiesAnswer, SummaryRow, capabilities
from runcard.analytics.questions.values.capability import CapabilityRow, capability
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.runs.measurement import Measurement
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.nist import STRD
from tests.analytics.selections import every_attempts, every_filter, selection
from tests.analytics.written import Writing, Written, run_of


@every_filter
def test_figures_are_those_of_each_measurement(line: Line, filter_name: str):
    _check(line, selection(line, filter_name), only_final=True)


@every_attempts
def test_attempts_and_retries(line: Line, attempts: Any):
    _check(line, selection(line, "everything", attempts), only_final=False)


def test_the_poorest_come_first_and_the_rest_is_said(line: Line):
    procedure_id, wanted = line.frames.runs["procedure_id"].iloc[0], Selection(RunFilter())
    every = capabilities(line.snapshot, wanted, procedure_id)
    few = capabilities(line.snapshot, wanted, procedure_id, limit=3)
    assert few.rows == every.rows[:3]
    assert few.specifications == every.specifications == len(every.rows)
    assert (few.n, few.is_exact) == (every.n, True)
    assert f"{every.specifications - 3} more specifications are not shown" in few.definition
    assert "are not shown" not in every.definition
    known = [row.ppk for row in every.rows if row.ppk is not None]
    assert known == sorted(known)
    assert [row.ppk for row in every.rows[len(known) :]] == [None] * (len(every.rows) - len(known))


def test_moving_ranges_of_many_values_are_those_of_slices(line: Line, monkeypatch: pytest.MonkeyPatch):
    # Wide ones: of the few values of the demo, a narrow slice holds no two of one station.
    monkeypatch.setattr(time_slices, "_TAKEN", 5)
    procedure_id, wanted = line.frames.runs["procedure_id"].iloc[0], Selection(RunFilter())
    every = capabilities(line.snapshot, wanted, procedure_id)
    some = capabilities(line.snapshot, wanted, procedure_id, most_ranged=every.n // 2)
    assert not some.is_exact
    assert f"more than {every.n // 2} values" in some.definition
    known = {row.spec: row for row in every.rows}
    ratios = []
    for row in some.rows:
        whole = known[row.spec]
        assert (row.n, row.failed) == (whole.n, whole.failed)
        assert row.mean == pytest.approx(whole.mean, rel=1e-12)
        assert row.sigma_overall == pytest.approx(whole.sigma_overall, rel=1e-9)
        if row.sigma_within and whole.sigma_within:
            ratios.append(row.sigma_within / whole.sigma_within)
    # Of a few dozen values each, so that single ones say little.
    assert len(ratios) > 5
    assert median(ratios) == pytest.approx(1, abs=0.2)
    assert [row.sigma_within for row in some.rows] != [row.sigma_within for row in every.rows]


def test_another_organization_sees_nothing(line: Line):
    elsewhere, procedure_id = line.frames.runs["id"].iloc[0], line.frames.runs["procedure_id"].iloc[0]
    answer = capabilities(
        Snapshot(line.copy, Scope(line.connection, elsewhere)), Selection(RunFilter()), procedure_id
    )
    assert (answer.n, answer.specifications, answer.rows) == (0, 0, [])


@pytest.mark.parametrize("order", [1, -1, 0], ids=["by size", "from the largest", "as published"])
def test_the_columns_give_the_certified_digits(tmp_path: Path, order: int, written: Writing):
    """Mean and deviation of the Statistical Reference Datasets, through the aggregates of the copy."""
    sets = {one.name: sorted(one.values, reverse=order < 0) if order else one.values for one in STRD}
    inside = [Measurement(name, "PASS", float(value)) for name, values in sets.items() for value in values]
    with written(tmp_path, [run_of(0, *inside)]) as floor:
        rows = {row.spec.name: row for row in _ask(floor).rows}
    for one in STRD:
        assert rows[one.name].mean == pytest.approx(one.mean, rel=1e-14)
        # Doubles near 10 000 000 miss the published decimals by up to 1e-9.
        assert rows[one.name].sigma_overall == pytest.approx(one.stdev, rel=1e-9, abs=1e-9)
        exact = statistics.stdev([Fraction(float(value)) for value in one.values])
        assert rows[one.name].sigma_overall == pytest.approx(float(exact), rel=1e-9)


_NOTHING = (None,) * 4


@pytest.mark.parametrize(
    ("values", "limits", "moments", "indices"),
    [
        ([5.0], (0, 10), (5, None, None), _NOTHING),
        ([0.1] * 30, (0, 1), (pytest.approx(0.1), 0, 0), _NOTHING),
        (
            [1.7e308, 1.7e308, -1.7e308],
            (0, 1),
            (pytest.approx(1.7e308 / 3), None, pytest.approx(1.5066e308, rel=1e-4)),
            (0, pytest.approx(-0.12537, abs=1e-5), None, None),
        ),
        (
            [1e200, -1e200],
            (0, 1),
            (0, pytest.approx(2**0.5 * 1e200), pytest.approx(1.77245e200, rel=1e-5)),
            (0, 0, 0, 0),
        ),
        ([-1.0, 1.0], (2, -2), (0, pytest.approx(2**0.5), pytest.approx(1.77245, abs=1e-5)), _NOTHING),
        ([-1.0, 1.0], (None, None), (0, pytest.approx(2**0.5), pytest.approx(1.77245, abs=1e-5)), _NOTHING),
        (
            [-1.0, 1.0],
            (None, 3),
            (0, pytest.approx(2**0.5), pytest.approx(1.77245, abs=1e-5)),
            (None, pytest.approx(0.56419, abs=1e-5), None, pytest.approx(0.5**0.5)),
        ),
    ],
    ids=["one", "equal", "nearly too large", "squares too large", "crossed limits", "no limits", "one limit"],
)
def test_values_that_tell_little(
    tmp_path: Path,
    values: list[float],
    limits: tuple[float | None, float | None],
    moments: tuple[Any, ...],
    indices: tuple[Any, ...],
    written: Writing,
):
    lower, upper = limits
    reports = [
        run_of(number, Measurement("m", "PASS", value, lower_limit=lower, upper_limit=upper))
        for number, value in enumerate(values)
    ]
    with written(tmp_path, reports) as floor:
        [row] = _ask(floor).rows
        assert (row.mean, row.sigma_overall, row.sigma_within) == moments
        assert (row.cp, row.cpk, row.pp, row.ppk) == (
            indices if indices is _NOTHING else tuple(pytest.approx(one, abs=1e-190) for one in indices)
        )


def _ask(floor: Written) -> CapabilitiesAnswer:
    return capabilities(floor.snapshot, Selection(RunFilter()), floor.procedure_id)


def _check(line: Line, wanted: Selection, *, only_final: bool) -> None:
    """All figures agree with those of the single measurements, to 1e-9."""
    for procedure_id in line.frames.runs["procedure_id"].unique()[:2]:
        answer = capabilities(line.snapshot, wanted, procedure_id, only_final=only_final)
        expected = {}
        for name in {row.spec.name for row in answer.rows}:
            measured = MeasurementSelection(procedure_id, name, only_final=only_final)
            single = capability(line.snapshot, wanted, measured, ZoneInfo("UTC"))
            expected.update({row.spec: _single(row) for row in single.rows})
        assert {row.spec: _summary(row) for row in answer.rows} == expected
        assert answer.n == sum(row.n for row in answer.rows)


def _summary(row: SummaryRow) -> list[object]:
    figures = (row.mean, row.sigma_overall, row.sigma_within, row.cp, row.cpk, row.pp, row.ppk)
    return [row.n, row.failed, *(None if one is None else pytest.approx(one, rel=1e-9) for one in figures)]


def _single(row: CapabilityRow) -> list[object]:
    indices = (row.cp.value, row.cpk.value, row.pp.value, row.ppk.value)
    return [row.n, row.failed, row.mean, row.sigma_overall, row.sigma_within, *indices]
