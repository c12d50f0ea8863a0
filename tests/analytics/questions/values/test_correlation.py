"""Two measurements of the same units, against the record as dataframes."""

from uuid import UUID

import numpy as np
import pandas as pd
import pytest
import scipy

from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values import correlation as module
from runcard.analytics.questions.values.correlation import CorrelationAnswer, correlation
from runcard.analytics.snapshot import Selection
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import every_filter, selection
from tests.analytics.truth import selected_runs


def numeric_of(line: Line, count: int) -> list[tuple[UUID, str, str]]:
    """Procedure, phase and name of that many numeric measurements, those of one procedure first."""
    procedures = line.frames.runs.set_index("id")["procedure_id"]
    inside = line.frames.measurements.dropna(subset=["num"])
    named = (
        inside.assign(procedure=inside["run"].map(procedures)).groupby(["procedure", "phase", "name"]).size()
    )
    return [key for key, size in named.items() if size > 100][:count]


def of_runs(line: Line, wanted: Selection, measured: MeasurementSelection) -> pd.DataFrame:
    runs = selected_runs(line.frames, wanted)
    runs = runs[runs["procedure_id"] == measured.procedure_id]
    inside = line.frames.measurements
    inside = inside[
        (inside["name"] == measured.name) & (inside["phase"] == measured.phase) & inside["is_final"]
    ]
    return runs.merge(inside.dropna(subset=["num"])[["run", "num"]], left_on="id", right_on="run")


def ask(line: Line, wanted: Selection, x: MeasurementSelection, y: MeasurementSelection) -> CorrelationAnswer:
    return correlation(line.snapshot, wanted, x, y)


def check(answer: CorrelationAnswer, pairs: pd.DataFrame) -> None:
    assert answer.n == len(pairs)
    assert {(one.x, one.y, one.run_id) for one in answer.points} == set(
        pairs[["num_x", "num_y", "id_x"]].itertuples(index=False, name=None)
    )
    if len(pairs) < 3:
        assert answer.correlation is None
        return
    found, xs, ys = answer.correlation, pairs["num_x"].to_numpy(), pairs["num_y"].to_numpy()
    assert found is not None
    assert found.pearson == pytest.approx(np.corrcoef(xs, ys)[0, 1])
    assert found.spearman == pytest.approx(pairs["num_x"].rank().corr(pairs["num_y"].rank()))
    slope, intercept = np.polyfit(xs, ys, 1)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), rel=1e-6)
    if len(pairs) > 3:
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.pearson <= found.high


@every_filter
def test_pairs_of_one_procedure_are_those_of_its_runs(line: Line, filter_name: str):
    (procedure, phase, name), (_, other_phase, other) = numeric_of(line, 2)
    x, y = MeasurementSelection(procedure, name, phase), MeasurementSelection(procedure, other, other_phase)
    wanted = selection(line, filter_name)
    left, right = of_runs(line, wanted, x), of_runs(line, wanted, y)
    check(ask(line, wanted, x, y), left.merge(right[["id", "num"]].assign(id_x=right["id"]), on="id"))


def test_pairs_of_two_procedures_are_those_of_the_units_last_runs(line: Line):
    named = numeric_of(line, 1000)
    first = named[0]
    # A unit is tested by one procedure of the demo; so a second one borrows it.
    second = next(one for one in named if one[0] != first[0])
    x, y = (
        MeasurementSelection(first[0], first[2], first[1]),
        MeasurementSelection(second[0], second[2], second[1]),
    )
    wanted = Selection(RunFilter())
    left, right = (of_runs(line, wanted._replace(attempts="last"), one) for one in (x, y))
    pairs = left.merge(right, on="unit_id")
    check(ask(line, wanted, x, y), pairs)


def test_published_intervals():
    # SciPy's documentation of pearsonr: r -0.828503883588428, p 0.021280260007523286.
    found = module._correlation(np.arange(1.0, 8.0), np.array([10, 9, 2.5, 6, 4, 3, 2]))
    assert found is not None
    assert (found.pearson, found.p) == pytest.approx((-0.828503883588428, 0.021280260007523286))
    interval = scipy.stats.pearsonr(np.arange(1.0, 8.0), [10, 9, 2.5, 6, 4, 3, 2]).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(interval))


def test_what_does_not_vary_goes_with_nothing():
    assert module._correlation(np.ones(5), np.arange(5.0)) is None
    assert module._correlation(np.arange(2.0), np.arange(2.0)) is None


@pytest.mark.parametrize("largest", [1.7e308, 1e200], ids=["values", "squares"])
def test_what_is_too_far_apart_for_doubles_tells_nothing(largest: float):
    values = np.array([1.0, -1.0, 0.5, 0.9])
    assert module._correlation(values * largest, values[::-1] * largest) is None
    assert module._correlation(values, values[::-1]) is not None


def test_points_are_bounded(line: Line, monkeypatch: pytest.MonkeyPatch):
    (procedure, phase, name), (_, other_phase, other) = numeric_of(line, 2)
    x, y = MeasurementSelection(procedure, name, phase), MeasurementSelection(procedure, other, other_phase)
    whole = ask(line, Selection(RunFilter()), x, y)
    monkeypatch.setattr(module, "MAX_POINTS", 50)
    some = ask(line, Selection(RunFilter()), x, y)
    assert len(some.points) == 50
    assert "drawn evenly" in some.definition
    assert some.is_exact
    assert (some.n, some.correlation) == (whole.n, whole.correlation)
    monkeypatch.setattr(module, "MAX_PAIRS", 60)
    fewer = ask(line, Selection(RunFilter()), x, y)
    assert not fewer.is_exact
    assert fewer.n == whole.n
