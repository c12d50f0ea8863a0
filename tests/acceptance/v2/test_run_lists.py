"""Lists of runs: every filter, every order, and pages that stay true while runs are added."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorBADREQUEST

from tests.acceptance.v2.reporting import STARTED_AT, report
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]


class Line(NamedTuple):
    """Three runs that differ in everything; `unit` beginning with `prefix`."""

    prefix: str
    ids: Sequence[str]


@pytest.fixture(scope="module")
def line(server: Server, user: TofuPilot, station: TofuPilot) -> Line:
    acme, prefix = server.world.acme, "LINE"
    day = timedelta(days=1)
    given: list[tuple[TofuPilot, dict[str, Any]]] = [
        (
            user,
            {
                "serial_number": f"{prefix}-C",
                "part_number": f"{prefix}-PA",
                "revision_number": "R2",
                "batch_number": f"{prefix}-B1",
                "procedure_version": f"{prefix}-v1",
                "outcome": "FAIL",
                "operated_by": acme.admin.email,
                "metadata": {"line": 1, "shift": "early"},
                "execution_id": f"{prefix}-E1",
                "slot_key": "s1",
                "slot_name": "One",
            },
        ),
        (
            station,
            {
                "serial_number": f"{prefix}-A",
                "part_number": f"{prefix}-PC",
                "revision_number": "R1",
                "started_at": STARTED_AT + day,
                "ended_at": STARTED_AT + day + timedelta(seconds=30),
                "operated_by": "Jo",
                "metadata": {"line": 2, "shift": "late"},
            },
        ),
        (
            user,
            {
                "serial_number": f"{prefix}-B",
                "part_number": f"{prefix}-PB",
                "revision_number": "R3",
                "outcome": "ERROR",
                "started_at": STARTED_AT - day,
                "ended_at": STARTED_AT - day + timedelta(hours=2),
            },
        ),
    ]
    return Line(prefix, [report(client, acme.board.id, **one) for client, one in given])


@pytest.fixture
def found(user: TofuPilot, line: Line) -> Callable[..., str]:
    """The last letters of the serial numbers that a list of the line's runs shows."""

    def find(**asked: Any) -> str:
        page = user.runs.list(**({"search_query": line.prefix} | asked))
        assert not page.meta.has_more
        return "".join(run.unit.serial_number[-1] for run in page.data if run.id in line.ids)

    return find


def test_each_filter(found: Callable[..., str], line: Line, world: World) -> None:
    acme, prefix = world.acme, line.prefix
    assert found() == "ACB"
    assert found(search_query="") == "ACB"
    assert found(search_query=line.ids[0][:23]) == "C"
    assert found(search_query=line.ids[0]) == "C"
    assert found(search_query="%_\\'\"") == ""
    assert found(ids=[line.ids[1], line.ids[2]]) == "AB"
    assert found(outcomes=["FAIL", "ERROR"]) == "CB"
    assert found(procedure_ids=[str(acme.board.id)]) == "ACB"
    assert found(procedure_ids=[str(acme.final.id)]) == ""
    assert found(procedure_versions=[f"{prefix}-V1"]) == "C"
    assert found(serial_numbers=[f"{prefix}-a", f"{prefix}-c"]) == "AC"
    assert found(part_numbers=[f"{prefix}-pb"]) == "B"
    assert found(revision_numbers=["r1"]) == "A"
    assert found(batch_numbers=[f"{prefix}-b1"]) == "C"
    assert found(execution_ids=[f"{prefix}-E1"]) == "C"
    assert found(slot_keys=["s1"]) == "C"
    assert found(slot_names=["One", "Two"]) == "C"
    assert found(samples=["production"]) == "ACB"
    assert found(samples=["golden"]) == ""
    assert found(environments=["production"]) == ""
    assert found(duration_min="PT4M") == "CB"
    assert found(duration_min="PT30S", duration_max="PT5M") == "AC"
    assert found(started_after=STARTED_AT) == "AC"
    assert found(started_before=STARTED_AT) == "CB"
    assert found(ended_before=STARTED_AT + timedelta(minutes=5)) == "CB"
    assert found(ended_after=STARTED_AT + timedelta(minutes=6)) == "A"
    assert found(created_before=STARTED_AT) == ""
    assert found(created_after=STARTED_AT) == "ACB"
    assert found(created_by_user_ids=[str(acme.engineer.actor.user_id)]) == "CB"
    assert found(created_by_station_ids=[str(acme.ict.actor.station_id)]) == "A"
    assert found(operated_by_ids=[str(acme.admin.actor.user_id)]) == "C"
    assert found(operated_by_names=["Jo"]) == "A"
    assert found(metadata={"line": {"gte": 2}}) == "A"
    assert found(metadata={"shift": {"in": ["early", "late"]}, "line": {"lt": 2}}) == "C"
    assert found(outcomes=["FAIL"], revision_numbers=["R1"]) == ""


