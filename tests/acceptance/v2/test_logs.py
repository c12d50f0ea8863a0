"""What runs logged, as the official client lists and reads it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorBADREQUEST, ErrorNOTFOUND, ErrorUNAUTHORIZED

from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.inside import DAY, SECOND, Line, make_line
from tests.acceptance.v2.reporting import STARTED_AT, report
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def line(server: Server, user: TofuPilot, station: TofuPilot) -> Line:
    return make_line(server, user, station)


LEVELS = ["WARNING", "ERROR", "INFO"]


def test_each_filter(user: TofuPilot, line: Line, world: World) -> None:
    acme, prefix = world.acme, line.prefix

    def found(**asked: Any) -> list[str]:
        page = user.logs.list(**({"procedure_ids": [line.procedure_id]} | asked))
        assert not page.meta.has_more
        return [one.level for one in page.data]

    assert found() == LEVELS
    assert found(procedure_ids=[str(acme.final.id)]) == []
    assert found(procedure_ids=[str(acme.final.id), line.procedure_id]) == LEVELS
    assert found(search_query="") == LEVELS
    assert found(search_query="LOSS") == found(search_query="100% loss") == ["ERROR"]
    assert found(search_query="WARM-up") == ["WARNING"]
    assert found(search_query="%") == ["ERROR"]
    assert found(search_query="_") == []
    assert found(search_query=f"{prefix}-A") == []
    assert found(levels=["INFO", "WARNING"]) == ["WARNING", "INFO"]
    assert found(timestamp_after=STARTED_AT + 12 * SECOND) == ["WARNING", "ERROR"]
    assert found(timestamp_before=STARTED_AT + 12 * SECOND) == ["ERROR", "INFO"]
    assert found(timestamp_after=STARTED_AT, timestamp_before=STARTED_AT) == ["INFO"]
    assert found(source_files=["radio.py", "other.py"]) == ["ERROR"]
    assert found(run_ids=[line.a]) == ["ERROR", "INFO"]
    assert found(run_ids=[line.a], procedure_ids=None) == ["ERROR", "INFO"]
    assert found(run_ids=[str(uuid4())]) == []
    assert found(run_outcomes=["PASS", "ABORTED"]) == ["WARNING"]
    assert found(procedure_versions=[f"{prefix}-V1"]) == ["ERROR", "INFO"]
    assert found(deployment_ids=[str(uuid4())]) == []
    assert found(environments=["development"]) == []
    assert found(serial_numbers=[f"{prefix}-b"]) == ["WARNING"]
    assert found(part_numbers=[f"{prefix}-pa"]) == ["ERROR", "INFO"]
    assert found(revision_numbers=["r1"]) == ["WARNING"]
    assert found(batch_numbers=[f"{prefix}-b1"]) == ["ERROR", "INFO"]
    assert found(samples=["golden", "failing"]) == ["ERROR", "INFO"]
    assert found(samples=["ignored"]) == []
    assert found(created_by_station_ids=[str(acme.ict.actor.station_id)]) == ["WARNING"]
    assert found(created_by_user_ids=[str(acme.engineer.actor.user_id)]) == ["ERROR", "INFO"]


def test_each_order_and_its_pages(user: TofuPilot, line: Line) -> None:
    def levels(**asked: Any) -> list[str]:
        shown: list[str] = []
        cursor: int | None = None
        while True:
            page = user.logs.list(procedure_ids=[line.procedure_id], limit=1, cursor=cursor, **asked)
            shown += [one.level for one in page.data]
            if not page.meta.has_more:
                assert page.meta.next_cursor is None
                return shown
            cursor = page.meta.next_cursor

    assert levels() == LEVELS
    assert levels(sort_order="asc") == LEVELS[::-1]
    assert levels(sort_by="level") == ["ERROR", "WARNING", "INFO"]
    assert levels(sort_by="level", sort_order="asc") == ["INFO", "WARNING", "ERROR"]
    assert levels(sort_by="run_id") == ["WARNING", "ERROR", "INFO"]
    assert levels(sort_by="run_id", sort_order="asc") == ["INFO", "ERROR", "WARNING"]
    assert levels(sort_by="outcome") == ["WARNING", "ERROR", "INFO"]
    assert levels(sort_by="outcome", sort_order="asc") == ["INFO", "ERROR", "WARNING"]


def test_what_is_shown(user: TofuPilot, station: TofuPilot, line: Line, world: World) -> None:
    acme = world.acme
    page = station.logs.list(procedure_ids=[line.procedure_id])
    warning, error, _ = [one.model_dump() for one in page.data]
    unit_ids = {unit.serial_number: unit.id for unit in user.units.list(search_query=line.prefix).data}
    assert error == {
        "id": error["id"],
        "level": "ERROR",
        "message": "No carrier: 100% LOSS",
        "created_at": STARTED_AT + 12 * SECOND,
        "source_file": "radio.py",
        "line_number": 42,
        "run": {"id": line.a, "outcome": "FAIL", "started_at": STARTED_AT},
        "unit": {"id": unit_ids[f"{line.prefix}-A"], "serial_number": f"{line.prefix}-A"},
        "procedure": {"id": line.procedure_id, "name": f"Procedure {line.prefix}"},
        "created_by_user": {
            "id": str(acme.engineer.actor.user_id),
            "name": acme.engineer.name,
            "email": acme.engineer.email,
        },
        "created_by_station": None,
    }
    assert warning["created_by_user"] is None
    assert warning["created_by_station"] == {
        "id": str(acme.ict.actor.station_id),
        "name": acme.ict.name,
    }
    for client in (user, station):
        assert client.logs.get(id=error["id"]).model_dump() == error
        assert client.logs.get(id=warning["id"]).model_dump() == warning
    of_run = {log.id: log for log in user.runs.get(id=line.a).logs or ()}
    assert of_run[error["id"]].message == error["message"]


def test_lines_of_one_moment_keep_their_order(user: TofuPilot, fresh: Fresh) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id
    lines = [
        {
            "level": "INFO",
            "timestamp": STARTED_AT,
            "message": f"line {number}",
            "source_file": "a.py",
            "line_number": number,
        }
        for number in range(4)
    ]
    report(user, procedure_id, fresh("SN"), logs=lines)

    def shown(order: Any) -> list[str]:
        page = user.logs.list(procedure_ids=[procedure_id], sort_order=order)
        return [one.message for one in page.data]

    assert shown("asc") == [line["message"] for line in lines]
    assert shown("desc") == shown("asc")[::-1]


def test_pages_stay_true_while_runs_are_added(user: TofuPilot, fresh: Fresh) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id

    def log(number: int) -> dict[str, Any]:
        return {
            "level": "INFO",
            "timestamp": STARTED_AT + number * DAY,
            "message": str(number),
            "source_file": "a.py",
            "line_number": 1,
        }

    report(user, procedure_id, fresh("SN"), logs=[log(number) for number in range(3)])
    first = user.logs.list(procedure_ids=[procedure_id], limit=2)
    report(user, procedure_id, fresh("SN"), logs=[log(9)])
    second = user.logs.list(procedure_ids=[procedure_id], limit=2, cursor=first.meta.next_cursor)
    assert [one.message for one in (*first.data, *second.data)] == ["2", "1", "0"]


def test_a_line_that_is_not_there(user: TofuPilot, station: TofuPilot, line: Line) -> None:
    of_a_phase = user.phases.list(procedure_id=line.procedure_id).data[0].id
    for client in (user, station):
        for unknown in (str(uuid4()), "nothing", line.a, of_a_phase):
            with pytest.raises(ErrorNOTFOUND, match="Log not found"):
                client.logs.get(id=unknown)


def test_another_organization_sees_none(other: TofuPilot, user: TofuPilot, line: Line) -> None:
    shown = user.logs.list(run_ids=[line.a]).data[0]
    assert other.logs.list().data == []
    assert other.logs.list(run_ids=[line.a], procedure_ids=[line.procedure_id]).data == []
    with pytest.raises(ErrorNOTFOUND):
        other.logs.get(id=shown.id)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"procedure_ids": "FVT1"}, "procedure_ids"),
        ({"run_ids": "x"}, "run_ids"),
        ({"levels": ["INFO", "TRACE"]}, "levels"),
        ({"run_outcomes": "SKIP"}, "run_outcomes"),
        ({"samples": "silver"}, "samples"),
        ({"timestamp_after": "yesterday"}, "timestamp_after"),
        ({"timestamp_before": "9999-12-31T23:59:59-14:00"}, "timestamp_before"),
        ({"sort_by": "started_at"}, "sort_by"),
        ({"sort_order": "up"}, "sort_order"),
        ({"limit": "0"}, "limit"),
        ({"cursor": str(2**24 - 1)}, "cursor"),
        ({"search_query": "nul\0"}, "search_query"),
    ],
)
def test_bad_queries_are_told(wire: httpx.Client, asked: dict[str, Any], told: str) -> None:
    answer = wire.get("/logs", params=asked)
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert (said["code"], "validation" in said["message"]) == ("BAD_REQUEST", True)
    assert told in said["issues"][0]["message"]


@pytest.mark.parametrize(
    "asked",
    [
        {"search_query": "%_\\'\"(", "source_files": ["🔧", ""]},
        {"timestamp_after": "0001-01-01T00:00:00", "timestamp_before": "9999-12-31T23:59:59.999999Z"},
        {"limit": "1.0", "cursor": "0.0", "levels": ""},
    ],
)
def test_odd_queries_are_answered(wire: httpx.Client, asked: dict[str, Any]) -> None:
    answer = wire.get("/logs", params=asked)
    assert answer.status_code == 200, answer.text


def test_error_classes(sdk: Sdk, user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST, match="procedure_ids"):
        user.logs.list(procedure_ids=["FVT1"])
    nobody = sdk("rc_nobody")
    with pytest.raises(ErrorUNAUTHORIZED):
        nobody.logs.list()
    with pytest.raises(ErrorUNAUTHORIZED):
        nobody.logs.get(id="nothing")
