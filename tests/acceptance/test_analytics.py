"""Questions over REST: who may ask, that nobody learns of another organization, and that what was recorded counts."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.acceptance.wire import Json
from tests.conftest import DatabaseKind
from tests.servers import Server

SERIAL, PART = "ASKED-1", "ASKED"
_LIMITS = [{"operator": ">=", "expected_value": 1}]

# What must be asked of each question beside the runs that are meant.
QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    "/yield": {},
    "/compare": {"procedure_id": "{procedure}", "measurement_name": "m"},
    "/correlation": {
        "x_procedure_id": "{procedure}",
        "x_measurement_name": "m",
        "y_measurement_name": "again",
    },
    "/control-chart": {"procedure_id": "{procedure}", "measurement_name": "m"},
    "/histogram": {"procedure_id": "{procedure}", "measurement_name": "m"},
    "/rolled-yield": {},
    "/throughput": {},
    "/utilisation": {},
    "/retests": {},
    "/pareto": {},
    "/durations": {},
    "/phase-durations": {},
    "/capability": {"procedure_id": "{procedure}", "measurement_name": "m"},
    "/capabilities": {"procedure_id": "{procedure}"},
    "/outcome-disagreements": {},
}
every_question = pytest.mark.parametrize("path", list(QUESTIONS))


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def asked_of(server: Server) -> dict[str, str]:
    """A unit that failed, then passed, on Acme's board procedure; the query that asks about it."""
    acme = server.world.acme
    with server.client(acme.admin.api_key) as client:
        for minute, outcome in enumerate(("FAIL", "PASS")):
            times = {"started_at": f"2026-01-01T00:0{minute}:00Z", "ended_at": f"2026-01-01T00:0{minute}:30Z"}
            measured = [
                {"name": name, "outcome": outcome, "measured_value": minute, "validators": _LIMITS}
                for name in ("m", "again")
            ]
            body = {
                "procedure_id": str(acme.board.id),
                "serial_number": SERIAL,
                "part_number": PART,
                "outcome": outcome,
                "phases": [{"name": "p", "outcome": outcome, "measurements": measured, **times}],
                **times,
            }
            answer = client.post(f"{server.url}/api/v2/runs", json=body)
            assert answer.status_code == 200, answer.text
    return {"serial_numbers": SERIAL, "procedure_ids": str(acme.board.id)}


def ask(server: Server, api_key: str, path: str, query: Mapping[str, Any]) -> httpx.Response:
    with server.client(api_key) as client:
        return client.get(f"{server.url}/api/analytics{path}", params={**required(server, path), **query})


def required(server: Server, path: str) -> Mapping[str, Any]:
    procedure = str(server.world.acme.board.id)
    return {name: value.replace("{procedure}", procedure) for name, value in QUESTIONS[path].items()}


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
    answer = httpx.get(f"{server.url}/api/analytics{path}", params={**required(server, path), **asked_of})
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
    assert (row["opportunities"], row["defects"], row["dpmo"]) == (2, 2, 1e6)


def test_an_unknown_time_zone_is_named(server: Server, asked_of: dict[str, str]):
    answer = ask(server, server.world.acme.admin.api_key, "/yield", {**asked_of, "time_zone": "Mars/Olympus"})
    assert answer.status_code == 400
    assert answer.json()["issues"][0]["path"] == ["time_zone"]


@pytest.fixture(scope="module")
def changed(server: Server) -> dict[str, str]:
    """Five values whose limits changed after two and whose unit of measure changed after three; how to ask for them."""
    acme = server.world.acme
    as_measured = [(1.0, "V", 5), (2.0, "V", 5), (3.0, "V", 6), (4000.0, "mV", 6000), (5000.0, "mV", 6000)]
    with server.client(acme.admin.api_key) as client:
        for minute, (value, uom, limit) in enumerate(as_measured):
            times = {"started_at": f"2026-01-02T00:0{minute}:00Z", "ended_at": f"2026-01-02T00:0{minute}:30Z"}
            checks = [{"operator": "<=", "expected_value": limit}]
            measured = {"name": "changed", "outcome": "PASS", "measured_value": value, "units": uom}
            measured["validators"] = checks
            body = {
                "procedure_id": str(acme.board.id),
                "serial_number": "CHANGED-1",
                "part_number": PART,
                "outcome": "PASS",
                "phases": [{"name": "p", "outcome": "PASS", "measurements": [measured], **times}],
                **times,
            }
            answer = client.post(f"{server.url}/api/v2/runs", json=body)
            assert answer.status_code == 200, answer.text
    return {"serial_numbers": "CHANGED-1", "measurement_name": "changed"}