def test_each_order(found: Callable[..., str]) -> None:
    orders = {
        "started_at": "BCA",
        "created_at": "CAB",
        "duration": "ACB",
        "outcome": "BCA",
        "serial_number": "ABC",
        "part_number": "CBA",
        "revision_number": "ACB",
    }
    for name, ascending in orders.items():
        assert found(sort_by=name, sort_order="asc") == ascending, name
        assert found(sort_by=name, sort_order="desc") == ascending[::-1], name


def test_metadata_comes_where_it_is_asked_for(user: TofuPilot, wire: httpx.Client, line: Line) -> None:
    (bare,) = wire.get("/runs", params={"ids": line.ids[0]}).json()["data"]
    assert "metadata" not in bare
    assert "sequences" not in bare
    (run,) = user.runs.list(ids=[line.ids[0]], include_metadata=True, include_sequences=True).data
    assert (run.metadata, run.sequences) == ({"line": 1, "shift": "early"}, [])


def test_runs_of_the_same_moment_come_in_order_of_creation(
    user: TofuPilot, world: World, fresh: Fresh
) -> None:
    serial = fresh("TIE")
    made = [report(user, world.acme.board.id, serial) for _ in range(3)]
    for order in ("started_at", "outcome", "serial_number", "duration"):
        shown = [
            run.id for run in user.runs.list(serial_numbers=[serial], sort_by=order, sort_order="asc").data
        ]
        assert shown == made


def test_pages_neither_lose_nor_repeat_while_runs_are_added(
    user: TofuPilot, world: World, fresh: Fresh
) -> None:
    serial = fresh("GROW")
    made = {report(user, world.acme.board.id, serial) for _ in range(7)}
    shown: list[str] = []
    cursor = None
    while True:
        page = user.runs.list(serial_numbers=[serial], limit=2, cursor=cursor)
        shown += [run.id for run in page.data]
        if not page.meta.has_more:
            break
        cursor = page.meta.next_cursor
        # Both before and behind those that were shown.
        report(user, world.acme.board.id, serial, started_at=STARTED_AT + timedelta(minutes=4))
        report(user, world.acme.board.id, serial, started_at=STARTED_AT - timedelta(days=9))
    assert len(shown) == len(set(shown)) == 7
    assert set(shown) == made
    assert len(user.runs.list(serial_numbers=[serial]).data) > 7


def test_a_number_of_rows_to_skip_is_a_cursor_too(
    wire: httpx.Client, user: TofuPilot, world: World, fresh: Fresh
) -> None:
    serial = fresh("SKIP")
    made = [report(user, world.acme.board.id, serial) for _ in range(3)]
    for cursor in ("1", "1.0"):
        page = wire.get("/runs", params={"serial_numbers": serial, "limit": 1, "cursor": cursor}).json()
        assert [run["id"] for run in page["data"]] == [made[1]]
        assert page["meta"]["next_cursor"] == 2


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "1000"),
        ({"cursor": -1}, "cursor"),
        ({"cursor": 2**60}, "cursor"),
        ({"limit": "many"}, "limit"),
        ({"outcomes": "MAYBE"}, "outcomes"),
        ({"ids": "x"}, "ids"),
        ({"duration_min": "five minutes"}, "duration_min"),
        ({"started_after": "monday"}, "started_after"),
        ({"sort_by": "colour"}, "sort_by"),
        ({"metadata": "{"}, "metadata"),
        ({"metadata": '{"a": {"is": 1}}'}, "metadata"),
        ({"metadata": '{"a":{},"b":{},"c":{},"d":{},"e":{},"f":{}}'}, "at most 5"),
        ({"search_query": "a\0b"}, "search_query"),
        ({"serial_numbers": "a\0b"}, "serial_numbers"),
    ],
)
def test_a_bad_query_is_told(wire: httpx.Client, asked: dict[str, Any], told: str) -> None:
    answer = wire.get("/runs", params=asked)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert told in answer.json()["issues"][0]["message"]


def test_a_bad_query_has_an_error_class(user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST, match="limit"):
        user.runs.list(limit=0)


def test_blank_parameters_ask_for_nothing(wire: httpx.Client, line: Line) -> None:
    blank = {"search_query": "", "metadata": "", "outcomes": "", "cursor": "", "started_after": ""}
    assert wire.get("/runs", params=blank | {"ids": line.ids[0]}).json()["data"][0]["id"] == line.ids[0]


def test_another_organization_sees_none_of_them(other: TofuPilot, line: Line) -> None:
    assert other.runs.list(search_query=line.prefix).data == []
    assert other.runs.list(ids=list(line.ids)).data == []


def test_stations_see_all_runs(station: TofuPilot, line: Line) -> None:
    assert len(station.runs.list(search_query=line.prefix).data) == 3
