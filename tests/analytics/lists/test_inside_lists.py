"""Lists out of the copy against those of the truth, over random histories of what may happen to runs and units."""

import math
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.lists import inside_lists, ordered_places
from runcard.domain.errors import InvalidInput, QueryTooSlow
from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.store.commit.changes import last_seq
from runcard.store.contents.inside_runs import MAX_PLACES, Deadline, Listing
from runcard.store.contents.logs import LOG_ORDERS, LogFilter, LogSort
from runcard.store.contents.measurements import MEASUREMENT_ORDERS, MeasurementFilter, MeasurementSort
from runcard.store.contents.phases import PHASE_ORDERS, PhaseFilter, PhaseSort
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed, Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.metadata import MetadataTest
from runcard.store.runs import resolved_filter
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.lines import Line, after_all_that, events, of_line, run_filters
from tests.examples import one_in
from tests.histories import (
    KINDS,
    LONG,
    MEASUREMENT_OUTCOMES,
    START,
    Floor,
    clocked_histories,
    conditions,
    log_filters,
    moments,
    phase_filters,
    some_of,
)

measurement_filters = conditions(
    {
        "only_final": st.booleans(),
        "names": some_of("mo"),
        "phase_names": some_of("pq"),
        "outcomes": some_of(MEASUREMENT_OUTCOMES),
        "kinds": some_of(KINDS),
        "started_after": moments,
        "value_min": st.sampled_from([-2, 0.5, 1, 2.0**53, math.nan, -math.inf]),
        "value_max": st.sampled_from([0, 1, 1.5, 2.0**53, math.nan, math.inf]),
        "value_bool": st.booleans(),
        "value_strings": some_of(["", "a", "c"]),
    },
    at_most=2,
)
few = one_in(4)

List = Callable[[ColumnarCopy | None, Any, Page], Listed[Any]]


def pages(floor: Floor, copy: ColumnarCopy | None, list_: List, limit: int) -> list[list[Any]]:
    """All pages of a list as the copy, or as the truth tells it."""
    found = []
    with floor.database.read() as connection:
        snapshot = last_seq(connection)
        for number in count():
            listed = list_(copy, connection, Page(limit, number * limit, snapshot))
            found.append([(one.id, one.run, repr(one.item)) for one in listed.rows])
            if not listed.has_more:
                return found
    raise AssertionError


def check(
    floor: Floor,
    followed: OwnCopy,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    limit: int,
    list_of: Callable[[Line], List],
) -> None:
    list_ = list_of(after_all_that(floor, followed, history, happened))
    expected = pages(floor, None, list_, limit)
    assert pages(floor, followed.copy, list_, limit) == expected
    with pytest.MonkeyPatch.context() as patch:  # as where there are more rows than are sorted at once
        patch.setattr(ordered_places, "FEW", 2)
        patch.setattr(ordered_places, "RUNS_PER_ROW", (0.1, 0.5))
        assert pages(floor, followed.copy, list_, limit) == expected


def time_for(copy: ColumnarCopy | None) -> Deadline:
    """Where the copy is asked, the truth has no time to answer in its place."""
    return Deadline(LONG if copy is None else 0)


@pytest.mark.parametrize("by", PHASE_ORDERS)
@few
@given(clocked_histories, events, run_filters, phase_filters, st.booleans(), st.integers(1, 4), st.booleans())
def test_phases(
    floor: Floor,
    followed: OwnCopy,
    by: PhaseSort,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    of_runs: dict[str, Any],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
    by_id: bool,
) -> None:
    def list_of(line: Line) -> List:
        inner = [part_id(run_id, RunPart.PHASE, place) for run_id in line.runs for place in (0, 2)]
        other = [part_id(run_id, RunPart.LOG, 0) for run_id in line.runs]
        ids = [*inner, *other, line.runs[0], uuid4()] if by_id else None
        wanted, runs = PhaseFilter(ids=ids, **asked), of_line(line, of_runs)
        return lambda copy, connection, page: inside_lists.list_phases(
            copy, Scope(connection, floor.home), runs, wanted, Listing(by, page, time_for(copy), descending)
        )

    check(floor, followed, history, happened, limit, list_of)


