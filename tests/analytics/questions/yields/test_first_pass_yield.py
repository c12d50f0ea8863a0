"""Yield, against the record as dataframes."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from msgspec.structs import replace

from runcard.analytics.groups import GroupBy
from runcard.analytics.questions.activity.procedure_activity import procedure_activity
from runcard.analytics.questions.yields.first_pass_yield import YieldRow, first_pass_yield
from runcard.analytics.questions.yields.rolled_yield import rolled_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.phase import Phase
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_filter, every_group, selection
from tests.analytics.truth import group_names, selected_runs
from tests.analytics.written import START, Writing, run_of


@every_filter
def test_yields_are_those_of_the_record(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    answer = first_pass_yield(line.snapshot, wanted, ZoneInfo("UTC"))
    first = selected_runs(line.frames, wanted._replace(attempts="first"))
    assert _told(answer.total) == _expected(line, first)
    assert answer.n == len(first)
    assert answer.rows == []
    assert answer.window.started_after == wanted.runs.started_after


@every_group
def test_groups_share_out_the_units(line: Line, group_by: GroupBy):
    wanted = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))
    answer = first_pass_yield(line.snapshot, wanted, ZoneInfo(ZONE), group_by)
    first = selected_runs(line.frames, wanted._replace(attempts="first"))
    names = group_names(first, group_by, ZONE)
    expected = {name: _expected(line, some) for name, some in first.groupby(names, dropna=False)}
    told = {row.group.name: _told(row) for row in answer.rows}
    assert told == {(None if pd.isna(name) else name): figures for name, figures in expected.items()}
    assert [row.group.name for row in answer.rows if row.group.name is not None] == sorted(
        name for name in told if name is not None
    )
    assert sum(row.units for row in answer.rows) == answer.n == answer.total.units


@every_filter
def test_runs_without_a_verdict_may_be_passed_over(line: Line, filter_name: str):
    wanted = selection(line, filter_name, "first_completed")
    answer = first_pass_yield(line.snapshot, wanted, ZoneInfo("UTC"))
    first = selected_runs(line.frames, wanted)
    verdicts = line.frames.counted.dropna(subset=["completed"]).set_index(["procedure_id", "unit_id"])
    second = final = 0
    for key in first[["procedure_id", "unit_id"]].itertuples(index=False, name=None):
        own = verdicts.loc[[key]].sort_values("completed")
        second += "PASS" in own.loc[own["completed"] <= 2, "outcome"].tolist()
        final += own["outcome"].iloc[-1] == "PASS"
    told = answer.total
    passed = int((first["outcome"] == "PASS").sum())
    assert (answer.n, answer.window.attempts) == (len(first), "first_completed")
    assert (told.first_pass.count, told.second_pass.count, told.final.count) == (passed, second, final)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["ABORTED", "PASS"], (1, 1, 1, 1)),
        (["ERROR", "FAIL", "TIMEOUT", "PASS"], (1, 0, 1, 1)),
        (["PASS", "ABORTED"], (1, 1, 1, 1)),
        (["FAIL", "PASS", "FAIL", "ERROR"], (1, 0, 1, 0)),
        (["ABORTED", "ERROR"], (0, 0, 0, 0)),
    ],
)
def test_the_first_completed_run_is_the_first_with_a_verdict(
    tmp_path: Path, outcomes: list[RunOutcome], expected: tuple[int, ...], written: Writing
):
    reports = [replace(run_of(number), serial_number="S", outcome=one) for number, one in enumerate(outcomes)]
    wanted = Selection(RunFilter(), "first_completed")
    with written(tmp_path, reports) as floor:
        answer = first_pass_yield(floor.snapshot, wanted, ZoneInfo("UTC"))
        parts = rolled_yield(floor.snapshot, wanted).parts
        activity = list(procedure_activity(floor.snapshot, wanted).values())
    total = answer.total
    told = (total.units, total.first_pass.count, total.second_pass.count, total.final.count)
    assert told == expected
    assert "PASS or FAIL" in answer.definition
    assert [one.rolled_yield for one in parts] == [expected[1]] * expected[0]
    assert [one.first_pass.count for one in activity] == [expected[1]] * expected[0]


def test_a_unit_counts_once_wherever_its_retests_are(line: Line):
    retested = line.frames.counted.query("attempts > 1 and attempt == 2 and sample.isna()")
    assert len(retested) > 10
    later = Selection(RunFilter(ids=retested["id"].tolist()))
    answer = first_pass_yield(line.snapshot, later, ZoneInfo("UTC"))
    assert answer.n == 0
    assert answer.total.first_pass.ratio is None


def test_a_defect_that_a_repeated_phase_hides_counts(tmp_path: Path, written: Writing):
    """The phase failed twice before it passed, so that its run passed."""
    tried = [Phase("p", one, START, START, (Measurement("m", one, 1),)) for one in ("FAIL", "FAIL", "PASS")]
    phases = tuple(replace(one, retry_count=number) for number, one in enumerate(tried))
    with written(tmp_path, [replace(run_of(0), phases=phases)]) as floor:
        total = first_pass_yield(floor.snapshot, Selection(RunFilter()), ZoneInfo("UTC")).total
    assert (total.opportunities, total.defects, total.first_pass.ratio) == (3, 2, 1)
    assert total.dpmo == pytest.approx(2e6 / 3)


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = first_pass_yield(
        Snapshot(line.copy, Scope(line.connection, elsewhere)), Selection(RunFilter()), ZoneInfo("UTC")
    )
    assert answer.n == 0


def _told(row: YieldRow) -> tuple[Any, ...]:
    return (
        row.units,
        row.first_pass.count,
        row.second_pass.count,
        row.final.count,
        row.opportunities,
        row.defects,
        pytest.approx(row.dpmo) if row.dpmo is not None else None,
    )


def _expected(line: Line, first: pd.DataFrame) -> tuple[Any, ...]:
    runs = line.frames.counted.set_index(["procedure_id", "unit_id", "attempt"])["outcome"]
    pairs = first[["procedure_id", "unit_id", "attempts"]].itertuples(index=False)
    units = second = final = 0
    for procedure, unit, attempts in pairs:
        units += 1
        second += "PASS" in [runs.get((procedure, unit, attempt)) for attempt in (1, 2)]
        final += runs[procedure, unit, attempts] == "PASS"
    inside = line.frames.measurements
    inside = inside[inside["run"].isin(first["id"]) & (inside["outcome"] != "UNSET")]
    defects = int((inside["outcome"] == "FAIL").sum())
    passed = int((first["outcome"] == "PASS").sum())
    return (
        units,
        passed,
        second,
        final,
        len(inside),
        defects,
        1e6 * defects / len(inside) if len(inside) else None,
    )
