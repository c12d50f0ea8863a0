"""The current tofupilot client's v1 module, every method of it."""

import os
from typing import Any

import httpx
import pytest

from tests.acceptance.environments import Told, current_environment, run_script
from tests.acceptance.files import downloaded, openhtf_report
from tests.acceptance.wire import INVALID, MISSING_PART_NUMBER, NOT_AUTHORIZED, Json, runs_of
from tests.conftest import DatabaseKind
from tests.servers import Server

SERIAL = "NEW ü/1"
FILES = {
    "log file.txt": b"all is well\n",
    "no_extension": b"\0\1\2",
    "empty.csv": b"",
    "large.bin": os.urandom(2 * 1024 * 1024),
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the client got and said, as a station."""
    folder = tmp_path_factory.mktemp("station")
    reports = {
        "report.json": openhtf_report("NEW-R", "full"),
        "refused.json": openhtf_report("NEW-R2", operated_by="nobody@acme.test"),
    }
    for name, content in (FILES | reports).items():
        (folder / name).write_bytes(content)
    return run_script(
        current_environment(),
        "current_client.py",
        folder,
        server,
        serial=SERIAL,
        attachments=list(FILES),
        report="report.json",
        **{"refused report": "refused.json"},
    )


@pytest.fixture
def run(told: Told) -> Json:
    """The one run of the unit, as the client itself reads it."""
    listed = told.found["runs"]
    assert listed["success"] is True
    (only,) = listed["result"]
    assert only["id"] == told.found["run"]["id"]
    shown: Json = only
    return shown


def test_run_is_created(told: Told):
    assert told.found["run"] == {"id": told.found["run"]["id"], "success": True}
    assert told.found["child"]["success"] is True


def test_header(run: Json):
    assert run["outcome"] == "FAIL"
    assert run["started_at"] == "2026-01-31T12:00:00.250Z"
    assert run["duration"] == "P1DT27M15.5S"
    assert run["ended_at"] == "2026-02-01T12:27:15.750Z"
    assert run["procedure"]["identifier"] == "FVT1"
    assert run["procedure_version"]["value"] == "1.2.3"
    assert run["unit"]["serial_number"] == SERIAL
    assert run["unit"]["revision"]["component"]["part_number"] == "PCB-NEW"
    assert run["unit"]["revision"]["identifier"] == "B"
    assert run["unit"]["batch"]["number"] == "LOT-NEW"
    assert [unit["serial_number"] for unit in run["sub_units"]] == [f"{SERIAL}-C"]
    assert run["created_by_station"]["name"] == "FCT-1"
    assert run["file_import"] is None


def test_phases(run: Json):
    shown = [(phase["name"], phase["outcome"], phase["duration"]) for phase in run["phases"]]
    assert shown == [("power", "FAIL", "PT1.501S"), ("rest", "SKIP", "PT0S"), ("old step", "PASS", "PT2S")]
    assert run["phases"][0]["docstring"] == "Power up and measure"
    assert run["phases"][0]["started_at"] == "2026-01-31T12:00:00.000Z"


NOTHING: Json = {
    "value": None,
    "string_value": None,
    "bool_value": None,
    "json_value": None,
    "data_series": None,
    "units": None,
    "lower_limit": None,
    "upper_limit": None,
    "validators": [],
}


@pytest.mark.parametrize(
    ("name", "outcome", "expected"),
    [
        (
            "vcc",
            "FAIL",
            {
                "value": 3.6,
                "units": "V",
                "lower_limit": 3.1,
                "upper_limit": 3.5,
                "validators": ["3.1 <= x <= 3.5"],
            },
        ),
        ("firmware", "PASS", {"string_value": "1.2.3"}),
        ("led", "PASS", {"bool_value": True}),
        ("settings", "PASS", {"json_value": {"gain": 1}}),
        (
            "sweep",
            "PASS",
            {"data_series": [{"data": [0, 10], "units": "Hz"}, {"data": [1.5, 2.5], "units": "V"}]},
        ),
        ("unset", "UNSET", {}),
        ("null limits", "PASS", {"value": 1}),
        (
            "old step",
            "PASS",
            {
                "value": 7,
                "units": "A",
                "lower_limit": 5,
                "upper_limit": 9,
                "validators": ["x >= 5", "x <= 9"],
            },
        ),
    ],
)
def test_measurements(run: Json, name, outcome, expected):
    shown = {m["name"]: m for phase in run["phases"] for m in phase["measurements"]}[name]
    assert shown["outcome"] == outcome
    assert {field: shown[field] for field in NOTHING} == NOTHING | expected


def test_logs(run: Json):
    levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    shown = [(log["level"], log["message"], log["source_file"], log["line_number"]) for log in run["logs"]]
    assert shown == [(level, f"{level} message", "station.py", n) for n, level in enumerate(levels)]
    assert {log["timestamp"] for log in run["logs"]} == {"2026-01-31T12:00:00.123Z"}


def test_attachments_come_back_byte_for_byte(run: Json):
    contents = {attachment["filename"]: downloaded(attachment) for attachment in run["attachments"]}
    assert contents == FILES
    types = {attachment["filename"]: attachment["content_type"] for attachment in run["attachments"]}
    assert types == {
        "log file.txt": "text/plain",
        "no_extension": "application/octet-stream",
        "empty.csv": "text/csv",
        "large.bin": "application/octet-stream",
    }


def test_report_is_imported_with_its_attachments(told: Told, admin: httpx.Client):
    (run,) = runs_of(admin, "NEW-R")
    assert run["id"] == told.found["imported"]
    assert f"Run imported successfully with ID: {run['id']}" in told.found["said"]
    names = [attachment["name"] for attachment in run["attachments"]]
    assert names == ["bin", "txt", "a.json"]
    assert run["file_import"]["upload"]["name"] == "report.json"


def test_refused_import_shows_why(told: Told, admin: httpx.Client):
    assert told.found["import refused"] == ""
    message = "Operator with email nobody@acme.test does not exist. Create the user first in the app."
    assert message in told.output
    assert runs_of(admin, "NEW-R2") == []


def test_reading(told: Told):
    unknown = told.found["unknown"]
    assert (unknown["success"], unknown["result"]) == (True, [])
    assert told.found["empty serial"]["success"] is False


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("no part number", 400, MISSING_PART_NUMBER),
        ("no serial number", 400, f"{INVALID}: unit_under_test.serial_number: required"),
        ("no procedure", 400, f"{INVALID}: procedure_id: "),
        ("unlinked procedure", 403, NOT_AUTHORIZED),
        ("unknown sub-unit", 400, "Sub-units not found: NEVER"),
        ("long version", 400, f"{INVALID}: procedure_version: "),
        ("long serial", 400, f"{INVALID}: serial_number: "),
        ("stranger", 401, "Invalid API key."),
        ("stranger reads", 401, "Invalid API key."),
    ],
)
def test_operator_reads_what_is_wrong(told: Told, name, status, message):
    refused: dict[str, Any] = told.found[name]
    assert refused["success"] is False
    assert refused["status_code"] == status
    assert refused["error"]["message"].startswith(message)
    assert refused["error"]["message"] in told.found["said"]


def test_nothing_of_what_was_refused_is_there(told: Told, admin: httpx.Client):
    assert runs_of(admin, f"{SERIAL}-N") == []
    assert len(runs_of(admin, SERIAL)) == 1


def test_client_never_falls_over(told: Told):
    assert "Traceback" not in told.output
    assert "HTTP error occurred" not in told.output
    assert not [line for line in told.found["said"] if "HTTP error occurred" in line]
