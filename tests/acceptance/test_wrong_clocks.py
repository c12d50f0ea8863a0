"""Runs of stations whose clocks are wrong: recorded as they were said, counted when they came, and in nobody's way."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.servers import Server

# As .NET says "no date", the last second of all, and a year in which a calendar would be long.
CLOCKS = {
    "CLOCK-1": ("0001-01-01T00:00:00Z", "0001-01-01T00:01:00Z", "PT1M"),
    "CLOCK-1970": ("1970-01-01T00:00:07Z", "1970-01-01T00:01:07Z", "PT1M"),
    "CLOCK-9998": ("9998-07-01T12:00:00.123456Z", "9998-07-01T12:01:00.123456Z", "PT1M"),
    "CLOCK-9999": ("9999-12-31T23:58:59Z", "9999-12-31T23:59:59Z", "PT1M"),
    # Its clock was set while the run went on.
    "CLOCK-SET": ("0001-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "P739617D"),
}
HISTORY = "CLOCK-2005"
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"]
every_clock = pytest.mark.parametrize("serial", list(CLOCKS))


@pytest.fixture(scope="module")
def reported(server: Server) -> Mapping[str, str]:
    """The id of a run by each of these clocks, and of one of 2005, by serial number; all from one station of Acme."""
    acme = server.world.acme
    ids: dict[str, str] = {}
    with server.client(acme.fct.api_key) as client:
        for serial, (start, end, _) in {**CLOCKS, HISTORY: ("2005-06-01T08:00:00Z",) * 2 + ("",)}.items():
            times = {"started_at": start, "ended_at": end}
            measured = [{"name": "clocked", "outcome": "PASS", "measured_value": 1.5}]
            log = {
                "timestamp": start,
                "level": "INFO",
                "message": serial,
                "source_file": "f.py",
                "line_number": 1,
            }
            body = {
                "procedure_id": str(acme.board.id),
                "serial_number": serial,
                "part_number": "CLOCKED",
                "outcome": "PASS",
                "phases": [{"name": "p", "outcome": "PASS", "measurements": measured, **times}],
                "logs": [log],
                **times,
            }
            answer = client.post(f"{server.url}/api/v2/runs", json=body)
            assert answer.status_code == 200, answer.text
            ids[serial] = answer.json()["id"]
    return ids


def get(server: Server, client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(f"{server.url}/api{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(server: Server, client: httpx.Client, question: str, **query: Any) -> Any:
    """The answer, once it knows all that was recorded: each asking waits for that, for a bounded time."""
    for _ in range(20):
        answer = get(server, client, f"/analytics/{question}", **query)
        if answer["freshness"]["is_current"]:
            return answer
    raise AssertionError


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("group_by", ["hour", "day", "week", "month"])
def test_questions_by_period_are_answered(
    server: Server,
    admin: httpx.Client,
    globex: httpx.Client,
    reported: Mapping[str, str],
    group_by: str,
    zone: str,
):
    for client, runs in ((admin, len(CLOCKS) + 1), (globex, 0)):
        query = {"part_numbers": "CLOCKED", "group_by": group_by, "time_zone": zone}
        rows = ask(server, client, "throughput", **query)["rows"]
        # Around midnight they may have come in two periods.
        assert len(rows) in ((2, 3) if runs else (0,))
        assert sum(row["runs"] for row in rows) == runs


@every_clock
def test_what_the_station_said_is_told_to_the_letter(
    server: Server, admin: httpx.Client, reported: Mapping[str, str], serial: str
):
    start, end, took = CLOCKS[serial]
    said = {"started_at": start, "ended_at": end}
    run = get(server, admin, f"/v2/runs/{reported[serial]}")
    assert {name: run[name] for name in (*said, "duration")} == {**said, "duration": took}
    [phase] = run["phases"]
    assert {name: phase[name] for name in said} == said
    assert [log["timestamp"] for log in run["logs"]] == [start]
    first = get(server, admin, f"/v2/units/{serial}")["created_during"]
    assert {name: first[name] for name in said} == said
    [unit] = get(server, admin, "/v2/units", serial_numbers=serial)["data"]
    assert {name: unit["last_run"][name] for name in said} == said
    board = server.world.acme.board.id
    [found] = get(server, admin, "/v2/measurements", serial_numbers=serial, procedure_id=board)["data"]
    assert found["started_at"] == start


@every_clock
def test_v1_and_exports_tell_the_same(
    server: Server, admin: httpx.Client, reported: Mapping[str, str], serial: str
):
    start = datetime.fromisoformat(CLOCKS[serial][0])
    [run] = get(server, admin, "/v1/runs", serial_number=serial)["result"]
    assert datetime.fromisoformat(run["started_at"]) == start
    answer = admin.get(f"{server.url}/api/export/runs", params={"format": "jsonl", "serial_numbers": serial})
    assert answer.status_code == 200, answer.text
    assert f'"started_at":"{CLOCKS[serial][0]}"' in answer.text


def test_attempts_are_counted_in_the_order_of_receipt(server: Server, admin: httpx.Client):
    """A run of 9999 that failed is not the last of its unit for good, nor is one of the year 1 its first."""
    clocks = {"FAIL": "9999-12-31T00:00:00Z", "PASS": None, "ERROR": "0001-01-01T00:00:00Z"}
    for outcome, wrong in clocks.items():
        start = wrong or datetime.now(UTC).isoformat()
        body = {
            "procedure_id": str(server.world.acme.board.id),
            "serial_number": "CLOCK-UNIT",
            "part_number": "ATTEMPTED",
            "outcome": outcome,
            "started_at": start,
            "ended_at": start,
        }
        answer = admin.post(f"{server.url}/api/v2/runs", json=body)
        assert answer.status_code == 200, answer.text
    answer = ask(server, admin, "retests", part_numbers="ATTEMPTED")
    [unit] = answer["unit_page"]
    assert (unit["attempts"], unit["passed_at"], unit["last_outcome"]) == (3, 2, "ERROR")


def test_lists_and_windows_use_the_time_of_receipt(
    server: Server, admin: httpx.Client, reported: Mapping[str, str]
):
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    query = {"part_numbers": "CLOCKED", "sort_by": "started_at", "sort_order": "desc"}
    serials = [run["unit"]["serial_number"] for run in get(server, admin, "/v2/runs", **query)["data"]]
    assert serials == [*reversed(CLOCKS), HISTORY]
    recent = get(
        server, admin, "/v2/runs", **query, started_after=since, started_before=datetime.now(UTC).isoformat()
    )
    assert [run["unit"]["serial_number"] for run in recent["data"]] == [*reversed(CLOCKS)]
    board = server.world.acme.board.id
    query = {
        "procedure_id": str(board),
        "part_numbers": "CLOCKED",
        "sort_by": "started_at",
        "sort_order": "asc",
    }
    phases = get(server, admin, "/v2/phases", **query)["data"]
    assert [one["serial_number"] for one in phases] == [HISTORY, *CLOCKS]
