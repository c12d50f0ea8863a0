"""Calls of the APIs: what is kept of them, what is asked of them, and how they go."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from runcard.domain.errors import ApiCallNotFound
from runcard.store.calls.lists import (
    CallFilter,
    CallPosition,
    SlotCount,
    count_calls,
    count_calls_by_slot,
    figure_calls,
    get_call,
    list_calls,
)
from runcard.store.calls.rows import (
    Call,
    Caller,
    Route,
    api_calls,
    create_api_calls,
    insert_calls,
    prune_calls,
)
from runcard.store.engine.column_types import microseconds_of
from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope

HOME, ELSEWHERE = UUID(int=1), UUID(int=2)
STATION = UUID(int=3)
LIST, OLD = Route("GET", "/api/v2/runs"), Route("POST", "/api/v1/runs", is_deprecated=True)
SINCE = datetime(2026, 5, 4, tzinfo=UTC)
SINCE_US = microseconds_of(SINCE)


def caller(organization_id: UUID = HOME, **fields: Any) -> Caller:
    usual: dict[str, Any] = {
        "key_prefix": "rc_12345",
        "owner_id": STATION,
        "client": "python-requests",
        "client_version": "2.32",
        "user_agent": "python-requests/2.32",
    }
    return Caller(organization_id, **(usual | fields))


def call(at_s: float = 0, **fields: Any) -> Call:
    usual: dict[str, Any] = {
        "duration_us": 5000,
        "status": 200,
        "route": LIST,
        "path": None,
    }
    return Call(SINCE_US + round(at_s * 1e6), **(usual | fields))


def wanted(**fields: Any) -> CallFilter:
    usual: dict[str, Any] = {"organization_id": HOME, "since": SINCE}
    return CallFilter(**(usual | fields))


@pytest.fixture
def calls(database: Database) -> Database:
    """Where calls can be kept."""
    create_api_calls(database)
    return database


def ids(database: Database, condition: CallFilter) -> Sequence[int]:
    with database.read() as connection:
        return [row.id for row in list_calls(connection, condition, 1000)]


def test_a_call_is_kept_as_it_was(calls: Database):
    create_api_calls(calls)  # another process, which finds it made
    failed = call(
        1.5,
        status=422,
        route=Route("POST", None, is_deprecated=True),
        path="/api/v2/runs/ä%'",
        query="a=1",
        body='{"x": "\n"}',
        answer="no",
    )
    insert_calls(calls, {caller(): [failed], caller(key_prefix="", owner_id=None): [call()]})
    with calls.read() as connection:
        first, last = list_calls(connection, wanted(), 10)
        detail = get_call(Scope(connection, HOME), first.id)
    assert first.at == SINCE + timedelta(seconds=1.5)
    assert first.duration == timedelta(milliseconds=5)
    assert (first.status, first.path) == (422, "/api/v2/runs/ä%'")
    assert first.route == failed.route
    assert first.route.is_deprecated is True
    assert (first.key_prefix, first.owner_id) == ("rc_12345", STATION)
    assert (first.client, first.client_version) == ("python-requests", "2.32")
    assert (detail.query, detail.body, detail.answer) == ("a=1", '{"x": "\n"}', "no")
    assert detail.user_agent == "python-requests/2.32"
    assert (last.key_prefix, last.owner_id, last.path, last.route) == ("", None, None, LIST)


def test_organizations_see_their_own(calls: Database):
    insert_calls(calls, {caller(): [call()], caller(ELSEWHERE): [call(), call()]})
    [mine] = ids(calls, wanted())
    assert len(ids(calls, wanted(organization_id=ELSEWHERE))) == 2
    with calls.read() as connection:
        assert figure_calls(connection, wanted()).calls == 1
        with pytest.raises(ApiCallNotFound):
            get_call(Scope(connection, ELSEWHERE), mine)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, 6),
        ({"since": SINCE + timedelta(seconds=1)}, 5),
        ({"method": "DELETE"}, 1),
        ({"path": "UNITS/sn_1"}, 1),
        ({"path": "units"}, 2),
        ({"path": "snx1"}, 0),
        ({"status": "2xx"}, 3),
        ({"status": "4xx"}, 2),
        ({"status": "5xx"}, 1),
        ({"status": "failed"}, 3),
        ({"client": "OpenHTF"}, 1),
        ({"owner_id": UUID(int=9)}, 1),
        ({"is_deprecated": True}, 1),
        ({"is_deprecated": False}, 5),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_filters(calls: Database, fields: Mapping[str, Any], found: int):
    insert_calls(
        calls,
        {
            caller(): [
                call(),
                call(1, route=Route("DELETE", "/api/v2/runs"), status=404),
                call(2, route=Route("GET", "/api/v2/units/{number}"), path="/api/v2/units/SN_1"),
                call(3, route=Route("GET", "/api/v2/units"), status=500),
                call(4, route=OLD),
            ],
            caller(client="openhtf", owner_id=UUID(int=9)): [call(5, status=422)],
        },
    )
    assert len(ids(calls, wanted(**fields))) == found


def test_pages_follow_each_other(calls: Database):
    insert_calls(calls, {caller(): [call(number // 3) for number in range(10)]})
    everything = ids(calls, wanted())
    paged: list[int] = []
    position = None
    with calls.read() as connection:
        while rows := list_calls(connection, wanted(), 4, position):
            paged += [row.id for row in rows]
            position = CallPosition(rows[-1].at_us, rows[-1].id)
    assert paged == everything
    assert paged == sorted(paged, reverse=True)


def test_calls_are_counted_only_as_far_as_is_asked(calls: Database):
    insert_calls(calls, {caller(): [call(number) for number in range(4)], caller(ELSEWHERE): [call()]})
    with calls.read() as connection:
        assert [count_calls(connection, wanted(), at_most) for at_most in (3, 4, 5)] == [3, 4, 4]
        assert count_calls(connection, wanted(status="5xx"), 5) == 0


def test_nothing_has_no_figures(calls: Database):
    with calls.read() as connection:
        totals = figure_calls(connection, wanted())
        assert (totals.calls, totals.mean, totals.p95, totals.success_ratio) == (0, None, None, None)
        assert totals.routes == []
        assert count_calls_by_slot(connection, wanted(), timedelta(minutes=1)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(
        st.tuples(st.integers(0, 100_000), st.sampled_from([200, 201, 404, 500]), st.booleans()), min_size=1
    )
)
def test_totals_are_those_of_the_calls(calls: Database, made: list[tuple[int, int, bool]]):
    with calls.writing_connection() as connection, connection.begin():
        connection.execute(delete(api_calls))
    insert_calls(
        calls,
        {
            caller(): [
                call(duration_us=took, status=status, route=OLD if old else LIST)
                for took, status, old in made
            ]
        },
    )
    with calls.read() as connection:
        totals = figure_calls(connection, wanted())
    took_us = sorted(took for took, _, _ in made)
    assert totals.calls == len(made)
    assert totals.failed == sum(status >= 400 for _, status, _ in made)
    assert totals.deprecated == sum(old for _, _, old in made)
    assert totals.mean is not None
    assert totals.mean / timedelta(microseconds=1) == pytest.approx(fmean(took_us), abs=1)
    assert totals.p95 is not None
    p95_us = totals.p95 / timedelta(microseconds=1)
    within, below = sum(one <= p95_us for one in took_us), sum(one < p95_us for one in took_us)
    assert p95_us in took_us
    assert below < 0.95 * len(made) <= within


def test_time_is_cut_into_slots(calls: Database):
    made = [call(-1), call(0), call(59.999999), call(60, status=500), call(180, status=301), call(181)]
    insert_calls(calls, {caller(): made})
    with calls.read() as connection:
        counted = count_calls_by_slot(connection, wanted(), timedelta(minutes=1))
    assert sorted(counted) == [
        SlotCount(0, "2xx", 2),
        SlotCount(1, "5xx", 1),
        SlotCount(3, "2xx", 1),
        SlotCount(3, "3xx", 1),
    ]


def test_the_slowest_routes_come_first(calls: Database):
    insert_calls(
        calls,
        {
            caller(): [
                call(duration_us=1000),
                call(duration_us=4000, status=500),
                call(duration_us=9000, route=OLD),
                call(duration_us=10, route=Route("GET", None), path="/api/v9", status=404),
            ]
        },
    )
    with calls.read() as connection:
        slowest, second, last = figure_calls(connection, wanted()).routes
    assert (slowest.route, slowest.calls) == (OLD, 1)
    assert (second.calls, second.failed) == (2, 1)
    assert second.mean == timedelta(microseconds=2500)
    assert second.longest == timedelta(microseconds=4000)
    assert last.route.path is None


def test_old_calls_go_and_those_beyond_a_number(calls: Database):
    insert_calls(calls, {caller(): [call(number) for number in range(10)]})
    assert prune_calls(calls, SINCE + timedelta(seconds=4)) == 4
    left = ids(calls, wanted())
    assert len(left) == 6
    assert prune_calls(calls, SINCE, most=2) == 4
    assert ids(calls, wanted()) == left[:2]
    assert prune_calls(calls, SINCE, most=2) == 0


def test_tables_of_an_older_runcard_get_the_column_that_they_lack(database: Database) -> None:
    create_api_calls(database)
    with database.writing_connection() as connection, connection.begin():
        connection.exec_driver_sql("ALTER TABLE api_calls DROP COLUMN request_id")
    for _ in range(2):
        create_api_calls(database)
    insert_calls(database, {caller(): [call(request_id="the-one")]})
    with database.read_in(HOME) as scope:
        [row] = list_calls(
            scope.connection, CallFilter(organization_id=HOME, since=SINCE, path="the-one"), 10
        )
        assert get_call(scope, row.id).request_id == "the-one"
        assert not list_calls(
            scope.connection, CallFilter(organization_id=HOME, since=SINCE, path="the-on"), 10
        )
