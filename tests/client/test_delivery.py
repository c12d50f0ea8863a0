"""What reaches the server, and what waits or is parked instead."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from runcard_client import Client, FileReport, LogReport, MeasurementReport, PhaseReport, ValidatorReport
from runcard_client.spool import Spool
from tests.client.answering import Answering
from tests.client.reporting import STARTED_AT, report_of
from tests.servers import Server

AnswersWith = Callable[..., Answering]


def runs_of(admin: httpx.Client, serial_number: str) -> list[Any]:
    """The runs of a unit with all that is inside, the first that was recorded first."""
    listed = admin.get(
        "/runs", params={"serial_numbers": serial_number, "sort_by": "created_at", "sort_order": "asc"}
    )
    return [
        admin.get(f"/runs/{one['id']}").raise_for_status().json()
        for one in listed.raise_for_status().json()["data"]
    ]


def test_a_run_arrives_as_it_was_reported(client: Client, admin: httpx.Client, serial: str):
    measurements = [
        MeasurementReport("vcc", 3.31, "PASS", "V", 3.2, 3.4),
        MeasurementReport("mode", "fast", "PASS", validators=[ValidatorReport("PASS", "==", "fast")]),
        MeasurementReport("ripple", [[0.0, 1.5], [1.0, 2.5]], "UNSET", ["s", "mV"]),
        MeasurementReport("broken", float("nan"), "FAIL"),
    ]
    ended_at = STARTED_AT.replace(minute=35)
    report = report_of(
        serial,
        outcome="FAIL",
        phases=[PhaseReport("power on", "FAIL", STARTED_AT, ended_at, measurements, "what it does", 2)],
        logs=[LogReport("WARNING", STARTED_AT, "warm", "station.py", 12)],
        files=[FileReport("scope.png", b"\x89PNG", "image/png"), FileReport("empty.txt", b"", "text/plain")],
        operator="Grace",
        batch_number="B-1",
        revision_number="R2",
        procedure_version="1.4",
        docstring="all of it",
        metadata={"fixture": "F-7", "cycles": 12},
        execution_id=str(uuid4()),
        slot_key="left",
    )
    client.record_run(report)
    assert client.flush().sent == 1

    [run] = runs_of(admin, serial)
    assert (run["outcome"], run["started_at"], run["ended_at"]) == (
        "FAIL",
        "2026-03-02T08:30:00.123456Z",
        "2026-03-02T08:35:00.123456Z",
    )
    assert run["created_by_station"]["name"] == "FCT-1"
    assert run["procedure"]["name"] == "Board"
    [phase] = run["phases"]
    assert (phase["name"], phase["outcome"], phase["retry_count"]) == ("power on", "FAIL", 2)
    vcc, mode, ripple, broken = phase["measurements"]
    assert (vcc["measured_value"], vcc["units"]) == (3.31, "V")
    assert [one["expression"] for one in vcc["validators"]] == ["x >= 3.2", "x <= 3.4"]
    assert [one["expression"] for one in mode["validators"]] == ["x == fast"]
    assert [axis["data"] for axis in ripple["data_series"]] == [[0.0, 1.0], [1.5, 2.5]]
    assert broken["measured_value"] == "nan"
    assert [log["message"] for log in run["logs"]] == ["warm"]
    assert run["metadata"] == {"fixture": "F-7", "cycles": 12}
    files = {file["name"]: httpx.get(file["download_url"]).content for file in run["attachments"]}
    assert files == {"scope.png": b"\x89PNG", "empty.txt": b""}


@pytest.mark.parametrize("by", ["id", "identifier", "name", "NAME"])
def test_a_procedure_is_named_as_the_floor_does(
    client: Client, server: Server, admin: httpx.Client, serial: str, by: str
):
    board = server.world.acme.board
    names = {"id": str(board.id), "identifier": board.identifier.lower(), "name": "Board", "NAME": " BOARD "}
    client.record_run(report_of(serial, procedure=names[by]))
    assert client.flush().is_empty
    assert [run["procedure"]["id"] for run in runs_of(admin, serial)] == [str(board.id)]


def test_an_identifier_that_was_changed_leads_on(client: Client, admin: httpx.Client, serial: str):
    name = f"Burn-in {uuid4().hex}"
    first, second = (f"{one}-{uuid4().hex[:8]}" for one in ("VANILLA", "FVT112"))
    made = admin.post("/procedures", json={"name": name, "identifier": first}).raise_for_status().json()
    admin.patch(f"/procedures/{made['id']}", json={"identifier": second}).raise_for_status()
    for reference in (first.lower(), second):
        client.record_run(report_of(serial, procedure=reference))
    assert client.flush().is_empty
    assert [run["procedure"]["id"] for run in runs_of(admin, serial)] == [made["id"]] * 2


def test_a_name_means_the_procedure_that_is_in_use(client: Client, admin: httpx.Client, serial: str):
    name = f"Twin {uuid4().hex}"
    old, new = (
        admin.post("/procedures", json={"name": name}).raise_for_status().json()["id"] for _ in range(2)
    )
    admin.patch(f"/procedures/{old}", json={"archived": True}).raise_for_status()
    client.record_run(report_of(serial, procedure=name))
    assert client.flush().is_empty
    assert [run["procedure"]["id"] for run in runs_of(admin, serial)] == [new]


def test_an_identifier_that_moved_to_another_procedure_is_looked_up_again(
    client: Client, admin: httpx.Client, serial: str
):
    name = f"Burn-in {uuid4().hex}"
    old_id = admin.post("/procedures", json={"name": name}).raise_for_status().json()["id"]
    client.record_run(report_of(serial, procedure=name))
    assert client.flush().sent == 1
    admin.delete(f"/procedures/{old_id}").raise_for_status()
    new_id = admin.post("/procedures", json={"name": name}).raise_for_status().json()["id"]
    client.record_run(report_of(serial, procedure=name))
    assert client.flush().sent == 1
    assert [run["procedure"]["id"] for run in runs_of(admin, serial)] == [new_id]


def test_what_the_server_refuses_is_parked_and_others_go_on(
    client: Client, admin: httpx.Client, spool: Spool, serial: str
):
    client.record_run(report_of(serial, procedure="No such thing"))
    client.record_run(report_of(serial))
    flushed = client.flush()
    assert (flushed.sent, len(flushed.refused), flushed.waiting, flushed.parked) == (1, 1, 0, 1)
    [parked] = spool.parked()
    assert parked.error is not None
    assert "procedure No such thing is not on this server" in parked.error

    admin.post("/procedures", json={"name": "No such thing"}).raise_for_status()
    assert spool.retry(parked.client_run_ref) == 1
    assert client.flush().is_empty
    assert [run["procedure"]["name"] for run in runs_of(admin, serial)] == ["Board", "No such thing"]


def test_a_name_of_several_procedures_is_parked_with_their_identifiers(
    client: Client, admin: httpx.Client, spool: Spool, serial: str
):
    name = f"Twin {uuid4().hex}"
    for _ in range(2):
        admin.post("/procedures", json={"name": name}).raise_for_status()
    client.record_run(report_of(serial, procedure=name))
    assert client.flush().parked == 1
    [parked] = spool.parked()
    assert "is the name of several; give one of the identifiers" in str(parked.error)


def test_a_station_that_is_not_linked_learns_that(
    server: Server, spool_path: Path, spool: Spool, serial: str
):
    with Client(server.url, server.world.acme.lonely.api_key, spool=spool_path, sends=False) as lonely:
        lonely.record_run(report_of(serial))
        assert lonely.flush().parked == 1
    [parked] = spool.parked()
    assert str(parked.error).startswith("403: ")


def test_a_run_whose_answer_was_lost_is_sent_again_and_counts_once(
    client: Client, server: Server, admin: httpx.Client, spool: Spool, serial: str
):
    report = report_of(serial, client_run_ref=f"ref-{serial}", files=[FileReport("a.txt", b"a")])
    client.record_run(report)
    run = spool.first_waiting()
    assert run is not None
    body = {"procedure_id": str(server.world.acme.board.id), **json.loads(spool.body(run.seq))}
    headers = {"Authorization": f"Bearer {server.world.acme.fct.api_key}"}
    httpx.post(f"{server.url}/api/v2/runs", json=body, headers=headers).raise_for_status()

    assert client.flush().is_empty
    [recorded] = runs_of(admin, serial)
    assert [file["name"] for file in recorded["attachments"]] == ["a.txt"]


def test_files_go_to_a_run_that_is_there_already(
    client: Client, admin: httpx.Client, spool: Spool, serial: str
):
    client.record_run(report_of(serial))
    client.flush()
    [run] = runs_of(admin, serial)
    client.record_run(report_of(serial, files=[FileReport("late.txt", b"late")]))
    waiting = spool.first_waiting()
    assert waiting is not None
    spool.note_recorded(waiting.seq, run["id"])  # as after a kill between the run and its file
    assert client.flush().is_empty
    [run] = runs_of(admin, serial)
    assert [file["name"] for file in run["attachments"]] == ["late.txt"]


RUNCARD_SAYS = json.dumps({"code": "X", "message": "told so", "issues": [{"message": "a field"}]})


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, RUNCARD_SAYS, "401: told so; a field"),
        (408, RUNCARD_SAYS, "408"),
        (429, RUNCARD_SAYS, "429"),
        (500, RUNCARD_SAYS, "500"),
        (503, "down for maintenance", "503: down for maintenance"),
        (302, "", "302"),
        (200, "<html>please log in", "200: <html>please log in"),
        (404, "<html>no such site", "404"),
        (403, "<html>blocked by proxy", "403"),
    ],
    ids=["401", "408", "429", "500", "503", "302", "200-html", "404-html", "403-html"],
)
def test_what_may_be_mended_is_waited_for(
    answering: AnswersWith, spool_path: Path, serial: str, status: int, body: str, error: str
):
    """Two runs, of which the first must be there before the second: so the second is not even tried."""
    server = answering(status, body)
    with Client(server.url, "rc_x", spool=spool_path, sends=False) as station:
        for _ in range(2):
            station.record_run(report_of(serial, procedure=str(uuid4())))
        flushed = station.flush()
    assert (flushed.sent, flushed.waiting, flushed.parked) == (0, 2, 0)
    assert str(flushed.error).startswith(error)
    assert server.asked == ["POST /api/v2/runs"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, RUNCARD_SAYS),
        (403, RUNCARD_SAYS),
        (404, RUNCARD_SAYS),
        (409, RUNCARD_SAYS),
        (413, "<html>"),
        (422, RUNCARD_SAYS),
    ],
    ids=["400", "403", "404", "409", "413", "422"],
)
def test_a_no_is_parked(
    answering: AnswersWith, spool_path: Path, spool: Spool, serial: str, status: int, body: str
):
    server = answering(status, body)
    with Client(server.url, "rc_x", spool=spool_path, sends=False) as station:
        for _ in range(2):
            station.record_run(report_of(serial, procedure=str(uuid4())))
        flushed = station.flush()
    assert (flushed.sent, flushed.waiting, flushed.parked, flushed.error) == (0, 0, 2, None)
    assert [str(run.error)[:3] for run in spool.parked()] == [str(status)] * 2


def test_the_server_says_how_long_to_wait(answering: AnswersWith, spool_path: Path, serial: str):
    server = answering(429, RUNCARD_SAYS, {"Retry-After": "40"})
    slept: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    with Client(
        server.url, "rc_x", spool=spool_path, sends=False, clock=lambda: now[0], sleep=sleep
    ) as station:
        station.record_run(report_of(serial, procedure=str(uuid4())))
        station.flush(timeout_s=100)
    assert slept == [40, 40]


def test_a_spool_outlives_its_process_and_moves_to_another_computer(
    server: Server, admin: httpx.Client, tmp_path: Path, spool_path: Path, serial: str
):
    with Client("http://127.0.0.1:1", "rc_x", spool=spool_path, sends=False) as offline:
        offline.record_run(report_of(serial))
        assert "does not answer" in str(offline.flush().error)
    moved = tmp_path / "elsewhere.sqlite3"
    spool_path.rename(moved)
    with Client(server.url, server.world.acme.fct.api_key, spool=moved, sends=False) as online:
        assert online.flush().is_empty
    assert len(runs_of(admin, serial)) == 1


def test_close_sends_what_waits(server: Server, admin: httpx.Client, spool_path: Path, serial: str):
    with Client(server.url, server.world.acme.fct.api_key, spool=spool_path) as station:
        for _ in range(3):
            station.record_run(report_of(serial))
    assert len(runs_of(admin, serial)) == 3


def test_a_program_that_ends_without_closing_has_sent(
    server: Server, admin: httpx.Client, station_python: Path, spool_path: Path, serial: str
):
    """As most programs end that hold a client for as long as they live."""
    program = (
        "import sys; from datetime import datetime, timezone; from runcard_client import Client, RunReport\n"
        "now = datetime.now(timezone.utc)\n"
        "client = Client(sys.argv[1], sys.argv[2], spool=sys.argv[3])\n"
        "client.record_run(RunReport('Board', sys.argv[4], 'PASS', now, now, part_number='PCB-1'))"
    )
    subprocess.run(
        [station_python, "-c", program, server.url, server.world.acme.fct.api_key, spool_path, serial],
        check=True,
    )
    assert len(runs_of(admin, serial)) == 1