@pytest.mark.parametrize("by", MEASUREMENT_ORDERS)
@few
@given(
    clocked_histories,
    events,
    run_filters,
    measurement_filters,
    st.booleans(),
    st.integers(1, 4),
    st.booleans(),
)
def test_measurements(
    floor: Floor,
    followed: OwnCopy,
    by: MeasurementSort,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    of_runs: dict[str, Any],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
    by_id: bool,
) -> None:
    def list_of(line: Line) -> List:
        ids = [part_id(run_id, RunPart.MEASUREMENT, 1) for run_id in line.runs] + line.runs[1:2]
        wanted, runs = MeasurementFilter(ids=ids if by_id else None, **asked), of_line(line, of_runs)
        return lambda copy, connection, page: inside_lists.list_measurements(
            copy, Scope(connection, floor.home), runs, wanted, Listing(by, page, time_for(copy), descending)
        )

    check(floor, followed, history, happened, limit, list_of)


@pytest.mark.parametrize("by", LOG_ORDERS)
@few
@given(clocked_histories, events, run_filters, log_filters, st.booleans(), st.integers(1, 4))
def test_logs(
    floor: Floor,
    followed: OwnCopy,
    by: LogSort,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    of_runs: dict[str, Any],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
) -> None:
    def list_of(line: Line) -> List:
        wanted, runs = LogFilter(**asked), of_line(line, of_runs)
        return lambda copy, connection, page: inside_lists.list_logs(
            copy, Scope(connection, floor.home), runs, wanted, Listing(by, page, time_for(copy), descending)
        )

    check(floor, followed, history, happened, limit, list_of)


@one_in(5)
@given(st.lists(st.tuples(clocked_histories, events), min_size=1, max_size=4))
def test_a_copy_that_followed_holds_what_a_rebuilt_one_does(
    floor: Floor, followed: OwnCopy, pasts: list[tuple[list[RunReport], list[tuple[str, int]]]]
) -> None:
    for history, happened in pasts:
        after_all_that(floor, followed, history, happened)
    with own_copy(floor.database) as rebuilt:
        rebuilt.follow()
        assert rebuilt.content() == followed.content()


def test_runs_that_changed_after_they_were_copied_are_copied_again(floor: Floor, followed: OwnCopy) -> None:
    line = Line(floor)
    line.record([LOGGED] * 3)
    followed.follow()
    line.happen("delete the batch", 0)
    line.happen("rename", 0)
    followed.follow()
    with own_copy(floor.database) as rebuilt:
        rebuilt.follow()
        assert rebuilt.content() == followed.content()


