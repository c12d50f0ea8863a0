"""Durations of phases, against the record as dataframes."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from msgspec.structs import astuple

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.questions.activity import durations
from runcard.analytics.questions.activity import phase_durations as module
from runcard.analytics.questions.activity.phase_durations import (
    PhaseDurationsAnswer,
    TimedPhases,
    phase_durations,
)
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import InvalidInput
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.copies import OwnCopy
from tests.analytics.selections import ZONE, every_attempts, every_filter, every_group, selection
from tests.analytics.truth import Frames, expected_durations, group_names, read_frames, selected_runs
from tests.examples import one_in
from tests.histories import START, Floor, histories

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))
WHOLE = TimedPhases(top=200)


@every_filter
@every_attempts
@pytest.mark.parametrize("only_final", [True, False], ids=["final", "all"])
def test_durations_are_those_of_the_record(
    line: Line, filter_name: str, attempts: Attempts, only_final: bool
):
    wanted, phases = selection(line, filter_name, attempts), TimedPhases(only_final, top=200)
    answer = phase_durations(line.snapshot, wanted, phases, UTC)
    _check(answer, line.frames, wanted, only_final=only_final)


@given(history=histories)
@one_in(2)
def test_durations_in_sequences_and_of_repeated_phases(
    floor: Floor, followed: OwnCopy, history: list[RunReport]
):
    procedure_id = floor.procedure()
    floor.record(procedure_id, history)
    followed.follow()
    wanted = Selection(RunFilter(procedure_ids=[procedure_id]))
    with floor.database.read_in(floor.home) as scope:
        frames = read_frames(scope.connection, floor.home)
        for only_final in (True, False):
            phases = TimedPhases(only_final, top=200)
            answer = phase_durations(Snapshot(followed.copy, scope), wanted, phases, UTC, "part")
            _check(answer, frames, wanted, only_final=only_final)
            for one in answer.phases:
                assert [row.figures for row in one.rows] == [one.figures]


@every_group
def test_groups_share_out_the_phases(line: Line, group_by: GroupBy):
    answer = phase_durations(line.snapshot, EVERYTHING, WHOLE, ZoneInfo(ZONE), group_by)
    runs = selected_runs(line.frames, EVERYTHING)
    timed = _timed(line.frames, runs.assign(g=group_names(runs, group_by, ZONE)), only_final=True)
    expected = {
        (*name, None if pd.isna(group) else group): expected_durations(some["duration_s"])
        for (*name, group), some in timed.groupby(["procedure", "name", "g"], dropna=False)
    }
    told = {
        (one.procedure.name, one.phase, row.group.name): astuple(row.figures)
        for one in answer.phases
        for row in one.rows
    }
    assert told == expected


def test_a_phase_may_be_named(line: Line):
    phases = TimedPhases(name="thermal_soak")
    answer = phase_durations(line.snapshot, EVERYTHING, phases, UTC)
    [one] = answer.phases
    assert (one.phase, one.time_share, answer.phases_count) == ("thermal_soak", 1.0, 1)
    assert answer.n == one.figures.n > 0


def test_what_takes_most_time_stands_first_and_for_the_rest(line: Line):
    whole = phase_durations(line.snapshot, EVERYTHING, WHOLE, UTC, "month")
    part = phase_durations(line.snapshot, EVERYTHING, TimedPhases(top=2), UTC, "month")
    shares = [one.time_share or 0.0 for one in whole.phases]
    assert len(shares) > 3
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    assert part.phases == whole.phases[:2]
    assert (part.n, part.phases_count) == (whole.n, len(whole.phases))


def test_of_many_runs_a_sample_is_looked_at(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_RUNS", 400)
    answer = phase_durations(line.snapshot, EVERYTHING, WHOLE, UTC)
    with line.copy.engine.transaction() as cursor:
        rows = cursor.execute("SELECT id FROM runs WHERE hash(run) % 3 = 0 AND voided_at IS NULL").fetchall()
    sample: list[UUID] = [run_id for (run_id,) in rows]
    assert 300 < len(sample) < 500
    assert (answer.runs, answer.runs_sampled, answer.is_exact) == (
        len(line.frames.counted),
        len(sample),
        False,
    )
    assert f"a sample of {len(sample)}" in answer.definition
    timed = _timed(line.frames, line.frames.runs[line.frames.runs["id"].isin(sample)], only_final=True)
    by_name = {tuple(name): some["duration_s"] for name, some in timed.groupby(["procedure", "name"])}
    assert {(one.procedure.name, one.phase) for one in answer.phases} == by_name.keys()
    for one in answer.phases:
        seconds, figures = by_name[one.procedure.name, one.phase], one.figures
        assert (figures.n, figures.min_s, figures.max_s) == (len(seconds), seconds.min(), seconds.max())
        assert figures.mean_s == pytest.approx(seconds.mean())
        assert (seconds < figures.median_s).mean() <= 0.52
        assert (seconds <= figures.median_s).mean() >= 0.48


def test_of_many_phases_only_the_quantiles_are_approximate(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(durations, "MAX_EXACT", 100)
    answer = phase_durations(line.snapshot, EVERYTHING, WHOLE, UTC)
    assert not answer.is_exact
    assert answer.runs_sampled == answer.runs
    assert "approximate" in answer.definition


def test_a_phase_that_ended_before_it_started_took_no_time(floor: Floor, followed: OwnCopy):
    procedure_id = floor.procedure()
    phases = [
        Phase(name, "PASS", START, START + timedelta(seconds=took))
        for name, took in (("back", -2), ("on", 3))
    ]
    report = RunReport(
        procedure="later",
        serial_number="SN",
        part_number="P",
        outcome="PASS",
        started_at=START,
        phases=tuple(phases),
    )
    floor.record(procedure_id, [report])
    followed.follow()
    wanted = Selection(RunFilter(procedure_ids=[procedure_id]))
    with floor.database.read_in(floor.home) as scope:
        answer = phase_durations(Snapshot(followed.copy, scope), wanted, WHOLE, UTC)
    told = {one.phase: (one.time_share, one.figures.min_s) for one in answer.phases}
    assert told == {"on": (1.0, 3.0), "back": (0.0, -2.0)}


def test_a_grouping_that_makes_too_many_figures_is_refused(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_ROWS", 10)
    with pytest.raises(InvalidInput) as refused:
        phase_durations(line.snapshot, EVERYTHING, WHOLE, UTC, "day")
    [issue] = refused.value.issues
    assert issue.path == ("group_by",)
    assert "more than 10 figures" in issue.message


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = phase_durations(
        Snapshot(line.copy, Scope(line.connection, elsewhere)), EVERYTHING, WHOLE, UTC, "day"
    )
    assert (answer.n, answer.runs, answer.phases_count, answer.phases) == (0, 0, 0, [])


def _check(answer: PhaseDurationsAnswer, frames: Frames, wanted: Selection, *, only_final: bool) -> None:
    runs = selected_runs(frames, wanted)
    timed = _timed(frames, runs, only_final=only_final)
    total = timed["duration_s"].clip(lower=0).sum()
    expected: dict[tuple[Any, ...], tuple[Any, ...]] = {
        tuple(None if pd.isna(one) else one for one in name): (
            pytest.approx(some["duration_s"].clip(lower=0).sum() / total) if total else None,
            expected_durations(some["duration_s"]),
        )
        for name, some in timed.groupby(["procedure", "path", "name"], dropna=False)
    }
    told = {
        (one.procedure.name, one.sequence_path, one.phase): (one.time_share, astuple(one.figures))
        for one in answer.phases
    }
    assert told == expected
    assert (answer.n, answer.phases_count) == (len(timed), len(expected))
    assert (answer.runs, answer.runs_sampled, answer.is_exact) == (len(runs), len(runs), True)


def _timed(frames: Frames, runs: pd.DataFrame, *, only_final: bool) -> pd.DataFrame:
    """The phases of these runs that were not skipped."""
    inside = frames.phases[frames.phases["outcome"] != "SKIP"]
    if only_final:
        inside = inside[inside["is_final"].astype(bool)]
    return inside.merge(runs.rename(columns={"id": "run"}).drop(columns=["outcome", "started_at"]), on="run")
