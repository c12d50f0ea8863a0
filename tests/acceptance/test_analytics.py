"""Questions over REST: who may ask, that nobody learns of another organization, and that what was recorded counts."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.acceptance.wire import Json
from tests.servers import Server

SERIAL, PART = "ASKED-1", "ASKED"
_LIMITS = [{"operator": ">=", "expected_value": 1}]

# What must be asked of each question beside the runs that are meant.
QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    "/yield": {},
    "/capability": {"measurement_name": "m"},
    "/capabilities": {},
    "/outcome-disagreements": {},
}
every_question = pytest.mark.parametrize("path", list(QUESTIONS))


@pytest.fixture(scope="module")
def asked_of(server: Server) -> dict[str, str]:
    """A unit that failed, then passed, on Acme's board procedure; the query that asks about it."""
    acme = server.world.acme
    with server.client(acme.admin.api_key) as client:
        for minute, outcome in enumerate(("FAIL", "PASS")):
            times = {"started_at": f"2026-01-01T00:0{minute}:00Z", "ended_at": f"2026-01-01T00:0{minute}:30Z"}
            measured = {"name": "m", "outcome": outcome, "measured_value": minute, "validators": _LIMITS}
            body = {
                "procedure_id": str(acme.board.id),
                "serial_number": SERIAL,
                "part_number": PART,
                "outcome": outcome,
                "phases": [{"name": "p", "outcome": outcome, "measurements": [measured], **times}],
                **times,
            }
            answer = client.post(f"{server.url}/api/v2/runs", json=body)
            assert answer.status_code == 200, answer.text
    procedure = str(acme.board.id)
    return {"serial_numbers": SERIAL, "procedure_ids": procedure, "procedure_id": procedure}


def ask(server: Server, api_key: str, path: str, query: Mapping[str, Any]) -> httpx.Response:
    with server.client(api_key) as client:
        return client.get(f"{server.url}/api/analytics{path}", params={**QUESTIONS[path], **query})


def test_the_table_knows_every_question(server: Server):
    with server.client(server.world.acme.admin.api_key) as client:
        served: Json = client.get(f"{server.url}/api/openapi.json").json()
    prefix = "/api/analytics"
    assert {path.removeprefix(prefix) for path in served["paths"] if path.startswith(prefix)} == set(
        QUESTIONS
    )


@every_question
def test_everybody_of_the_organization_may_ask(server: Server, asked_of: dict[str, str], path: str):
    acme = server.world.acme
    for api_key in (acme.admin.api_key, acme.engineer.api_key, acme.viewer.api_key, acme.ict.api_key):
        answer = ask(server, api_key, path, asked_of)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["n"] > 0
        assert body["definition"]
        assert body["freshness"]["is_current"] is True


@every_question
def test_nobody_learns_of_another_organization(server: Server, asked_of: dict[str, str], path: str):
    answer = ask(server, server.world.globex.admin.api_key, path, asked_of)
    assert answer.status_code == 200, answer.text
    assert answer.json()["n"] == 0
    assert SERIAL not in answer.text
    assert str(server.world.acme.board.id) not in answer.text


@every_question
def test_a_question_needs_a_key(server: Server, asked_of: dict[str, str], path: str):
    answer = httpx.get(f"{server.url}/api/analytics{path}", params={**QUESTIONS[path], **asked_of})
    assert answer.status_code == 401


@every_question
@pytest.mark.parametrize(
    ("name", "value"),
    [("started_after", "yesterday"), ("procedure_ids", "FVT1"), ("outcomes", "GOOD"), ("attempts", "third")],
)
def test_a_wrong_parameter_is_named(
    server: Server, asked_of: dict[str, str], path: str, name: str, value: str
):
    answer = ask(server, server.world.acme.admin.api_key, path, {**asked_of, name: value})
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["issues"]] == [[name]]


def test_yield_of_a_unit_that_passed_the_second_time(server: Server, asked_of: dict[str, str]):
    query = {**asked_of, "group_by": "part", "time_zone": "Europe/Berlin"}
    body = ask(server, server.world.acme.viewer.api_key, "/yield", query).json()
    [row] = body["rows"]
    assert row["group"]["name"] == PART
    assert row["first_pass"] == {
        "count": 0,
        "n": 1,
        "ratio": 0.0,
        "low": 0.0,
        "high": pytest.approx(0.7935, abs=1e-4),
    }
    assert row["second_pass"]["ratio"] == row["final"]["ratio"] == 1.0
    assert (row["opportunities"], row["defects"], row["dpmo"]) == (1, 1, 1e6)


