"""Durations of runs, against the record as dataframes."""

import math
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from msgspec.structs import astuple, replace

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.questions.activity import durations as module
from runcard.analytics.questions.activity.durations import DurationFigures, durations
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_attempts, every_filter, every_group, selection
from tests.analytics.truth import expected_durations, group_names, selected_runs

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))


@every_filter
@every_attempts
def test_durations_are_those_of_the_record(line: Line, filter_name: str, attempts: Attempts):
    wanted = selection(line, filter_name, attempts)
    answer = durations(line.snapshot, wanted, UTC)
    seconds = _seconds(selected_runs(line.frames, wanted))
    assert astuple(answer.total) == expected_durations(seconds)
    assert (answer.n, answer.rows, answer.is_exact) == (len(seconds), [], True)


@every_group
def test_groups_share_out_the_runs(line: Line, group_by: GroupBy):
    answer = durations(line.snapshot, EVERYTHING, ZoneInfo(ZONE), group_by)
    runs = selected_runs(line.frames, EVERYTHING)
    expected = {
        None if pd.isna(name) else name: expected_durations(_seconds(some))
        for name, some in runs.groupby(group_names(runs, group_by, ZONE), dropna=False)
    }
    assert {row.group.name: astuple(row.figures) for row in answer.rows} == expected


def test_of_too_many_only_the_quantiles_are_approximate(line: Line, monkeypatch: pytest.MonkeyPatch):
    exact = durations(line.snapshot, EVERYTHING, UTC)
    monkeypatch.setattr(module, "MAX_EXACT", 100)
    answer = durations(line.snapshot, EVERYTHING, UTC)
    assert not answer.is_exact
    assert "approximate" in answer.definition
    assert _without_quantiles(answer.total) == _without_quantiles(exact.total)
    seconds = _seconds(selected_runs(line.frames, EVERYTHING))
    assert (seconds <= answer.total.median_s).mean() == pytest.approx(0.5, abs=0.02)
    assert (seconds <= answer.total.p95_s).mean() == pytest.approx(0.95, abs=0.02)


def test_of_too_many_quantiles_are_close_in_each_group(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_EXACT", 100)
    rows = durations(line.snapshot, EVERYTHING, UTC, "station").rows
    runs = selected_runs(line.frames, EVERYTHING)
    by_name = {
        None if pd.isna(name) else name: _seconds(some).sort_values().to_numpy()
        for name, some in runs.groupby(group_names(runs, "station", ZONE), dropna=False)
    }
    assert len(rows) == len(by_name) > 1
    for row in rows:
        seconds, n = by_name[row.group.name], row.figures.n
        for share, found in ((0.5, row.figures.median_s), (0.95, row.figures.p95_s)):
            place = share * (n - 1)
            # The quantile lies between the two durations beside its place, which bars may move by their width.
            lower, upper = seconds[math.floor(place)], seconds[math.ceil(place)]
            assert found is not None
            assert lower - abs(lower) / 900 <= found <= upper + abs(upper) / 900


def test_one_run_has_one_duration(line: Line):
    run = line.frames.counted.head(1)
    wanted = Selection(replace(EVERYTHING.runs, ids=run["id"].tolist()))
    answer = durations(line.snapshot, wanted, UTC)
    assert astuple(answer.total) == (1, *[pytest.approx(_seconds(run).item())] * 5)


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = durations(Snapshot(line.copy, Scope(line.connection, elsewhere)), EVERYTHING, UTC, "day")
    assert (answer.n, answer.rows) == (0, [])
    assert answer.total == DurationFigures(0, None, None, None, None, None)


def _seconds(runs: pd.DataFrame) -> "pd.Series[float]":
    return (runs["ended_at"] - runs["started_at"]).dt.total_seconds()


def _without_quantiles(figures: DurationFigures) -> tuple[float | None, ...]:
    return figures.n, figures.mean_s, figures.min_s, figures.max_s
