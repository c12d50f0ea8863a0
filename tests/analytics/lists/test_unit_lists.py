"""Lists of units out of the copy against those of the truth, over random histories of what may happen to them."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runcard.analytics.lists import unit_lists
from runcard.domain.report import RunReport
from runcard.store.changes import last_seq
from runcard.store.pages import Page
from runcard.store.unit_lists import UnitFilter, list_units
from tests.analytics.copies import OwnCopy
from tests.analytics.lines import Line, after_all_that, events
from tests.histories import START, Floor, histories

ORDERS = ["last_run_at", "last_run_procedure"]
REPORT = RunReport(procedure="later", serial_number="SN", outcome="PASS", started_at=START)


@pytest.mark.parametrize("by", ORDERS)
@settings(max_examples=10, deadline=None)
@given(histories, events, st.booleans(), st.integers(3, 7))
def test_units(
    floor: Floor,
    followed: OwnCopy,
    by: str,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    descending: bool,
    limit: int,
) -> None:
    after_all_that(floor, followed, history, happened)
    with floor.database.read() as connection:
        snapshot = last_seq(connection)
        for number in count():
            page = Page(limit, number * limit, snapshot)
            expected = list_units(connection, floor.home, UnitFilter(), by, page, descending=descending)
            found = unit_lists.find_units(
                followed.copy, connection, floor.home, by, page, descending=descending
            )
            assert found == expected
            if not expected.has_more:
                break


@pytest.mark.parametrize("by", ORDERS)
def test_units_that_came_after_the_first_page_are_left_out(floor: Floor, followed: OwnCopy, by: str) -> None:
    Line(floor).record([REPORT])
    with floor.database.read() as connection:
        snapshot = last_seq(connection)
    line = Line(floor)
    line.record([REPORT])
    followed.follow()
    with floor.database.read() as connection:
        listed = [
            unit_lists.find_units(
                followed.copy, connection, floor.home, by, Page(1000, 0, since), descending=True
            )
            for since in (snapshot, None)
        ]
    serials = [{unit.serial_number for unit in one.rows} for one in listed if one is not None]
    assert [line.serial("SN") in found for found in serials] == [False, True]


@pytest.mark.parametrize("by", ORDERS)
def test_a_copy_that_is_ahead_of_the_reader_moves_nothing(floor: Floor, followed: OwnCopy, by: str) -> None:
    Line(floor).record([REPORT])
    with floor.database.read() as connection:
        last_seq(connection)  # from here on it sees this state
        Line(floor).record([REPORT])
        followed.follow()
        page = Page(5)
        listed = unit_lists.list_units(
            followed.copy, connection, floor.home, UnitFilter(), by, page, descending=True
        )
        assert listed == list_units(connection, floor.home, UnitFilter(), by, page, descending=True)
