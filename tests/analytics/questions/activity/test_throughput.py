"""Throughput, against the record as dataframes."""

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.questions.activity.throughput import ThroughputRow, throughput
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_attempts, every_filter, every_group, selection
from tests.analytics.truth import group_names, selected_runs
from tests.histories import RUN_OUTCOMES


@every_filter
@every_attempts
def test_counts_are_those_of_the_record(line: Line, filter_name: str, attempts: Attempts):
    wanted = selection(line, filter_name, attempts)
    answer = throughput(line.snapshot, wanted, ZoneInfo("UTC"))
    runs = selected_runs(line.frames, wanted)
    assert _told(answer.total) == _expected(runs)
    assert answer.n == len(runs)
    assert answer.rows == []
    assert answer.is_exact


@every_group
def test_groups_share_out_the_runs(line: Line, group_by: GroupBy):
    wanted = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))
    answer = throughput(line.snapshot, wanted, ZoneInfo(ZONE), group_by)
    runs = selected_runs(line.frames, wanted)
    names = group_names(runs, group_by, ZONE)
    expected = {
        None if pd.isna(name) else name: _expected(some) for name, some in runs.groupby(names, dropna=False)
    }
    assert {row.group.name: _told(row) for row in answer.rows} == expected
    assert sum(row.runs for row in answer.rows) == answer.n == answer.total.runs


def test_a_unit_that_failed_and_passed_counts_with_both_outcomes(line: Line):
    runs = line.frames.counted
    again = runs[(runs["attempts"] == 2) & runs["sample"].isna()].groupby(["procedure_id", "unit_id"])
    mixed = [pair for pair, some in again if sorted(some["outcome"]) == ["FAIL", "PASS"]]
    assert len(mixed) > 3
    ids = [run for pair in mixed for run in again.get_group(pair)["id"]]
    answer = throughput(line.snapshot, Selection(RunFilter(ids=ids)), ZoneInfo("UTC"))
    assert (answer.total.runs, answer.total.units) == (2 * len(mixed), len(mixed))
    assert {one.outcome: (one.runs, one.units) for one in answer.total.outcomes} == {
        **dict.fromkeys(RUN_OUTCOMES, (0, 0)),
        "PASS": (len(mixed), len(mixed)),
        "FAIL": (len(mixed), len(mixed)),
    }


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = throughput(
        Snapshot(line.copy, Scope(line.connection, elsewhere)), Selection(RunFilter()), ZoneInfo("UTC"), "day"
    )
    assert (answer.n, answer.total.units, answer.rows) == (0, 0, [])


def _told(row: ThroughputRow) -> dict[str, tuple[Any, ...]]:
    return {"": (row.runs, row.units), **{one.outcome: (one.runs, one.units) for one in row.outcomes}}


def _expected(runs: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    return {
        "": _counts(runs),
        **{outcome: _counts(runs[runs["outcome"] == outcome]) for outcome in RUN_OUTCOMES},
    }


def _counts(runs: pd.DataFrame) -> tuple[int, int]:
    return len(runs), len(runs[["procedure_id", "unit_id"]].drop_duplicates())
