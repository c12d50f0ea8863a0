"""Corrections over REST: what is true now, what was reported beside it, and old serial numbers that lead on."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.own import Own
from tests.acceptance.wire import Json, assert_error, create_run, phase_of, run_of, runs_of
from tests.servers import Server

START = "2026-05-04T05:06:07Z"


@pytest.fixture(scope="module")
def engineer(server: Server) -> Iterator[Own]:
    with Own(server, server.world.acme.engineer.api_key) as client:
        yield client


@pytest.fixture
def run(ict: httpx.Client, serial: str) -> str:
    """A run of a unit of its own, in a batch."""
    batch = {"batch_number": f"B-{serial}", "revision": "A"}
    return create_run(ict, run_of(serial, started_at=START, unit=batch, operated_by=None))


def correct(client: httpx.Client, *ids: str, **fields: Any) -> httpx.Response:
    return client.post("/runs/correct", json={"ids": list(ids), "reason": "The scan was wrong", **fields})


def correct_unit(client: Own, serial: str, **fields: Any) -> httpx.Response:
    body = {"ids": [client.found(f"/v2/units/{serial}")["id"]], "reason": "The label was wrong", **fields}
    return client.post("/units/correct", json=body)


def unit_of(client: Own, run_id: str) -> Json:
    found: Json = client.found(f"/v2/runs/{run_id}")["unit"]
    return found


def test_a_run_of_the_wrong_unit_goes_to_the_right_one(
    engineer: Own, ict: httpx.Client, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    right = new_serial()
    other = create_run(ict, run_of(right, started_at="2026-05-04T05:06:08Z"))
    answer = correct(engineer, run, serial_number=right.lower())
    assert (answer.status_code, answer.json()) == (200, {"ids": [run]})
    shown = engineer.found(f"/v2/runs/{run}")
    assert (shown["unit"]["serial_number"], shown["as_reported"]) == (right, {"serial_number": serial})
    assert shown["unit"]["batch"]["number"] == f"B-{serial}", "the run says what it said of everything else"
    assert {one["id"] for one in runs_of(ict, right)} == {run, other}
    assert runs_of(ict, serial) == []
    attempts = engineer.found("/v2/runs", serial_numbers=right, corrected="true")["data"]
    assert [one["id"] for one in attempts] == [run]
    assert engineer.found("/analytics/retests", serial_numbers=right)["n"] == 1
    (entry,) = engineer.found("/trail", thing_id=run)["data"]
    assert (entry["kind"], entry["why"], entry["what"].keys()) == (
        "run_corrected",
        "The scan was wrong",
        {"unit_id"},
    )
    assert [one["name"] for one in entry["what"]["unit_id"]] == [serial, right]

    back = engineer.post("/runs/uncorrect", json={"ids": [run], "reason": "It was right"})
    assert (back.status_code, back.json()) == (200, {"ids": [run]})
    shown = engineer.found(f"/v2/runs/{run}")
    assert (shown["unit"]["serial_number"], shown["as_reported"]) == (serial, {})


def test_a_unit_that_nobody_knows_is_created(engineer: Own, run: str, new_serial: Callable[[], str]) -> None:
    right = new_serial()
    assert correct(engineer, run, serial_number=right).status_code == 200
    unit = engineer.found(f"/v2/units/{right}")
    assert (unit["part"]["number"], unit["created_by_user"] is not None) == ("PCB-100", True)


def test_every_field_of_a_run(engineer: Own, server: Server, run: str) -> None:
    other = f"P-{uuid4().hex[:8]}"
    assert engineer.post("/v2/parts", json={"number": other, "name": other}).status_code == 200
    assert engineer.post(f"/v2/parts/{other}/revisions", json={"number": "C"}).status_code == 200
    answer = correct(
        engineer,
        run,
        part_number=other,
        revision_number="C",
        batch_number=None,
        operator="Łukasz Żółć",
        procedure=str(server.world.acme.final.id),
        started_at="2026-05-03T01:00:00Z",
    )
    assert answer.status_code == 200, answer.text
    shown = engineer.found(f"/v2/runs/{run}")
    unit = shown["unit"]
    assert (unit["part"]["number"], unit["part"]["revision"]["number"]) == (other, "C")
    assert unit["batch"] is None
    assert (shown["procedure"]["id"], shown["started_at"]) == (
        str(server.world.acme.final.id),
        "2026-05-03T01:00:00Z",
    )
    said = shown["as_reported"]
    assert said.keys() == {
        *("procedure", "part_number", "revision_number", "batch_number", "operator", "started_at")
    }
    assert (said["part_number"], said["revision_number"], said["operator"]) == ("PCB-100", "A", None)
    # Corrected once more, it still says what was reported at first; corrected back, nothing.
    again = correct(engineer, run, part_number="PCB-100", revision_number="A", operator="Somebody")
    assert again.status_code == 200, again.text
    said = engineer.found(f"/v2/runs/{run}")["as_reported"]
    assert said.keys() == {"procedure", "batch_number", "operator", "started_at"}


def test_what_is_inside_moves_along_with_the_start(engineer: Own, ict: httpx.Client, serial: str) -> None:
    body = run_of(serial, started_at="2023-11-14T22:13:20Z", duration="PT1M", phases=[phase_of()])
    run = create_run(ict, body)
    assert correct(engineer, run, started_at="2023-11-15T22:13:20Z").status_code == 200
    shown = engineer.found(f"/v2/runs/{run}")
    assert (shown["started_at"], shown["ended_at"]) == ("2023-11-15T22:13:20Z", "2023-11-15T22:14:20Z")
    assert shown["phases"][0]["started_at"] == "2023-11-15T22:13:20Z"
    procedure = shown["procedure"]["id"]
    (phase,) = engineer.found("/v2/phases", procedure_id=procedure, serial_numbers=serial)["data"]
    assert phase["started_at"] == "2023-11-15T22:13:20Z"
    assert correct(engineer, run, started_at="2023-11-14T22:13:20Z").status_code == 200
    shown = engineer.found(f"/v2/runs/{run}")
    assert (shown["phases"][0]["started_at"], shown["as_reported"]) == ("2023-11-14T22:13:20Z", {})


def test_the_unit_and_its_sub_units_follow(
    engineer: Own, ict: httpx.Client, new_serial: Callable[[], str]
) -> None:
    wrong, right, sub = new_serial(), new_serial(), new_serial()
    for one in (wrong, right, sub):
        create_run(ict, run_of(one, unit={"batch_number": "B-1"}))
    run = create_run(ict, run_of(wrong, unit={"batch_number": "B-2"}, sub_units=[{"serial_number": sub}]))
    assert correct(engineer, run, serial_number=right).status_code == 200
    units = [engineer.found(f"/v2/units/{one}") for one in (wrong, right, sub)]
    assert [one["batch"]["number"] for one in units] == ["B-1"] * 3, "the wrong unit is where it was before"
    assert units[2]["parent"]["serial_number"] == right
    engineer.post("/runs/uncorrect", json={"ids": [run], "reason": "It was right"})
    assert engineer.found(f"/v2/units/{sub}")["parent"]["serial_number"] == wrong


def test_a_unit_never_becomes_part_of_itself(
    engineer: Own, ict: httpx.Client, new_serial: Callable[[], str]
) -> None:
    top, sub = new_serial(), new_serial()
    create_run(ict, run_of(sub))
    run = create_run(ict, run_of(top, sub_units=[{"serial_number": sub}]))
    assert correct(engineer, run, serial_number=sub).status_code == 400
    assert unit_of(engineer, run)["serial_number"] == top


def test_a_station_that_sends_the_report_again_gets_the_corrected_run(
    engineer: Own, serial: str, new_serial: Callable[[], str]
) -> None:
    procedure = engineer.found("/v2/procedures")["data"][0]["id"]
    body = {
        "procedure_id": procedure,
        "serial_number": serial,
        "part_number": "PCB-100",
        "outcome": "PASS",
        "started_at": START,
        "ended_at": START,
        "client_run_ref": f"ref-{serial}",
    }
    run = engineer.post("/v2/runs", json=body).json()["id"]
    assert correct(engineer, run, serial_number=new_serial()).status_code == 200
    assert engineer.post("/v2/runs", json=body).json()["id"] == run


@pytest.mark.parametrize(
    ("fields", "status", "at"),
    [
        ({}, 400, ["correction"]),
        ({"serial_number": "  "}, 400, ["serial_number"]),
        ({"serial_number": "a\0b"}, 400, ["serial_number"]),
        ({"serial_number": "x" * 256}, 400, ["serial_number"]),
        ({"started_at": "1970-01-01T00:00:00Z"}, 400, ["started_at"]),
        ({"started_at": "9999-12-31T00:00:00Z"}, 400, ["started_at"]),
        ({"started_at": "soon"}, 400, ["started_at"]),
        ({"part_number": "NO-SUCH-PART"}, 404, None),
        ({"revision_number": "NO-SUCH-REVISION"}, 404, None),
        ({"procedure": "NO-SUCH-PROCEDURE"}, 404, None),
        ({"serial_number": None}, 400, ["serial_number"]),
        ({"outcome": "PASS"}, 400, []),
        ({"revision_number": "A"}, 409, None),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, dict) else None,
)
def test_bad_corrections_are_refused(
    engineer: Own, run: str, fields: Json, status: int, at: list[Any] | None
) -> None:
    answer = correct(engineer, run, **fields)
    codes = {400: "BAD_REQUEST", 404: "NOT_FOUND", 409: "CONFLICT"}
    assert_error(answer, status, codes[status], at=at)
    assert engineer.found(f"/v2/runs/{run}")["as_reported"] == {}
    assert engineer.found("/trail", thing_id=run)["data"] == []


def test_all_or_none(engineer: Own, ict: httpx.Client, run: str, new_serial: Callable[[], str]) -> None:
    unknown = str(uuid4())
    assert_error(correct(engineer, run, unknown, operator="X"), 404, "NOT_FOUND", f"Run not found: {unknown}")
    other = create_run(ict, run_of(new_serial()))
    answer = engineer.post("/runs/uncorrect", json={"ids": [run, other], "reason": "x"})
    assert_error(answer, 409, "CONFLICT")
    assert correct(engineer, run, operator="X").json() == {"ids": [run]}
    # What is so already is left out.
    assert correct(engineer, run, other, operator="X").json() == {"ids": [other]}
    assert_error(correct(engineer, run, other, operator="X"), 409, "CONFLICT")


def test_what_was_reported_may_be_gone(
    engineer: Own, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    assert correct(engineer, run, serial_number=new_serial()).status_code == 200
    assert engineer.delete("/v2/units", params={"serial_numbers": serial}).status_code == 200
    answer = engineer.post("/runs/uncorrect", json={"ids": [run], "reason": "x"})
    assert_error(answer, 409, "CONFLICT")
    assert serial in answer.json()["message"]


def test_only_managers_of_the_organization_correct(server: Server, run: str, serial: str) -> None:
    acme = server.world.acme
    for key in (acme.viewer.api_key, acme.ict.api_key):
        with Own(server, key) as client:
            assert_error(correct(client, run, operator="X"), 403, "FORBIDDEN")
            body = {"ids": [run], "reason": "x", "serial_number": "X"}
            for path in ("/runs/uncorrect", "/units/correct"):
                assert client.post(path, json=body).status_code in (400, 403)
    with Own(server, server.world.globex.admin.api_key) as client:
        assert_error(correct(client, run, operator="X"), 404, "NOT_FOUND")
        answer = client.post("/runs/uncorrect", json={"ids": [run], "reason": "x"})
        assert_error(answer, 404, "NOT_FOUND")
    with Own(server, acme.engineer.api_key) as own, Own(server, server.world.globex.admin.api_key) as client:
        unit = own.found(f"/v2/units/{serial}")["id"]
        body = {"ids": [unit], "reason": "x", "serial_number": "X"}
        assert_error(client.post("/units/correct", json=body), 404, "NOT_FOUND")
        body = {"id": unit, "serial_number": serial, "reason": "x"}
        assert_error(client.post("/units/let-go", json=body), 404, "NOT_FOUND")


def test_an_old_serial_number_leads_on_everywhere(
    engineer: Own, ict: httpx.Client, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    right = new_serial()
    answer = correct_unit(engineer, serial, serial_number=right)
    assert answer.status_code == 200, answer.text
    unit = engineer.found(f"/v2/units/{serial.lower()}")
    assert (unit["serial_number"], unit["former_serial_numbers"]) == (right, [serial])
    assert [one["id"] for one in runs_of(ict, serial)] == [run]
    assert [one["id"] for one in engineer.found("/v2/runs", serial_numbers=serial)["data"]] == [run]
    assert [one["id"] for one in engineer.found("/v2/runs", search_query=serial)["data"]] == [run]
    (listed,) = engineer.found("/v2/units", serial_numbers=serial)["data"]
    assert (listed["serial_number"], listed["former_serial_numbers"]) == (right, [serial])
    assert engineer.found("/v2/units", search_query=serial[3:])["data"][0]["id"] == unit["id"]
    assert engineer.found("/analytics/yield", serial_numbers=serial)["n"] == 1
    # A station that still scans the old label reports the same unit.
    later = create_run(ict, run_of(serial))
    assert unit_of(engineer, later)["serial_number"] == right
    parent = create_run(ict, run_of(new_serial(), sub_units=[{"serial_number": serial}]))
    assert engineer.found(f"/v2/runs/{parent}")["sub_units"][0]["serial_number"] == right
    (entry,) = engineer.found("/trail", thing_id=unit["id"], kind="unit_corrected")["data"]
    assert entry["what"].keys() == {"serial_number", "formerly"}
    assert (
        "was that of unit"
        in engineer.post(
            "/v2/units", json={"serial_number": serial, "part_number": "PCB-100", "revision_number": "A"}
        ).json()["message"]
    )


def test_a_unit_may_take_its_number_back(
    engineer: Own, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    right = new_serial()
    assert correct_unit(engineer, serial, serial_number=right).status_code == 200
    assert correct_unit(engineer, right, serial_number=serial).status_code == 200
    unit = engineer.found(f"/v2/units/{right}")
    assert (unit["serial_number"], unit["former_serial_numbers"]) == (serial, [right])
    assert unit_of(engineer, run)["serial_number"] == serial


def test_a_number_that_is_another_units_is_let_go(
    engineer: Own, ict: httpx.Client, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    right = new_serial()
    assert correct_unit(engineer, serial, serial_number=right).status_code == 200
    unit = engineer.found(f"/v2/units/{right}")["id"]
    body = {"id": unit, "serial_number": serial, "reason": "It is that of another unit"}
    assert engineer.post("/units/let-go", json=body).status_code == 200
    assert_error(engineer.post("/units/let-go", json=body), 400, "BAD_REQUEST", at=["serial_number"])
    assert engineer.get(f"/v2/units/{serial}").status_code == 404
    other = create_run(ict, run_of(serial))
    assert unit_of(engineer, other)["id"] != unit


def test_a_number_that_does_not_lead_on_is_free_at_once(
    engineer: Own, ict: httpx.Client, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    right = new_serial()
    assert correct_unit(engineer, serial, serial_number=right, leads_on=False).status_code == 200
    assert unit_of(engineer, create_run(ict, run_of(serial)))["id"] != unit_of(engineer, run)["id"]


def test_a_units_place_is_corrected_with_its_runs(engineer: Own, run: str, serial: str) -> None:
    answer = correct_unit(engineer, serial, batch_number=f"C-{serial}")
    assert answer.status_code == 200
    assert engineer.found(f"/v2/units/{serial}")["batch"]["number"] == f"C-{serial}"
    shown = engineer.found(f"/v2/runs/{run}")
    assert shown["unit"]["batch"]["number"] == f"C-{serial}"
    assert shown["as_reported"] == {"batch_number": f"B-{serial}"}
    assert correct_unit(engineer, serial, batch_number=None, runs_follow=False).status_code == 200
    assert engineer.found(f"/v2/units/{serial}")["batch"] is None
    assert unit_of(engineer, run)["batch"]["number"] == f"C-{serial}"
    assert_error(correct_unit(engineer, serial, batch_number=None), 409, "CONFLICT")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"serial_number": " "}, 400),
        ({"part_number": "NO-SUCH"}, 404),
        ({"revision_number": "NO-SUCH"}, 404),
        ({"sample": "golden"}, 400),
    ],
    ids=str,
)
def test_bad_corrections_of_units_are_refused(
    engineer: Own, run: str, serial: str, fields: Json, status: int
) -> None:
    before = unit_of(engineer, run)
    assert correct_unit(engineer, serial, **fields).status_code == status
    assert unit_of(engineer, run) == before


def test_a_number_that_is_taken_is_refused(
    engineer: Own, ict: httpx.Client, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    taken, other = new_serial(), new_serial()
    create_run(ict, run_of(taken))
    assert_error(correct_unit(engineer, serial, serial_number=taken), 409, "CONFLICT")
    assert correct_unit(engineer, taken, serial_number=other).status_code == 200
    answer = correct_unit(engineer, serial, serial_number=taken)
    assert_error(answer, 409, "CONFLICT")
    assert other in answer.json()["message"]
    ids = [engineer.found(f"/v2/units/{one}")["id"] for one in (serial, other)]
    body = {"ids": ids, "reason": "x", "serial_number": new_serial()}
    assert_error(engineer.post("/units/correct", json=body), 400, "BAD_REQUEST", at=["serial_number"])
    assert unit_of(engineer, run)["serial_number"] == serial


def test_a_unit_in_the_bin_keeps_its_old_numbers(
    engineer: Own, server: Server, ict: httpx.Client, run: str, serial: str, new_serial: Callable[[], str]
) -> None:
    right = new_serial()
    assert correct_unit(engineer, serial, serial_number=right).status_code == 200
    unit = engineer.found(f"/v2/units/{right}")["id"]
    assert (
        engineer.delete("/v2/units", params={"serial_numbers": serial, "cascade": "true"}).status_code == 200
    )
    assert engineer.get(f"/v2/units/{serial}").status_code == 404
    with Own(server, server.world.acme.admin.api_key) as admin:
        created = unit_of(engineer, create_run(ict, run_of(serial)))
        refused = admin.post(f"/bin/{unit}/restore", json={"reason": "x"})
        assert_error(refused, 409, "CONFLICT")
        assert serial in refused.json()["message"]
        body = {"ids": [created["id"]], "reason": "x", "serial_number": new_serial(), "leads_on": False}
        assert engineer.post("/units/correct", json=body).status_code == 200
        assert admin.post(f"/bin/{unit}/restore", json={"reason": "x"}).status_code == 200
    assert engineer.found(f"/v2/units/{serial}")["former_serial_numbers"] == [serial]
