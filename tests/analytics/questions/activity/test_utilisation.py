"""Utilisation of stations, against the record as dataframes, and on spans that overlap."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.attempts import Attempts
from runcard.analytics.questions.activity import utilisation as module
from runcard.analytics.questions.activity.utilisation import StationUse, length_of_union, utilisation
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import every_attempts, every_filter, selection
from tests.analytics.truth import selected_runs


@every_filter
@every_attempts
def test_times_are_those_of_the_record(line: Line, filter_name: str, attempts: Attempts):
    wanted = selection(line, filter_name, attempts)
    answer = utilisation(line.snapshot, wanted)
    runs = selected_runs(line.frames, wanted)
    expected = {str(name): _expected(some) for name, some in runs.groupby("station")}
    assert {one.station.name: _told(one) for one in answer.stations} == expected
    assert [one.station.name for one in answer.stations] == sorted(expected)
    assert (answer.n, answer.stations_count, answer.is_exact) == (len(runs), len(expected), True)


def test_beyond_its_bound_it_is_of_the_newest_runs_and_says_so(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_RUNS", 300)
    answer = utilisation(line.snapshot, Selection(RunFilter()))
    runs = selected_runs(line.frames, Selection(RunFilter()))
    newest = runs.sort_values("seq").tail(300)
    expected = {str(name): _expected(some) for name, some in newest.groupby("station")}
    assert {one.station.name: _told(one) for one in answer.stations} == expected
    assert not answer.is_exact
    assert "newest 300" in answer.definition
    assert answer.n == len(runs)


def test_the_busiest_stations_stand_for_too_many(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_STATIONS", 1)
    answer = utilisation(line.snapshot, Selection(RunFilter()))
    counts = selected_runs(line.frames, Selection(RunFilter()))["station"].value_counts()
    assert [one.station.name for one in answer.stations] == [counts.idxmax()]
    assert answer.stations_count == len(counts) > 1


def test_another_organization_sees_nothing(line: Line):
    answer = utilisation(
        Snapshot(line.copy, Scope(line.connection, line.frames.runs["id"].iloc[0])), Selection(RunFilter())
    )
    assert (answer.n, answer.stations_count, answer.stations) == (0, 0, [])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1))
def test_what_several_spans_cover_counts_once(spans: list[tuple[int, int]]):
    ordered = sorted((start, start + length) for start, length in spans)
    starts, ends = (np.array(side, dtype=np.int64) for side in zip(*ordered, strict=True))
    assert length_of_union(starts, ends) == len({at for start, end in ordered for at in range(start, end)})


def _told(one: StationUse) -> tuple[object, ...]:
    return one.runs, one.busy_s, one.span_s, one.utilisation


def _expected(runs: pd.DataFrame) -> tuple[object, ...]:
    spans = sorted(zip(runs["started_at"], runs["ended_at"], strict=True))
    busy, until = pd.Timedelta(0), spans[0][0]
    for start, end in spans:
        busy += max(end - max(start, until), pd.Timedelta(0))
        until = max(until, end)
    span = until - spans[0][0]
    seconds = (busy.total_seconds(), span.total_seconds())
    return len(runs), *map(pytest.approx, seconds), (pytest.approx(busy / span) if span else None)
