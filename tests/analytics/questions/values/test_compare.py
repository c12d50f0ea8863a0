"""One measurement between groups, against published examples and the record as dataframes."""

import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pandas as pd
import pytest
import scipy
import statsmodels.api as sm
from statsmodels.formula.api import ols

from runcard.analytics.groups import GroupBy
from runcard.analytics.left_out import LeftOut
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values import compare as module
from runcard.analytics.questions.values.compare import CompareAnswer, ComparedGroup, compare
from runcard.analytics.snapshot import Selection
from runcard.domain.errors import InvalidInput
from runcard.domain.runs.measurement import Measurement
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_filter, every_group, selection
from tests.analytics.truth import group_names, selected_runs
from tests.analytics.written import Writing, run_of


def busiest(line: Line) -> tuple[UUID, str, str]:
    """Procedure, phase and name of the numeric measurement with limits that there is most of."""
    numeric = line.frames.measurements.dropna(subset=["num", "lower", "upper"])
    run, phase, name = (
        numeric.groupby(["phase", "name"])["run"]
        .agg(["count", "first"])
        .sort_values("count")
        .reset_index()
        .iloc[-1][["first", "phase", "name"]]
    )
    procedure = line.frames.runs.set_index("id").loc[run, "procedure_id"]
    return procedure, phase, name


def values_of(line: Line, runs: pd.DataFrame, procedure: UUID, phase: str, name: str) -> pd.DataFrame:
    inside = line.frames.measurements.query("phase == @phase and name == @name and is_final")
    runs = runs[runs["procedure_id"] == procedure]
    return inside.dropna(subset=["num"]).merge(runs, left_on="run", right_on="id", suffixes=("_m", ""))


def ask(line: Line, wanted: Selection, group_by: GroupBy) -> tuple[CompareAnswer, pd.DataFrame]:
    procedure, phase, name = busiest(line)
    measured = MeasurementSelection(procedure, name, phase)
    answer = compare(line.snapshot, wanted, measured, ZoneInfo(ZONE), group_by)
    return answer, values_of(line, selected_runs(line.frames, measured.among(wanted)), procedure, phase, name)


@every_filter
def test_groups_are_those_of_the_record(line: Line, filter_name: str):
    answer, values = ask(line, selection(line, filter_name), "station")
    _check(answer, values, values["station"])


@every_group
def test_every_way_to_group(line: Line, group_by: GroupBy):
    if group_by == "hour":
        with pytest.raises(InvalidInput) as raised:
            ask(line, Selection(RunFilter()), group_by)
        assert raised.value.issues[0].path == ("group_by",)
        return
    answer, values = ask(line, Selection(RunFilter()), group_by)
    _check(answer, values, group_names(values, group_by, ZONE))


def _check(answer: CompareAnswer, values: pd.DataFrame, names: "pd.Series[Any]") -> None:
    assert answer.n == len(values)
    assert answer.is_exact
    samples = {name: some["num"].to_numpy() for name, some in values.groupby(names)}
    assert [one.group.name for one in answer.groups] == sorted(samples)
    for one in answer.groups:
        own = samples[str(one.group.name)]
        assert one.n == len(own)
        assert one.mean == pytest.approx(own.mean())
        assert one.s == (pytest.approx(own.std(ddof=1)) if len(own) > 1 else None)
        others = [some for name, some in samples.items() if name != one.group.name]
        if len(own) > 1 and len(np.concatenate([*others, []])) > 1:
            found = scipy.stats.ttest_ind(own, np.concatenate(others), equal_var=False)
            assert one.difference is not None
            interval = found.confidence_interval(0.95)
            assert (one.difference.low, one.difference.high) == pytest.approx((interval.low, interval.high))
            assert one.difference.difference == pytest.approx(own.mean() - np.concatenate(others).mean())
            assert one.difference.p == pytest.approx(found.pvalue)
    many = samples
    if len(many) < 2 or len(values) <= len(many):
        assert answer.anova is answer.kruskal is None
        return
    long = pd.DataFrame([(name, value) for name, some in many.items() for value in some], columns=["g", "v"])
    table = sm.stats.anova_lm(ols("v ~ C(g)", data=long).fit())
    assert answer.anova is not None
    assert answer.anova.statistic == pytest.approx(table.loc["C(g)", "F"])
    assert answer.anova.p == pytest.approx(table.loc["C(g)", "PR(>F)"])
    assert answer.kruskal is not None
    assert answer.kruskal.p == pytest.approx(scipy.stats.kruskal(*many.values()).pvalue)


def test_ppk_is_that_of_the_limits(line: Line):
    answer, values = ask(line, Selection(RunFilter()), "station")
    for one in answer.groups:
        some = values[values["station"] == one.group.name]
        if some[["lower", "upper"]].drop_duplicates().shape[0] > 1:
            assert one.ppk is None
        else:
            lower, upper = some[["lower", "upper"]].iloc[0]
            mean, s = some["num"].mean(), some["num"].std(ddof=1)
            assert one.ppk == pytest.approx(min(upper - mean, mean - lower) / (3 * s))


def test_means_have_their_intervals(line: Line):
    answer, values = ask(line, Selection(RunFilter()), "station")
    for one in answer.groups:
        some = values.loc[values["station"] == one.group.name, "num"]
        low, high = scipy.stats.t.interval(0.95, len(some) - 1, some.mean(), scipy.stats.sem(some))
        assert (one.mean_low, one.mean_high) == pytest.approx((low, high))