def test_a_histogram_is_in_the_unit_of_measure_of_the_latest(server: Server, changed: dict[str, str]):
    body = ask(server, server.world.acme.viewer.api_key, "/histogram", changed).json()
    assert (body["n"], body["total"]["lowest"], body["total"]["highest"]) == (5, 1000.0, 5000.0)
    assert [(one["spec"]["uom"], one["spec"]["upper"], one["n"]) for one in body["limits"]] == [
        ("mV", 5000.0, 2),
        ("mV", 6000.0, 3),
    ]


def test_a_control_chart_begins_anew_where_limits_change(server: Server, changed: dict[str, str]):
    body = ask(server, server.world.acme.viewer.api_key, "/control-chart", changed).json()
    assert [point["segment"] for point in body["points"]] == [0, 0, 1, 2, 2]
    assert [point["spread"] for point in body["points"]] == [None, 1.0, None, None, 1000.0]
    assert body["limit_changes"] == [2, 3]
    assert [(one["spec"]["uom"], one["spec"]["upper"], one["centre"]) for one in body["segments"]] == [
        ("V", 5.0, 1.5),
        ("V", 6.0, 3.0),
        ("mV", 6000.0, 4500.0),
    ]


def test_a_histogram_of_two_values(server: Server, asked_of: dict[str, str]):
    query = {**asked_of, "bins": 4, "group_by": "part"}
    body = ask(server, server.world.acme.viewer.api_key, "/histogram", query).json()
    assert (body["n"], body["is_exact"]) == (2, True)
    assert body["edges"] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert body["total"]["counts"] == [1, 0, 0, 1]
    assert (body["total"]["mean"], body["total"]["s"]) == pytest.approx((0.5, 0.5**0.5))
    [row] = body["rows"]
    assert (row["group"]["name"], row["n"], row["counts"]) == (PART, 2, [1, 0, 0, 1])
    assert [(one["spec"]["lower"], one["spec"]["upper"], one["n"]) for one in body["limits"]] == [
        (1.0, None, 2)
    ]
    assert body["texts"]["texts"] == []


@pytest.mark.parametrize("bins", [0, 201, "some"])
def test_a_histogram_has_a_sensible_number_of_bins(server: Server, asked_of: dict[str, str], bins: object):
    answer = ask(server, server.world.acme.admin.api_key, "/histogram", {**asked_of, "bins": bins})
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["issues"]] == [["bins"]]


def test_a_control_chart_of_two_values(server: Server, asked_of: dict[str, str]):
    body = ask(server, server.world.acme.viewer.api_key, "/control-chart", asked_of).json()
    assert [(point["value"], point["outcome"]) for point in body["points"]] == [(0.0, "FAIL"), (1.0, "PASS")]
    [segment] = body["segments"]
    assert (segment["centre"], segment["spec"]["lower"], segment["spec"]["upper"]) == (0.5, 1.0, None)
    # 2.66 and 3.267 times the moving range, from the published table of factors.
    [limits] = segment["control"]
    assert (limits["lower"], limits["upper"], limits["spread_upper"]) == pytest.approx(
        (0.5 - 2.66, 0.5 + 2.66, 3.267), abs=2e-3
    )
    assert (body["rules"], body["limit_changes"], body["has_older"]) == ([], [], False)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"last": 0}, "last"),
        ({"last": 5001}, "last"),
        ({"chart": "p"}, "chart"),
        ({"chart": "xbar_r", "subgroup_size": 1}, "subgroup_size"),
        ({"subgroup_size": 4}, "subgroup_size"),
        ({"measurement_name": ""}, "measurement_name"),
        ({"procedure_id": "FVT1"}, "procedure_id"),
    ],
)
def test_a_control_chart_that_cannot_be_is_refused(
    server: Server, asked_of: dict[str, str], query: dict[str, Any], name: str
):
    answer = ask(server, server.world.acme.admin.api_key, "/control-chart", {**asked_of, **query})
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["issues"]] == [[name]]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/retests", "more_than", "0"),
        ("/retests", "limit", "201"),
        ("/retests", "offset", "-1"),
        ("/phase-durations", "top", "0"),
        ("/phase-durations", "top", "201"),
        ("/pareto", "kind", "units"),
        ("/pareto", "top", "0"),
        ("/pareto", "top", "201"),
        ("/pareto", "exclude_retries", "perhaps"),
    ],
)
def test_a_value_out_of_its_bounds_is_named(
    server: Server, asked_of: dict[str, str], path: str, name: str, value: str
):
    answer = ask(server, server.world.acme.admin.api_key, path, {**asked_of, name: value})
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["issues"]] == [[name]]


