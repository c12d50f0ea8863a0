"""Lists of units out of the copy against those of the truth, over random histories of what may happen to them."""

from functools import partial
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.analytics.lists import unit_lists
from runcard.domain.runs.report import RunReport
from runcard.store.commit.changes import last_seq
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.units.lists import UnitFilter, UnitSort, list_units
from tests.analytics.copies import OwnCopy
from tests.analytics.lines import Line, after_all_that, events
from tests.examples import one_in
from tests.histories import START, Floor, clocked_histories

ORDERS = ["last_run_at", "last_run_procedure"]
REPORT = RunReport(procedure="later", serial_number="SN", outcome="PASS", started_at=START)


@pytest.mark.parametrize("by", ORDERS)
@one_in(4)
@given(clocked_histories, events, st.booleans(), st.integers(3, 7))
def test_units(
    floor: Floor,
    followed: OwnCopy,
    by: UnitSort,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    descending: bool,
    limit: int,
) -> None:
    after_all_that(floor, followed, history, happened)
    with floor.database.read_in(floor.home) as scope:
        snapshot = last_seq(scope.connection)
        for number in count():
            page = Page(limit, number * limit, snapshot)
            expected = list_units(scope, UnitFilter(), by, page, descending=descending)
            found = unit_lists.find_units(followed.copy, scope, by, page, descending=descending)
            assert found == expected
            if not expected.has_more:
                break


@pytest.mark.parametrize("by", ORDERS)
def test_units_that_came_after_the_first_page_are_left_out(
    floor: Floor, followed: OwnCopy, by: UnitSort
) -> None:
    Line(floor).record([REPORT])
    with floor.database.read() as connection:
        snapshot = last_seq(connection)
    line = Line(floor)
    line.record([REPORT])
    followed.follow()
    with floor.database.read_in(floor.home) as scope:
        listed = [
            unit_lists.find_units(followed.copy, scope, by, Page(1000, 0, since), descending=True)
            for since in (snapshot, None)
        ]
    serials = [{unit.serial_number for unit in one.rows} for one in listed if one is not None]
    assert [line.serial("SN") in found for found in serials] == [False, True]


@pytest.mark.parametrize("by", ORDERS)
def test_a_copy_that_is_ahead_of_the_reader_moves_nothing(
    floor: Floor, followed: OwnCopy, by: UnitSort
) -> None:
    Line(floor).record([REPORT])
    with floor.database.read_in(floor.home) as scope:
        last_seq(scope.connection)  # from here on it sees this state
        Line(floor).record([REPORT])
        followed.follow()
        page = Page(5)
        listed = unit_lists.list_units(followed.copy, scope, UnitFilter(), by, page, descending=True)
        assert listed == list_units(scope, UnitFilter(), by, page, descending=True)


FAILED = RunFilter(outcomes=["FAIL"])
FILTERS = [
    UnitFilter(with_run=FAILED),
    UnitFilter(with_newest_run=FAILED),
    UnitFilter(with_run=RunFilter(outcomes=["PASS"]), with_newest_run=FAILED),
]


@pytest.mark.parametrize("wanted", FILTERS, ids=["with a failure", "that failed last", "that passed before"])
@one_in(4)
@given(clocked_histories, events, st.booleans())
def test_units_by_their_runs(
    floor: Floor,
    followed: OwnCopy,
    wanted: UnitFilter,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    descending: bool,
) -> None:
    after_all_that(floor, followed, history, happened)
    with floor.database.read_in(floor.home) as scope:
        told = unit_lists.by_ids(followed.copy, scope, wanted)
        assert (told.with_run, told.with_newest_run) == (None, None)
        for some in (wanted, replace(wanted, ids=(told.ids or [])[::2])):
            expected, found = (
                lister(scope, some, "created_at", Page(5), descending=descending)
                for lister in (list_units, partial(unit_lists.list_units, followed.copy))
            )
            assert found == expected


def test_many_units_by_their_runs_are_left_to_the_truth(
    floor: Floor, followed: OwnCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    Line(floor).record([replace(REPORT, serial_number=f"SN-{n}", outcome="FAIL") for n in range(3)])
    followed.follow()
    monkeypatch.setattr(unit_lists, "MAX_WITH_RUN", 2)
    with floor.database.read_in(floor.home) as scope:
        assert unit_lists.by_ids(followed.copy, scope, FILTERS[0]) == FILTERS[0]