# Of which a double cannot tell some from their neighbours.
WHOLE = [2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("bound", [2.0**53, -(2.0**53), 2.0**63, -(2.0**63)])
@pytest.mark.parametrize("name", ["value_min", "value_max"])
def test_integers_beyond_doubles_keep_bounds_and_order_exactly(
    floor: Floor, followed: OwnCopy, bound: float, name: str
) -> None:
    line = Line(floor)
    measured = tuple(Measurement("m", "PASS", value) for value in (*WHOLE, 2.0**53))
    line.record([replace(LOGGED, phases=(Phase("p", "PASS", START, START, measured),))])
    followed.follow()
    is_lower = name == "value_min"
    wanted = MeasurementFilter(value_min=bound) if is_lower else MeasurementFilter(value_max=bound)
    with floor.database.read_in(floor.home) as scope:
        listed = inside_lists.list_measurements(
            followed.copy,
            scope,
            RunFilter(procedure_ids=[line.procedure_id]),
            wanted,
            Listing("value", Page(99), Deadline(0), descending=False),
        )
    values = [one.item.measurement.value for one in listed.rows]
    kept = [one for one in (*WHOLE, 2.0**53) if (one >= bound if is_lower else one <= bound)]
    assert values == sorted(kept)


def log_pages(
    floor: Floor, copy: ColumnarCopy | None, runs: RunFilter, page: Page, home: UUID | None = None
) -> Listed[Any]:
    with floor.database.read_in(home or floor.home) as scope:
        return inside_lists.list_logs(
            copy,
            scope,
            runs,
            LogFilter(),
            Listing("created_at", page, time_for(copy), descending=True),
        )


LOGGED = RunReport(
    procedure="later",
    serial_number="SN",
    part_number="P",
    outcome="PASS",
    logs=(Log("INFO", START, "one", "a.py", 1),),
)


def test_what_is_recorded_between_two_pages_moves_nothing(floor: Floor, followed: OwnCopy) -> None:
    line = Line(floor)
    for _ in range(4):  # one by one, so that the ids are of different milliseconds
        line.record([LOGGED])
    followed.follow()
    runs = RunFilter(procedure_ids=[line.procedure_id])
    with floor.database.read() as connection:
        snapshot = last_seq(connection)
    first = log_pages(floor, followed.copy, runs, Page(2, 0, snapshot))
    line.record([LOGGED] * 2)
    followed.follow()
    second = log_pages(floor, followed.copy, runs, Page(2, 2, snapshot))
    assert [one.run.id for one in (*first.rows, *second.rows)] == sorted(line.runs[:4], reverse=True)
    assert (first.has_more, second.has_more) == (True, False)


def test_a_copy_that_is_ahead_of_the_reader_shows_nothing_that_the_reader_cannot_find(
    floor: Floor, followed: OwnCopy
) -> None:
    line = Line(floor)
    line.record([LOGGED])
    runs = RunFilter(procedure_ids=[line.procedure_id])
    with floor.database.read_in(floor.home) as scope:
        seen = last_seq(scope.connection)
        line.record([LOGGED] * 3)
        followed.follow()
        page = Page(1, 0, seen)
        found = inside_lists.list_logs(
            followed.copy,
            scope,
            runs,
            LogFilter(),
            Listing("run_id", page, Deadline(0), descending=True),
        )
    assert [one.run.id for one in found.rows] == line.runs[:1]
    assert not found.has_more


def test_another_organization_sees_none_of_it(floor: Floor, followed: OwnCopy) -> None:
    line = Line(floor)
    line.record([LOGGED])
    followed.follow()
    for runs in (RunFilter(), RunFilter(procedure_ids=[line.procedure_id]), RunFilter(ids=line.runs)):
        found = log_pages(floor, followed.copy, runs, Page(9), floor.elsewhere)
        assert [one for one in found.rows if one.run.id in line.runs] == []


def test_more_places_than_a_list_keeps_are_refused(floor: Floor, followed: OwnCopy) -> None:
    with pytest.raises(InvalidInput) as refused:
        log_pages(floor, followed.copy, RunFilter(), Page(1, MAX_PLACES))
    assert refused.value.issues[0].path == ("cursor",)


def test_a_copy_that_has_not_seen_it_all_is_not_asked(floor: Floor, followed: OwnCopy) -> None:
    followed.follow()
    line = Line(floor)
    line.record([LOGGED])
    runs = RunFilter(procedure_ids=[line.procedure_id])
    with pytest.raises(QueryTooSlow):  # by the truth, which is given no time here
        log_pages(floor, followed.copy, runs, Page(9))
    followed.follow()
    assert [one.run.id for one in log_pages(floor, followed.copy, runs, Page(9)).rows] == line.runs


def test_metadata_of_more_runs_than_can_be_named_is_asked_of_the_truth(
    floor: Floor, followed: OwnCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(floor)
    line.record([LOGGED] * 2)
    followed.follow()
    runs = RunFilter(procedure_ids=[line.procedure_id], metadata=[MetadataTest("place", at_least=0.0)])
    assert len(log_pages(floor, followed.copy, runs, Page(9)).rows) == 2
    monkeypatch.setattr(resolved_filter, "MAX_IDS", 1)
    with pytest.raises(QueryTooSlow):
        log_pages(floor, followed.copy, runs, Page(9))
