"""The list of repairs over REST: what is told, by which filters, page by page, and to whom."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.repairing import import_reports, repair_of
from tests.servers import DEADLINE_S, Server
from tests.web.v2 import v2_client

NewSerial = Callable[[], str]

NO_FAILURE: dict[str, str | None] = dict.fromkeys(
    (
        *("code", "category", "comment", "component", "function_block", "step_id", "step_name"),
        *("component_number", "component_revision", "component_vendor", "component_description"),
        "serial_number",
    )
)


@pytest.fixture(scope="module")
def engineer(server: Server) -> Iterator[httpx.Client]:
    with v2_client(server) as client:
        yield client


def ask(server: Server, key: str | None = None, **query: Any) -> httpx.Response:
    """The list as whoever has the key reads it; as Acme's viewer, where none is given."""
    headers = {"Authorization": f"Bearer {key or server.world.acme.viewer.api_key}"}
    return httpx.get(f"{server.url}/api/repairs", params=query, headers=headers, timeout=DEADLINE_S)


def told(server: Server, **query: Any) -> list[dict[str, Any]]:
    answer = ask(server, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def failed_run(server: Server, engineer: httpx.Client, serial_number: str, report_id: str) -> str:
    """Id of a run that failed and came of this report."""
    body = {
        "procedure_id": str(server.world.acme.board.id),
        "serial_number": serial_number,
        "part_number": "PCB-01",
        "outcome": "FAIL",
        "started_at": "2026-01-31T00:00:00Z",
        "ended_at": "2026-01-31T00:01:00Z",
        "metadata": {"report_id": report_id},
    }
    run_id: str = engineer.post("/runs", json=body).json()["id"]
    return run_id


def test_all_that_a_repair_says(server: Server, engineer: httpx.Client, serial: str) -> None:
    report_id, acme = str(uuid4()), server.world.acme
    run_id = failed_run(server, engineer, serial, report_id)
    uur = {"user": acme.admin.email, "comment": "Swapped", "processName": "Board"}
    said = repair_of(serial, uur=uur | {"refUUT": report_id.upper()}, location="Drammen")
    import_reports(engineer, said)
    (repair,) = told(server, serial_numbers=serial.lower())
    assert repair.pop("created_at") >= "2026"
    assert repair.pop("created_by_user")["id"] == str(acme.engineer.actor.user_id)
    operator = repair.pop("operated_by")
    assert (operator["id"], operator["email"]) == (str(acme.admin.actor.user_id), acme.admin.email)
    found = {
        "code": "Cold joint",
        "category": "Soldering",
        "component": "R12",
        "step_name": "Rail 3.3 V",
    }
    assert repair == {
        "id": repair["id"],
        "unit": {
            "id": engineer.get(f"/units/{serial}").json()["id"],
            "serial_number": serial,
            "part_number": "PCB-01",
        },
        "operation": "Repair",
        "outcome": "PASS",
        "started_at": "2026-02-01T08:00:00Z",
        "comment": "Swapped",
        "of_report": report_id,
        "of_operation": "Board",
        "run_id": run_id,
        "failures": [NO_FAILURE | found],
        "parts": [],
        "metadata": {"report_id": said["id"], "location": "Drammen"},
        "created_by_station": None,
    }
    assert [one["id"] for one in told(server, ids=repair["id"])] == [repair["id"]]


def test_sub_units_of_a_repair(server: Server, engineer: httpx.Client, serial: str) -> None:
    old = {"sn": "OLD", "pn": "PSU", "rev": "A", "partType": "PCBA", "idx": 1}
    new = {"sn": "NEW", "pn": "PSU", "idx": 2, "replacedIdx": 1, "failures": [{"code": "Bent"}]}
    import_reports(engineer, repair_of(serial, subUnits=[old, new]))
    (repair,) = told(server, serial_numbers=serial)
    assert repair["failures"] == [NO_FAILURE | {"code": "Bent", "serial_number": "NEW"}]
    names = ("serial_number", "part_number", "revision_number", "part_type", "replaced")
    assert [tuple(one[name] for name in names) for one in repair["parts"]] == [
        ("OLD", "PSU", "A", "PCBA", None),
        ("NEW", "PSU", None, None, "OLD"),
    ]


def test_a_repair_after_no_run_that_is_known(
    server: Server, engineer: httpx.Client, new_serial: NewSerial
) -> None:
    """The run of another unit that came of the report is not the one that failed."""
    serial, other, report_id = new_serial(), new_serial(), str(uuid4())
    failed_run(server, engineer, other, report_id)
    import_reports(engineer, repair_of(serial, uur={"refUUT": report_id}))
    (repair,) = told(server, serial_numbers=serial)
    assert (repair["of_report"], repair["run_id"], repair["operated_by"]) == (report_id, None, None)


def test_filters(server: Server, engineer: httpx.Client, new_serial: NewSerial) -> None:
    first, second, part = new_serial(), new_serial(), f"P-{new_serial()}"
    days = [f"2026-03-0{day}T00:00:00Z" for day in (1, 2, 3)]
    made = zip((first, second, first), days, strict=True)
    import_reports(engineer, *(repair_of(serial, startUTC=day, pn=part) for serial, day in made))
    assert [one["started_at"] for one in told(server, part_numbers=part.lower())] == days[::-1]
    assert [one["started_at"] for one in told(server, part_numbers=part, sort_order="asc")] == days
    assert [one["started_at"] for one in told(server, serial_numbers=first)] == [days[2], days[0]]
    assert len(told(server, serial_numbers=[first, second])) == 3
    inside = {"started_after": "2026-03-02T01:00:00+01:00", "started_before": days[1]}
    assert [one["unit"]["serial_number"] for one in told(server, part_numbers=part, **inside)] == [second]
    assert told(server, serial_numbers=first, part_numbers="OTHER") == []


def test_pages_stay_while_others_come(server: Server, engineer: httpx.Client, serial: str) -> None:
    days = [f"2026-03-0{day}T00:00:00Z" for day in range(1, 6)]
    import_reports(engineer, *(repair_of(serial, startUTC=day) for day in days))
    first = ask(server, serial_numbers=serial, limit=2).json()
    import_reports(engineer, repair_of(serial, startUTC="2026-04-01T00:00:00Z"))
    found, page = first["data"], first
    while page["meta"]["has_more"]:
        page = ask(server, serial_numbers=serial, limit=2, cursor=page["meta"]["next_cursor"]).json()
        found += page["data"]
    assert [one["started_at"] for one in found] == days[::-1]
    assert page["meta"] == {"has_more": False, "next_cursor": None}


def test_a_deleted_unit_takes_its_repairs_along(server: Server, engineer: httpx.Client, serial: str) -> None:
    import_reports(engineer, repair_of(serial))
    assert len(told(server, serial_numbers=serial)) == 1
    engineer.delete("/units", params={"serial_numbers": serial})
    assert told(server, serial_numbers=serial) == []


@pytest.mark.parametrize("who", ["admin", "engineer", "operator", "viewer", "station"])
def test_every_key_of_the_organization_may_read(
    server: Server, engineer: httpx.Client, serial: str, who: str
) -> None:
    acme = server.world.acme
    import_reports(engineer, repair_of(serial))
    if who == "operator":
        email = f"{serial.lower()}@acme.test"
        server.runcard(
            "user", "create", email, "--role", "operator", "--organization", server.world.acme.slug
        )
        key = server.runcard("key", "create", "--user", email, "--organization", server.world.acme.slug)[
            "api_key"
        ]
    else:
        members = {"admin": acme.admin, "engineer": acme.engineer, "viewer": acme.viewer}
        key = members[who].api_key if who in members else acme.ict.api_key
    answer = ask(server, key, serial_numbers=serial)
    assert (answer.status_code, len(answer.json()["data"])) == (200, 1)


def test_nobody_else_is_told_anything(server: Server, engineer: httpx.Client, serial: str) -> None:
    import_reports(engineer, repair_of(serial))
    (mine,) = told(server, serial_numbers=serial)
    globex = server.world.globex.admin.api_key
    for query in ({}, {"serial_numbers": serial}, {"ids": mine["id"]}):
        answer = ask(server, globex, **query)
        assert (answer.status_code, answer.json()["data"]) == (200, [])
    for headers in ({}, {"Authorization": "Bearer rc_unknown"}):
        assert httpx.get(f"{server.url}/api/repairs", headers=headers).status_code == 401
        assert httpx.get(f"{server.url}/api/repairs?limit=x", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("ids", "mine"),
        ("started_after", "yesterday"),
        ("started_before", "0001-01-01T00:00:00+05:00"),
        ("sort_order", "up"),
        ("limit", "0"),
        ("limit", "1001"),
        ("cursor", "-1"),
        ("serial_numbers", "a\0"),
    ],
)
def test_bad_queries(server: Server, parameter: str, value: str) -> None:
    answer = ask(server, **{parameter: value})
    assert answer.status_code == 400
    assert parameter in answer.text


def test_the_operation_is_described(server: Server) -> None:
    described = httpx.get(f"{server.url}/api/openapi.json").json()["paths"]["/api/repairs"]["get"]
    assert {one["name"] for one in described["parameters"]} == {
        *("limit", "cursor", "ids", "serial_numbers", "part_numbers"),
        *("started_after", "started_before", "sort_order"),
    }
