"""Retests, against the record as dataframes."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from runcard.analytics.groups import GroupBy
from runcard.analytics.questions.yields import retest as module
from runcard.analytics.questions.yields.retest import ManyAttempts, RetestRow, retest
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.ratios import ratio_of
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import ZONE, every_filter, every_group, selection
from tests.analytics.truth import group_names, selected_runs

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter(samples=["production", "golden", "failing", "ignored"]))


@every_filter
def test_figures_are_those_of_the_record(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    answer = retest(line.snapshot, wanted, UTC, many=ManyAttempts(1, 200))
    first = selected_runs(line.frames, wanted._replace(attempts="first"))
    assert _told(answer.total) == _expected(line, first)
    assert answer.n == len(first)
    assert answer.rows == []
    assert {one.attempts: one.units for one in answer.attempts} == first["attempts"].value_counts().to_dict()
    assert not any(one.or_more for one in answer.attempts)
    moves = {(one.first_station.name, one.passing_station.name): one.units for one in answer.moves}
    assert moves == Counter(_moves(line, first))
    assert answer.units_over == (first["attempts"] > 1).sum()


@every_group
def test_groups_share_out_the_units(line: Line, group_by: GroupBy):
    answer = retest(line.snapshot, EVERYTHING, ZoneInfo(ZONE), group_by)
    first = selected_runs(line.frames, EVERYTHING._replace(attempts="first"))
    names = group_names(first, group_by, ZONE)
    expected = {
        None if pd.isna(name) else name: _expected(line, some)
        for name, some in first.groupby(names, dropna=False)
    }
    assert {row.group.name: _told(row) for row in answer.rows} == expected
    assert sum(row.units for row in answer.rows) == answer.n


def test_units_with_many_attempts_come_in_pages(line: Line):
    first = selected_runs(line.frames, EVERYTHING._replace(attempts="first"))
    many = first[first["attempts"] > 1]
    last = line.frames.runs.query("attempt == attempts").set_index(["procedure_id", "unit_id"])["outcome"]
    expected = {
        (one.serial, one.procedure): (one.attempts, last[one.procedure_id, one.unit_id])
        for one in many.itertuples()
    }
    told: dict[tuple[str, Any], tuple[int, str]] = {}
    attempts: list[int] = []
    for offset in range(0, len(many) + 7, 7):
        page = retest(line.snapshot, EVERYTHING, UTC, many=ManyAttempts(1, 7, offset)).unit_page
        told |= {(one.serial_number, one.procedure.name): (one.attempts, one.last_outcome) for one in page}
        attempts += [one.attempts for one in page]
    assert told == expected
    assert attempts == sorted(many["attempts"], reverse=True)


def test_units_that_never_passed_have_no_attempt_that_did(line: Line):
    page = retest(line.snapshot, EVERYTHING, UTC, many=ManyAttempts(2, 200)).unit_page
    counted = line.frames.counted.set_index(["serial", "procedure"])
    assert page
    for one in page:
        own = counted.loc[[(one.serial_number, one.procedure.name)]]
        passed = own.loc[own["outcome"] == "PASS", "attempt"]
        assert one.passed_at == (None if passed.empty else passed.min())


def test_the_tail_of_attempts_is_counted_together(line: Line, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MANY_ATTEMPTS", 2)
    answer = retest(line.snapshot, EVERYTHING, UTC)
    first = selected_runs(line.frames, EVERYTHING._replace(attempts="first"))
    assert [(one.attempts, one.or_more, one.units) for one in answer.attempts] == [
        (1, False, (first["attempts"] == 1).sum()),
        (2, True, (first["attempts"] >= 2).sum()),
    ]


def test_the_most_frequent_moves_stand_for_too_many(line: Line, monkeypatch: pytest.MonkeyPatch):
    answer = retest(line.snapshot, EVERYTHING, UTC)
    units = [one.units for one in answer.moves]
    assert len(units) > 1
    assert units == sorted(units, reverse=True)
    monkeypatch.setattr(module, "MAX_MOVES", 1)
    assert retest(line.snapshot, EVERYTHING, UTC).moves == answer.moves[:1]


def test_another_organization_sees_nothing(line: Line):
    elsewhere = line.frames.runs["id"].iloc[0]
    answer = retest(
        Snapshot(line.copy, Scope(line.connection, elsewhere)), EVERYTHING, UTC, "day", ManyAttempts(1)
    )
    assert (answer.n, answer.rows, answer.attempts, answer.moves) == (0, [], [], [])
    assert (answer.units_over, answer.unit_page) == (0, [])
    assert answer.total.retested.ratio is None


def _told(row: RetestRow) -> tuple[Any, ...]:
    return row.units, row.retested, row.passed_after_retest, row.passed_elsewhere


def _expected(line: Line, first: pd.DataFrame) -> tuple[Any, ...]:
    again = first[first["attempts"] > 1]
    failed = again[again["outcome"] != "PASS"]
    passed = sum(_passing(line, one) is not None for one in failed.itertuples())
    moves = _moves(line, first)
    return (
        len(first),
        ratio_of(len(again), len(first)),
        ratio_of(passed, len(failed)),
        ratio_of(sum(one != other for one, other in moves), len(moves)),
    )


def _moves(line: Line, first: pd.DataFrame) -> list[tuple[str, str]]:
    """For each unit that passed later only, where it was first, and where it passed."""
    failed = first[first["outcome"] != "PASS"]
    pairs = [(one.station, _passing(line, one)) for one in failed.itertuples()]
    return [(station, passing) for station, passing in pairs if passing is not None]


def _passing(line: Line, first: Any) -> str | None:
    """The station at which a unit passed first; None where it never did."""
    runs = line.frames.counted
    own = runs[(runs["unit_id"] == first.unit_id) & (runs["procedure_id"] == first.procedure_id)]
    passed = own[own["outcome"] == "PASS"].sort_values("attempt")
    return None if passed.empty else passed["station"].iloc[0]
