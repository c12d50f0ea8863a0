"""Control charts, against the record as dataframes."""

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values.control_chart import ChartSettings, ControlChartAnswer, control_chart
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.control_limits import ChartKind
from runcard.domain.errors import InvalidInput
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_attempts, every_filter, every_group, selection
from tests.analytics.truth import group_names
from tests.analytics.values import measured, procedure, values_of

MODULE = "Module functional test"
EVERYTHING = Selection(RunFilter())


def ask(
    line: Line,
    wanted: Selection,
    asked: MeasurementSelection,
    settings: ChartSettings,
    group_by: GroupBy | None = None,
) -> ControlChartAnswer:
    return control_chart(line.snapshot, wanted, asked, settings, ZoneInfo(ZONE), group_by)


def newest(line: Line, wanted: Selection, asked: MeasurementSelection, last: int) -> pd.DataFrame:
    found = values_of(line, wanted, asked)
    found = found[found["num"].notna()]
    found = found.sort_values(["run_started_at", "seq", "started_at", "position"]).tail(last)
    return found.sort_values(["started_at", "seq", "position"]).reset_index(drop=True)


@every_filter
@every_attempts
def test_points_are_those_of_the_record(line: Line, filter_name: str, attempts: Attempts):
    wanted = selection(line, filter_name, attempts)
    for name, only_final in (("contact_resistance", False), ("gain_1khz", True)):
        asked = measured(line, MODULE, name, only_final=only_final)
        answer = ask(line, wanted, asked, ChartSettings(last=100))
        expected = newest(line, wanted, asked, 100)
        assert _told(answer) == _expected(expected)
        assert answer.n == len(expected)
        assert answer.has_older == (len(newest(line, wanted, asked, 101)) == 101)
        assert answer.window.started_after == wanted.runs.started_after
        _check_limits(answer, expected)


@pytest.mark.parametrize("last", [1, 2, 3, 5, 10, 30, 61, 240, 490, 5000])
def test_the_newest_are_found_among_runs_that_lack_them(line: Line, last: int):
    lacking = 0
    for name in ("thd", "heatsink_temperature", "supply_voltage"):
        asked = measured(line, MODULE, name)
        expected = newest(line, EVERYTHING, asked, last)
        answer = ask(line, EVERYTHING, asked, ChartSettings(last=last))
        assert [point.run_id for point in answer.points] == expected["run"].tolist()
        runs = procedure(line, MODULE).query("sample.isna()")
        lacking += set(runs["id"].tail(last)) != set(expected["run"])
    assert lacking or last < 61


@every_group
def test_groups_colour_the_points(line: Line, group_by: GroupBy):
    asked = measured(line, MODULE, "gain_1khz")
    answer = ask(line, EVERYTHING, asked, ChartSettings(last=300), group_by)
    expected = newest(line, EVERYTHING, asked, 300)
    names = _names(expected, group_by)
    told = [None if point.group is None else answer.groups[point.group].name for point in answer.points]
    assert told == names
    assert len(answer.groups) == len(set(names))
    assert answer.segments == ask(line, EVERYTHING, asked, ChartSettings(last=300)).segments


@every_group
@pytest.mark.parametrize("kind", ["xbar_r", "xbar_s"])
def test_groups_are_subgroups(line: Line, group_by: GroupBy, kind: ChartKind):
    asked = measured(line, MODULE, "gain_1khz")
    answer = ask(line, EVERYTHING, asked, ChartSettings(kind, last=300), group_by)
    expected = newest(line, EVERYTHING, asked, 300)
    expected["group"] = [name or "" for name in _names(expected, group_by)]
    groups = expected.groupby("group", sort=False)["num"]
    spreads = groups.std() if kind == "xbar_s" else (groups.max() - groups.min()).where(groups.size() > 1)
    told = [answer.groups[point.group or 0].name or "" for point in answer.points]
    assert told == list(groups.groups)
    assert [point.size for point in answer.points] == groups.size().tolist()
    assert [point.value for point in answer.points] == pytest.approx(groups.mean().tolist())
    assert [point.spread for point in answer.points] == [
        None if pd.isna(spread) else pytest.approx(spread) for spread in spreads
    ]