def test_throughput_counts_a_unit_with_each_outcome(server: Server, asked_of: dict[str, str]):
    body = ask(server, server.world.acme.viewer.api_key, "/throughput", asked_of).json()
    counts = {one["outcome"]: (one["runs"], one["units"]) for one in body["total"]["outcomes"]}
    assert (body["total"]["runs"], body["total"]["units"]) == (2, 1)
    assert {outcome: pair for outcome, pair in counts.items() if pair != (0, 0)} == {
        "PASS": (1, 1),
        "FAIL": (1, 1),
    }


def test_a_rolled_yield_of_nothing_has_no_interval(server: Server, asked_of: dict[str, str]):
    body = ask(server, server.world.acme.viewer.api_key, "/rolled-yield", asked_of).json()
    [row] = body["parts"]
    assert (row["part"]["name"], row["rolled_yield"], row["low"], row["high"]) == (PART, 0.0, None, None)


def test_what_no_station_reported_keeps_no_station_busy(server: Server, asked_of: dict[str, str]):
    body = ask(server, server.world.acme.viewer.api_key, "/utilisation", asked_of).json()
    assert (body["n"], body["stations_count"], body["stations"]) == (2, 0, [])


def test_retests_of_a_unit_that_passed_the_second_time(server: Server, asked_of: dict[str, str]):
    body = ask(
        server, server.world.acme.viewer.api_key, "/retests", {**asked_of, "more_than": 1, "group_by": "day"}
    ).json()
    assert body["attempts"] == [{"attempts": 2, "or_more": False, "units": 1}]
    assert body["rows"][0]["passed_after_retest"]["ratio"] == 1.0
    # A member recorded both, no station.
    assert (body["total"]["passed_elsewhere"]["n"], body["moves"]) == (0, [])
    [unit] = body["unit_page"]
    assert (unit["serial_number"], unit["attempts"], unit["passed_at"], unit["last_outcome"]) == (
        SERIAL,
        2,
        2,
        "PASS",
    )


@pytest.mark.parametrize("kind", ["phases", "measurements", "first_failing_phases"])
def test_what_failed_is_the_whole_of_the_failures(server: Server, asked_of: dict[str, str], kind: str):
    acme = server.world.acme
    body = ask(server, acme.viewer.api_key, "/pareto", {**asked_of, "kind": kind}).json()
    names = ["again", "m"] if kind == "measurements" else [None]
    assert body["rows"] == [
        {
            "procedure": {"key": str(acme.board.id), "name": acme.board.name},
            "sequence_path": None,
            "phase": "p",
            "measurement": name,
            "failures": 1,
            "runs": 1,
            "share": 1 / len(names),
            "cumulated_share": place / len(names),
        }
        for place, name in enumerate(names, start=1)
    ]
    assert body["others"] == {"names": 0, "failures": 0, "share": 0.0}
    assert (body["n"], body["runs_affected"]) == (2, 1)


def test_durations_are_in_seconds(server: Server, asked_of: dict[str, str]):
    viewer = server.world.acme.viewer.api_key
    figures = dict.fromkeys(("mean_s", "median_s", "p95_s", "min_s", "max_s"), 30.0) | {"n": 2}
    body = ask(server, viewer, "/durations", {**asked_of, "group_by": "day"}).json()
    assert body["total"] == body["rows"][0]["figures"] == figures
    body = ask(server, viewer, "/phase-durations", {**asked_of, "phase_name": "p"}).json()
    [phase] = body["phases"]
    assert (phase["phase"], phase["time_share"], phase["figures"]) == ("p", 1.0, figures)
    assert (body["runs"], body["runs_sampled"], body["n"]) == (2, 2, 2)


def test_capability_of_two_values(server: Server, asked_of: dict[str, str]):
    """0 and 1, of which at least 1 is wanted: mean 0.5, s √0.5, a moving range of 1."""
    every_run = {**asked_of, "attempts": "all"}
    query = {**every_run, "group_by": "part", "subgroup_by": "day"}
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
        "lower_is_strict": False,
        "upper_is_strict": False,
    }
    assert (row["n"], row["failed"], row["mean"]) == (2, 1, 0.5)
    assert row["sigma_overall"] == row["sigma_within"] == pytest.approx(0.5**0.5)
    assert row["cpk"]["value"] == row["ppl"]["value"] == pytest.approx(-0.5 / 3 / 0.5**0.5)
    assert row["pp"] == {"value": None, "low": None, "high": None}
    assert row["observed"] == {"below": 500_000, "above": None, "total": 500_000}
    assert "TofuPilot" in body["definition"]
    summaries = ask(server, server.world.acme.viewer.api_key, "/capabilities", every_run).json()["rows"]
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