def test_an_unknown_time_zone_is_named(server: Server, asked_of: dict[str, str]):
    answer = ask(server, server.world.acme.admin.api_key, "/yield", {**asked_of, "time_zone": "Mars/Olympus"})
    assert answer.status_code == 400
    assert answer.json()["issues"][0]["path"] == ["time_zone"]


def test_capability_of_two_values(server: Server, asked_of: dict[str, str]):
    """0 and 1, of which at least 1 is wanted: mean 0.5, s √0.5, a moving range of 1."""
    query = {**asked_of, "group_by": "part", "subgroup_by": "day"}
    body = ask(server, server.world.acme.viewer.api_key, "/capability", query).json()
    [row] = body["rows"]
    assert row["group"]["name"] == PART
    assert row["spec"] == {
        "phase": "p",
        "sequence_path": None,
        "name": "m",
        "uom": None,
        "lower": 1.0,
        "upper": None,
    }
    assert (row["n"], row["failed"], row["mean"]) == (2, 1, 0.5)
    assert row["sigma_overall"] == row["sigma_within"] == pytest.approx(0.5**0.5)
    assert row["cpk"]["value"] == row["ppl"]["value"] == pytest.approx(-0.5 / 3 / 0.5**0.5)
    assert row["pp"] == {"value": None, "low": None, "high": None}
    assert row["observed"] == {"below": 500_000, "above": None, "total": 500_000}
    assert "TofuPilot" in body["definition"]
    summaries = ask(server, server.world.acme.viewer.api_key, "/capabilities", asked_of).json()["rows"]
    [summary] = [one for one in summaries if one["spec"]["name"] == "m"]
    assert (summary["n"], summary["failed"], summary["mean"]) == (2, 1, 0.5)
    assert summary["ppk"] == pytest.approx(row["ppk"]["value"])
    assert summary["cpk"] == pytest.approx(-0.5 / 3 / (3.141592653589793**0.5 / 2))


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/capability", "measurement_name", ""),
        ("/capability", "procedure_id", "FVT1"),
        ("/capability", "subgroup_by", "colour"),
        ("/capability", "group_by", "colour"),
        ("/capability", "exclude_retries", "perhaps"),
        ("/capabilities", "procedure_id", "FVT1"),
        ("/capabilities", "limit", "0"),
        ("/capabilities", "limit", "2001"),
        ("/outcome-disagreements", "limit", "0"),
        ("/outcome-disagreements", "examples", "201"),
        ("/outcome-disagreements", "exclude_retries", "perhaps"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    server: Server, asked_of: dict[str, str], path: str, name: str, value: str
):
    answer = ask(server, server.world.acme.admin.api_key, path, {**asked_of, name: value})
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["issues"]] == [[name]]


def test_a_station_that_passes_what_its_limits_refuse(server: Server):
    acme = server.world.acme
    times = {"started_at": "2026-01-02T00:00:00Z", "ended_at": "2026-01-02T00:00:30Z"}
    measured = {"name": "m", "outcome": "PASS", "measured_value": 0, "validators": _LIMITS}
    body = {
        "procedure_id": str(acme.board.id),
        "serial_number": "CONTRADICTED-1",
        "part_number": "CONTRADICTED",
        "outcome": "PASS",
        "phases": [{"name": "p", "outcome": "PASS", "measurements": [measured], **times}],
        **times,
    }
    with server.client(acme.admin.api_key) as client:
        run_id = client.post(f"{server.url}/api/v2/runs", json=body).json()["id"]
    query = {"part_numbers": "CONTRADICTED"}
    found = ask(server, acme.viewer.api_key, "/outcome-disagreements", query).json()
    assert (found["n"], found["passed_outside"], found["failed_inside"], found["measurements"]) == (
        1,
        1,
        0,
        1,
    )
    [row], [example] = found["rows"], found["examples"]
    assert row["procedure"] == {"key": str(acme.board.id), "name": acme.board.name}
    assert (row["phase"], row["name"], row["n"], row["passed_outside"]) == ("p", "m", 1, 1)
    assert (example["kind"], example["run_id"], example["value"]) == ("passed_outside", run_id, 0.0)
    assert (example["spec"]["lower"], example["measured_at"]) == (1.0, "2026-01-02T00:00:00Z")
    with server.client(acme.viewer.api_key) as client:
        measurement = client.get(f"{server.url}/api/v2/runs/{run_id}").json()["phases"][0]["measurements"][0]
    assert example["measurement_id"] == measurement["id"]