@pytest.mark.parametrize(("size", "told"), [(None, 5), (2, 2), (7, 7)])
def test_subgroups_are_consecutive_values(line: Line, size: int | None, told: int):
    asked = measured(line, MODULE, "gain_1khz")
    answer = ask(line, EVERYTHING, asked, ChartSettings("xbar_r", 100, size))
    expected = newest(line, EVERYTHING, asked, 100)
    subgroups = expected.groupby(expected.index // told)
    assert [point.value for point in answer.points] == pytest.approx(subgroups["num"].mean().tolist())
    assert [point.run_id for point in answer.points] == subgroups["run"].first().tolist()
    assert [point.outcome for point in answer.points] == [
        "FAIL" if failed else "PASS" for failed in subgroups["outcome"].agg(lambda some: "FAIL" in set(some))
    ]


@pytest.mark.parametrize("name", ["firmware_version", "no such measurement"])
def test_nothing_to_chart_is_an_empty_chart(line: Line, name: str):
    answer = ask(line, EVERYTHING, measured(line, MODULE, name), ChartSettings())
    assert (answer.n, answer.points, answer.segments, answer.rules) == (0, [], [], [])
    assert not answer.has_older


@pytest.mark.parametrize("phase", ["frequency_response", "bias"])
def test_one_phase_may_be_meant(line: Line, phase: str):
    asked = measured(line, MODULE, "gain_1khz")._replace(phase=phase)
    answer = ask(line, EVERYTHING, asked, ChartSettings())
    assert _told(answer) == _expected(newest(line, EVERYTHING, asked, 500))
    assert {segment.spec.phase for segment in answer.segments} <= {phase}


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = control_chart(
        Snapshot(line.copy, Scope(line.connection, elsewhere)),
        EVERYTHING,
        measured(line, MODULE, "gain_1khz"),
        ChartSettings(),
        ZoneInfo("UTC"),
    )
    assert (answer.n, answer.segments) == (0, [])


def test_individuals_have_no_subgroups(line: Line):
    with pytest.raises(InvalidInput) as refused:
        ask(line, EVERYTHING, measured(line, MODULE, "gain_1khz"), ChartSettings("i_mr", subgroup_size=4))
    assert [issue.path for issue in refused.value.issues] == [("subgroup_size",)]


def _names(values: pd.DataFrame, group_by: GroupBy) -> list[str | None]:
    by_run_start = values.drop(columns=["started_at"]).rename(columns={"run_started_at": "started_at"})
    return [None if pd.isna(name) else name for name in group_names(by_run_start, group_by, ZONE)]


def _told(answer: ControlChartAnswer) -> list[tuple[Any, ...]]:
    return [(point.run_id, point.started_at, point.value, point.outcome) for point in answer.points]


def _expected(values: pd.DataFrame) -> list[tuple[Any, ...]]:
    columns = [values[name] for name in ("run", "started_at", "num", "outcome")]
    return list(zip(*columns, strict=True))


def _check_limits(answer: ControlChartAnswer, values: pd.DataFrame) -> None:
    """2.66 and 3.267 times the mean moving range, from the published table of factors."""
    if len(values) < 2:
        return
    ranges = values["num"].groupby(values["station"].astype(object).fillna("")).diff().abs()
    [segment] = answer.segments
    [limits] = segment.control
    half = 2.66 * ranges.mean()
    assert segment.centre == pytest.approx(values["num"].mean())
    assert limits.lower == pytest.approx(values["num"].mean() - half, abs=1e-3 * half)
    assert limits.upper == pytest.approx(values["num"].mean() + half, abs=1e-3 * half)
    assert limits.spread_upper == pytest.approx(3.267 * ranges.mean(), rel=1e-3)
    assert [segment.spec.lower, segment.spec.upper] == [
        None if pd.isna(limit) else limit for limit in values[["lower", "upper"]].iloc[0]
    ]
    beyond = (values["num"] - values["num"].mean()).abs() > 3 * ranges.mean() / 1.128379
    marked = [list(rule.points) for rule in answer.rules if rule.rule == "nelson_1"]
    assert marked == ([values.index[beyond].tolist()] if beyond.any() else [])
