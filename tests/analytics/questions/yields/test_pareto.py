"""What fails most, against the record as dataframes."""

from typing import Any, get_args

import pandas as pd
import pytest
from hypothesis import given

from runcard.analytics.attempts import Attempts
from runcard.analytics.questions.yields.pareto import Failing, ParetoAnswer, ParetoKind, pareto
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.runs.report import RunReport
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.copies import OwnCopy
from tests.analytics.selections import every_attempts, every_filter, selection
from tests.analytics.truth import Frames, read_frames, selected_runs
from tests.examples import one_in
from tests.histories import Floor, histories

EVERYTHING = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))
KINDS: tuple[ParetoKind, ...] = get_args(ParetoKind)
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_filter
@every_kind
@pytest.mark.parametrize("only_final", [True, False], ids=["final", "all"])
def test_failures_are_those_of_the_record(line: Line, filter_name: str, kind: ParetoKind, only_final: bool):
    wanted, failing = selection(line, filter_name), Failing(kind, only_final, 200)
    answer = pareto(line.snapshot, wanted, failing)
    _check(answer, line.frames, wanted, failing)


@every_attempts
@every_kind
def test_failures_are_of_the_attempts_that_are_asked_for(line: Line, attempts: Attempts, kind: ParetoKind):
    wanted, failing = EVERYTHING._replace(attempts=attempts), Failing(kind, top=200)
    answer = pareto(line.snapshot, wanted, failing)
    _check(answer, line.frames, wanted, failing)


@given(history=histories)
@one_in(2)
def test_failures_in_sequences_and_repeated_phases(floor: Floor, followed: OwnCopy, history: list[RunReport]):
    procedure_id = floor.procedure()
    floor.record(procedure_id, history)
    followed.follow()
    wanted = Selection(RunFilter(procedure_ids=[procedure_id]))
    with floor.database.read_in(floor.home) as scope:
        frames = read_frames(scope.connection, floor.home)
        for kind in KINDS:
            for only_final in (True, False):
                failing = Failing(kind, only_final, 200)
                answer = pareto(Snapshot(followed.copy, scope), wanted, failing)
                _check(answer, frames, wanted, failing)


@every_kind
def test_what_is_not_on_top_is_counted_together(line: Line, kind: ParetoKind):
    whole, part = (pareto(line.snapshot, EVERYTHING, Failing(kind, top=top)) for top in (200, 3))
    assert len(whole.rows) > 4
    assert part.rows == whole.rows[:3]
    assert (part.failures, part.runs_affected) == (whole.failures, whole.runs_affected)
    left_out = whole.rows[3:]
    assert part.others.names == len(left_out)
    assert part.others.failures == sum(row.failures for row in left_out)
    assert part.others.share == pytest.approx(sum(row.share for row in left_out))
    assert (whole.others.names, whole.others.failures, whole.others.share) == (0, 0, 0.0)


def test_where_nothing_failed_there_is_no_share(line: Line):
    passed = Selection(RunFilter(outcomes=["PASS"]))
    answer = pareto(line.snapshot, passed, Failing())
    assert answer.n > 0
    assert (answer.failures, answer.runs_affected, answer.rows) == (0, 0, [])
    assert answer.others.share is None


@every_kind
def test_another_organization_sees_nothing(line: Line, kind: ParetoKind):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = pareto(Snapshot(line.copy, Scope(line.connection, elsewhere)), EVERYTHING, Failing(kind))
    assert (answer.n, answer.failures, answer.rows) == (0, 0, [])


def _check(answer: ParetoAnswer, frames: Frames, wanted: Selection, failing: Failing) -> None:
    runs = selected_runs(frames, wanted)
    failed = _failed(frames, runs, failing)
    assert (answer.n, answer.failures, answer.runs_affected) == (
        len(runs),
        len(failed),
        failed["run"].nunique(),
    )
    told = {
        (row.procedure.name, row.sequence_path, row.phase, row.measurement): (
            row.failures,
            row.runs,
            row.share,
        )
        for row in answer.rows
    }
    assert len(told) == len(answer.rows)
    assert told == _expected(failed)
    assert [row.cumulated_share for row in answer.rows] == pytest.approx(
        pd.Series([row.share for row in answer.rows], dtype=float).cumsum().tolist()
    )
    keys = [
        (-row.failures, -row.runs, row.phase, row.sequence_path or "", row.measurement or "")
        for row in answer.rows
    ]
    assert keys == sorted(keys)


def _failed(frames: Frames, runs: pd.DataFrame, failing: Failing) -> pd.DataFrame:
    """One row for each failure: run, procedure, path, phase and measurement."""
    if failing.kind == "measurements":
        inside = frames.measurements.rename(columns={"name": "measurement"})
    else:
        inside = frames.phases.rename(columns={"name": "phase"}).assign(measurement=None)
    inside = inside[inside["outcome"].isin(["FAIL"] if failing.kind == "measurements" else ["FAIL", "ERROR"])]
    if failing.only_final:
        inside = inside[inside["is_final"].astype(bool)]
    if failing.kind == "first_failing_phases":
        inside = inside.sort_values("position").drop_duplicates("run")
    procedures = runs[["id", "procedure"]].rename(columns={"id": "run"})
    columns = ["run", "procedure", "path", "phase", "measurement"]
    return inside.merge(procedures, on="run")[columns]


def _expected(failed: pd.DataFrame) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    names = ["procedure", "path", "phase", "measurement"]
    return {
        tuple(None if pd.isna(one) else one for one in name): (
            len(some),
            some["run"].nunique(),
            pytest.approx(len(some) / len(failed)),
        )
        for name, some in failed.groupby(names, dropna=False)
    }
