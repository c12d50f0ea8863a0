"""One measurement between groups, against published examples and the record as dataframes."""

from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import scipy
import statsmodels.api as sm
from statsmodels.formula.api import ols

from runcard.analytics.asking import Selection
from runcard.analytics.groups import GroupBy
from runcard.analytics.measured import Measured
from runcard.analytics.questions import compare as module
from runcard.analytics.questions.compare import CompareAnswer, compare
from runcard.domain.errors import InvalidInput
from runcard.domain.measurement import Measurement
from runcard.store.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_filter, every_group, selection
from tests.analytics.truth import group_names, selected_runs
from tests.analytics.written import run_of, written


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
    measured = Measured(procedure, name, phase)
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
    many = {name: some for name, some in samples.items() if len(some) > 1}
    if len(many) < 2:
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


def test_a_run_without_a_value_brings_no_unit_of_measure(tmp_path: Path):
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
            Measured(floor.procedure_id, "m"),
            ZoneInfo(ZONE),
            "part",
        )
    assert (answer.uom, answer.n, [one.n for one in answer.groups]) == ("V", 7, [4, 3])


# SciPy's documentation of f_oneway: shell sizes of mussels (McDonald and others 1991), F 7.1210194716424473.
_MUSSELS = [
    [0.0571, 0.0813, 0.0831, 0.0976, 0.0817, 0.0859, 0.0735, 0.0659, 0.0923, 0.0836],
    [0.0873, 0.0662, 0.0672, 0.0819, 0.0749, 0.0649, 0.0835, 0.0725],
    [0.0974, 0.1352, 0.0817, 0.1016, 0.0968, 0.1064, 0.105],
    [0.1033, 0.0915, 0.0781, 0.0685, 0.0677, 0.0697, 0.0764, 0.0689],
    [0.0703, 0.1026, 0.0956, 0.0973, 0.1039, 0.1045],
]


def test_published_examples():
    samples = [np.array(some) for some in _MUSSELS]
    anova = module._test(scipy.stats.f_oneway, samples)
    assert anova is not None
    assert (anova.statistic, anova.p) == pytest.approx((7.1210194716424473, 0.00028122423145345439))
    # SciPy's documentation of kruskal: H 7.0, p 0.0301973834223185.
    kruskal = module._test(scipy.stats.kruskal, [np.array([1, 1, 1]), np.array([2, 2, 2]), np.array([2, 2])])
    assert kruskal is not None
    assert (kruskal.statistic, kruskal.p) == pytest.approx((7.0, 0.0301973834223185))


def test_equal_values_tell_nothing_apart():
    assert module._test(scipy.stats.kruskal, [np.ones(3), np.ones(4)]) is None


_HUGE = [np.array([1.7e308, -1.7e308, 1.7e308]), np.array([1.0, 2.0, 3.0])]


def test_values_too_far_apart_for_doubles_tell_nothing_apart():
    assert module._test(scipy.stats.f_oneway, _HUGE) is None
    ranked = module._test(scipy.stats.kruskal, _HUGE)
    assert ranked is not None


def test_many_values_are_drawn_from(line: Line, monkeypatch: pytest.MonkeyPatch):
    exact, _ = ask(line, Selection(RunFilter()), "station")
    monkeypatch.setattr(module, "MAX_TESTED", 100)
    drawn, _ = ask(line, Selection(RunFilter()), "station")
    assert not drawn.is_exact
    assert "drawn evenly" in drawn.definition
    assert [one.group for one in drawn.groups] == [one.group for one in exact.groups]
    # Of all values, though not summed in the same order.
    for one, of_all in zip(drawn.groups, exact.groups, strict=True):
        assert (one.n, one.mean, one.s, one.ppk) == pytest.approx(
            (of_all.n, of_all.mean, of_all.s, of_all.ppk)
        )