def test_a_run_without_a_value_brings_no_unit_of_measure(tmp_path: Path, written: Writing):
    with written(
        tmp_path,
        [
            *(run_of(n, Measurement("m", "PASS", n, uom="mV"), part="A") for n in range(2)),
            *(run_of(n, Measurement("m", "PASS", n * n, uom="V"), part=f"P{n % 2}") for n in range(2, 9)),
            run_of(9, Measurement("m", "UNSET")),
        ],
    ) as floor:
        answer = compare(
            floor.snapshot,
            Selection(RunFilter()),
            MeasurementSelection(floor.procedure_id, "m"),
            ZoneInfo(ZONE),
            "part",
        )
    assert (answer.uom, answer.n, [one.n for one in answer.groups]) == ("V", 9, [2, 4, 3])
    assert answer.groups[0].mean == 0.0005
    assert answer.left_out == [LeftOut("no_value", 1)]


def _arrays(*samples: list[float]) -> list[Any]:
    return [np.array(one, np.float64) for one in samples]


def test_published_ranks():
    """SciPy's documentation of kruskal: H 7.0, p 0.0301973834223185."""
    found = module._kruskal(_arrays([1, 1, 1], [2, 2, 2], [2, 2]))
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx((7.0, 0.0301973834223185))


def test_equal_values_and_single_ones_tell_nothing_apart():
    assert module._kruskal([np.ones(3), np.ones(4)]) is None
    assert module._kruskal(_arrays([1], [2], [3])) is None


def test_values_that_are_far_apart_have_ranks():
    assert module._kruskal(_arrays([1.7e308, -1.7e308, 1.7e308], [1, 2, 3])) is not None


def test_groups_of_one_value_are_tested_too(tmp_path: Path, written: Writing):
    parts = {"A": [1, 1.2, 0.9], "B": [5.0], "C": [2, 2.2]}
    answer = _of_parts(tmp_path, parts, written)
    assert [one.n for one in answer.groups] == [3, 1, 2]
    assert answer.anova is not None
    assert answer.kruskal is not None
    assert (answer.anova.statistic, answer.anova.p) == pytest.approx((265.7, 0.00042), rel=1e-2)
    assert (answer.kruskal.statistic, answer.kruskal.p) == pytest.approx((4.286, 0.117), abs=1e-3)


# SmLs09 of the Statistical Reference Datasets of NIST: nine groups around 1e12, of a standard deviation of 0.1.
_SMLS09 = [0.4, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5]


def test_means_and_deviations_are_the_certified_ones(tmp_path: Path, written: Writing):
    around = [round(0.1 * turn, 1) for turn in (0, *([-1, 1] * 10))]
    parts = {
        f"{place}": [1e12 + round(mean + one, 1) for one in around] for place, mean in enumerate(_SMLS09)
    }
    answer = _of_parts(tmp_path, parts, written)
    for one, mean in zip(answer.groups, _SMLS09, strict=True):
        values = [Fraction(value) for value in parts[str(one.group.name)]]
        assert one.mean == float(sum(values) / len(values))
        assert one.s == pytest.approx(float(statistics.stdev(values)), rel=1e-13)
        assert one.mean == pytest.approx(1e12 + mean, abs=1.3e-4)
        assert one.s == pytest.approx(0.1, abs=1e-4)


def test_the_mean_of_equals_is_what_they_are(tmp_path: Path, written: Writing):
    [found] = _of_parts(tmp_path, {"A": [0.1] * 100}, written).groups
    assert (found.mean, found.mean_low, found.mean_high, found.s) == (0.1, 0.1, 0.1, 0.0)


def _of_parts(folder: Path, parts: Mapping[str, Sequence[float]], written: Writing) -> CompareAnswer:
    values = [(part, value) for part, some in parts.items() for value in some]
    reports = [
        run_of(number, Measurement("m", "PASS", value), part=part)
        for number, (part, value) in enumerate(values)
    ]
    with written(folder, reports) as floor:
        measured = MeasurementSelection(floor.procedure_id, "m")
        return compare(floor.snapshot, Selection(RunFilter()), measured, ZoneInfo(ZONE), "part")


@pytest.mark.parametrize("group_by", ["station", "week", "part", "operator"])
def test_of_many_values_only_ranks_are_drawn(line: Line, monkeypatch: pytest.MonkeyPatch, group_by: GroupBy):
    """All else is of all values, and the same to the last digits as where all values are held."""
    exact, _ = ask(line, Selection(RunFilter()), group_by)
    monkeypatch.setattr(module, "MAX_TESTED", 100)
    drawn, _ = ask(line, Selection(RunFilter()), group_by)
    assert not drawn.is_exact
    assert "drawn evenly" in drawn.definition
    assert (drawn.anova is None) == (exact.anova is None)
    if drawn.anova is not None and exact.anova is not None:
        assert drawn.kruskal != exact.kruskal
        found, of_all = ((one.statistic, one.p) for one in (drawn.anova, exact.anova))
        assert found == pytest.approx(of_all, rel=1e-10)
    assert len(drawn.groups) == len(exact.groups) > 0
    for one, whole in zip(drawn.groups, exact.groups, strict=True):
        assert (one.group, one.n) == (whole.group, whole.n)
        assert _told(one) == pytest.approx(_told(whole), rel=1e-11)


def _told(one: ComparedGroup) -> list[float]:
    found = one.difference
    difference = [] if found is None else [found.difference, found.low, found.high]
    told = [one.mean, one.mean_low, one.mean_high, one.s, one.ppk, *difference]
    return [figure for figure in told if figure is not None]


def test_the_same_digits_at_every_asking(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_TESTED", 100)
    answers = {msgspec.json.encode(ask(line, Selection(RunFilter()), "station")[0]) for _ in range(10)}
    assert len(answers) == 1
