"""Lists of runs out of the copy against those of the truth, over random histories of what may happen to them."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.analytics.lists import run_lists
from runcard.domain.actor import SystemActor
from runcard.domain.runs.report import RunReport
from runcard.store.commit.changes import last_seq
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.products.parts import PartChange, change_part, get_part
from runcard.store.runs.matches import count_runs
from runcard.store.runs.records import RUN_ORDERS, RunSort, list_runs
from tests.analytics.copies import OwnCopy
from tests.analytics.lines import Line, after_all_that, events, of_line, run_filters
from tests.examples import one_in
from tests.histories import START, Floor, clocked_histories


@pytest.mark.parametrize("by", RUN_ORDERS)
@one_in(4)
@given(clocked_histories, events, run_filters, st.booleans(), st.integers(1, 4))
def test_runs(
    floor: Floor,
    followed: OwnCopy,
    by: RunSort,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
) -> None:
    runs = of_line(after_all_that(floor, followed, history, happened), asked)
    with floor.database.read_in(floor.home) as scope:
        snapshot = last_seq(scope.connection)
        for number in count():
            page = Page(limit, number * limit, snapshot)
            expected = list_runs(scope, runs, by, page, descending=descending)
            found = run_lists.find_runs(followed.copy, scope, runs, by, page, descending=descending)
            assert found == expected
            if not expected.has_more:
                break


@one_in(4)
@given(clocked_histories, events, run_filters, st.integers(1, 9))
def test_as_many_runs_are_counted_in_the_copy_as_in_the_truth(
    floor: Floor,
    followed: OwnCopy,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    asked: dict[str, Any],
    at_most: int,
) -> None:
    runs = of_line(after_all_that(floor, followed, history, happened), asked)
    with floor.database.read_in(floor.home) as scope:
        expected = count_runs(scope, runs, at_most)
        assert run_lists.count_runs(followed.copy, scope, runs, at_most) == expected
        every = list_runs(scope, runs, "started_at", Page(at_most), descending=True).rows
        assert expected == len(every)


def test_without_a_copy_runs_are_counted_only_along_an_index(floor: Floor) -> None:
    line = Line(floor)
    line.record([RunReport(procedure="later", serial_number="SN", outcome="PASS")] * 3)
    runs = RunFilter(procedure_ids=[line.procedure_id])
    with floor.database.read() as connection:
        assert run_lists.count_runs(None, Scope(connection, floor.home), runs, 9) == 3
        assert run_lists.count_runs(None, Scope(connection, floor.home), runs, 2) == 2
        assert run_lists.count_runs(None, Scope(connection, floor.elsewhere), runs, 9) == 0
        failed = replace(runs, outcomes=["FAIL"])
        assert run_lists.count_runs(None, Scope(connection, floor.home), failed, 9) is None


def test_the_number_that_a_part_has_now_orders_its_runs(floor: Floor, followed: OwnCopy) -> None:
    line = Line(floor)
    report = RunReport(procedure="later", serial_number="SN", outcome="PASS", started_at=START)
    line.record([report] * 3)  # of parts b, A and c
    followed.follow()

    def renumber(tx: SharedTransaction) -> None:
        part = get_part(tx.of(SystemActor(floor.home, "test")).scope, line.serial("A"))
        change_part(tx.of(SystemActor(floor.home, "test")), part, PartChange(number=line.serial("d")))

    floor.writer.write_shared(renumber)
    followed.follow()
    runs = RunFilter(procedure_ids=[line.procedure_id])
    with floor.database.read_in(floor.home) as scope:
        listed = run_lists.list_runs(followed.copy, scope, runs, "part_number", Page(9), descending=False)
    assert [run.part.number[0] for run in listed.rows] == ["b", "c", "d"]


def test_another_organization_sees_none_of_them(floor: Floor, followed: OwnCopy) -> None:
    line = Line(floor)
    line.record([RunReport(procedure="later", serial_number="SN", outcome="PASS")])
    followed.follow()
    with floor.database.read_in(floor.elsewhere) as scope:
        listed = run_lists.find_runs(
            followed.copy,
            scope,
            RunFilter(),
            "outcome",
            Page(9),
            descending=True,
        )
    assert listed is not None
    assert [run for run in listed.rows if run.id in line.runs] == []


def test_a_copy_that_has_not_seen_it_all_is_not_asked(floor: Floor, followed: OwnCopy) -> None:
    followed.follow()
    line = Line(floor)
    line.record([RunReport(procedure="later", serial_number="SN", outcome="PASS")])
    runs, page = RunFilter(procedure_ids=[line.procedure_id]), Page(9)
    with floor.database.read_in(floor.home) as scope:
        assert run_lists.find_runs(followed.copy, scope, runs, "duration", page, descending=True) is None
        listed = run_lists.list_runs(followed.copy, scope, runs, "duration", page, descending=True)
    assert [run.id for run in listed.rows] == line.runs
