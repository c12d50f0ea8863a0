"""Stations that run OpenHTF report through the clients' own callback; what arrives is what OpenHTF recorded."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.environments import current_environment, old_environment, run_script
from tests.acceptance.files import downloaded
from tests.acceptance.wire import Json, create_run, run_of, runs_of
from tests.conftest import DatabaseKind
from tests.servers import Server

LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


class Reported(NamedTuple):
    """What OpenHTF recorded, what the server shows of it, and what the station printed.

    passes: whether it is the test in which nothing goes wrong.
    """

    passes: bool
    record: Json
    run: Json
    output: str
    found: Json


def _report(server: Server, admin: httpx.Client, folder: Path, client: str, **orders: Any) -> Reported:
    serial, child = orders["serial"], f"{orders['serial']}-CHILD"
    create_run(admin, run_of(child))
    file = folder / "values.csv"
    file.write_text("a,b\n1,2\n")
    metadata = {
        "procedure_id": "FVT1",
        "procedure_name": "ignored",
        "procedure_version": "2.0",
        "part_number": "PCB-HTF",
        "revision": "C",
        "batch_number": "LOT-HTF",
        "sub_units": [{"serial_number": child}],
        "test_name": "board test",
    }
    paths = {name: str(folder / f"{name}.json") for name in ("record", "report")}
    environment = current_environment() if client == "current" else old_environment(client)
    told = run_script(
        environment,
        "openhtf_station.py",
        folder,
        server,
        file=str(file),
        metadata=metadata,
        **paths,
        **orders,
    )
    record = json.loads((folder / "record.json").read_text("utf-8"))
    (run,) = runs_of(admin, serial)
    return Reported(orders["test"] == "passing", record, run, told.output, told.found)


STATIONS = [
    ("current", "upload", "troubled"),
    ("current", "context", "passing"),
    ("tofupilot-1.11.2", "context", "troubled"),
    ("tofupilot-1.11.2", "upload", "passing"),
    ("tofupilot-1.6.2", "context", "passing"),
    # Streams until its test ends, and hangs where it cannot.
    ("tofupilot-1.6.1", "context", "passing"),
]


@pytest.fixture(scope="module", params=STATIONS, ids=["-".join(station) for station in STATIONS])
def reported(
    request: pytest.FixtureRequest,
    server: Server,
    admin: httpx.Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Reported:
    client, how, test = request.param
    # Client 1.11 names a file for all of the machine by serial number and start: two tests that start at once share it.
    serial = f"HTF {client} {how} {test} {uuid4().hex[:8]}"
    return _report(
        server, admin, tmp_path_factory.mktemp("station"), client, serial=serial, how=how, test=test
    )


def _millis(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def test_header(reported: Reported):
    passes, record, run, _, found = reported
    assert found["passed"] is passes
    assert run["outcome"] == record["outcome"] == ("PASS" if passes else "TIMEOUT")
    assert _millis(run["started_at"]) == record["start_time_millis"]
    assert _millis(run["ended_at"]) == record["end_time_millis"]
    assert run["procedure"]["identifier"] == "FVT1"
    assert run["procedure_version"]["value"] == "2.0"
    assert run["unit"]["serial_number"] == record["dut_id"]
    assert run["unit"]["part"]["number"] == "PCB-HTF"
    assert run["unit"]["part"]["revision"]["number"] == "C"
    assert run["unit"]["batch"]["number"] == "LOT-HTF"
    assert [unit["serial_number"] for unit in run["sub_units"]] == [f"{record['dut_id']}-CHILD"]
    assert run["created_by_station"]["name"] == "FCT-1"


def test_phases(reported: Reported):
    passes, record, run, *_ = reported
    shown = [
        (phase["name"], phase["outcome"], _millis(phase["started_at"]), _millis(phase["ended_at"]))
        for phase in run["phases"]
    ]
    assert shown == [
        (phase["name"], phase["outcome"], phase["start_time_millis"], phase["end_time_millis"])
        for phase in record["phases"]
    ]
    outcomes = [(phase["name"], phase["outcome"]) for phase in run["phases"]]
    if passes:
        tries = [("stubborn", "SKIP"), ("stubborn", "SKIP"), ("stubborn", "PASS")]
        first = [("trigger_phase", "PASS"), ("measure", "PASS"), ("sweep", "PASS"), ("attach", "PASS")]
        assert outcomes == [*first, *tries]
    else:
        assert outcomes == [
            ("trigger_phase", "PASS"),
            ("measure", "FAIL"),
            ("sweep", "PASS"),
            ("attach", "PASS"),
            ("skipped", "SKIP"),
            ("failing", "FAIL"),
            ("hanging", "ERROR"),
        ]


def _measurements(run: Json) -> dict[str, Json]:
    return {
        measurement["name"]: measurement for phase in run["phases"] for measurement in phase["measurements"]
    }


KINDS = ("value", "string_value", "bool_value", "json_value", "data_series")
EXPECTED: dict[str, Json] = {
    "vcc": {
        "value": 3.3,
        "units": "V",
        "lower_limit": 3.1,
        "upper_limit": 3.5,
        "validators": ["3.1 <= x <= 3.5"],
    },
    "firmware": {"string_value": "1.2.3", "validators": [r"'x' matches /^1\.2\.3$/"]},
    "model": {"string_value": "PCB-42", "validators": [r"'x' matches /PCB-\d+/"]},
    "led": {"bool_value": True, "validators": ["x == True"]},
    "noise": {"measured_value": "nan", "units": "dB"},
    "marginal": {
        "value": 9,
        "lower_limit": 0,
        "upper_limit": 10,
        "validators": ["0 <= Marginal:2 <= x <= Marginal:8 <= 10"],
    },
    "share": {
        "value": 98.5,
        "units": "pct",
        "lower_limit": 95,
        "upper_limit": 105,
        "validators": ["'x' is within 5% of 100."],
    },
    "settings": {"json_value": {"gain": [1, 2], "mode": "fast"}},
    "sweep": {
        "data_series": [
            {"data": [0, 10, 20, 30, 40], "units": "Hz"},
            {"data": [0, 1, 2, 3, 4], "units": "s"},
            {"data": [0, 0.25, 0.5, 0.75, 1], "units": "V"},
        ]
    },
}
NOTHING: Json = dict.fromkeys((*KINDS, "units", "lower_limit", "upper_limit")) | {"validators": []}


@pytest.mark.parametrize("name", EXPECTED)
def test_measurements(reported: Reported, name):
    expected = NOTHING | EXPECTED[name]
    single = next((expected[kind] for kind in KINDS[:-1] if expected[kind] is not None), None)
    shown = _measurements(reported.run)[name]
    assert {field: shown[field] for field in expected} == expected
    assert shown["measured_value"] == EXPECTED[name].get("measured_value", single)
    assert shown["outcome"] == "PASS"


def test_measurements_that_failed_or_never_came(reported: Reported):
    run = reported.run
    never = _measurements(run)["never"]
    assert (never["lower_limit"], never["upper_limit"]) == (0, 1)
    if reported.passes:
        assert (never["outcome"], never["value"]) == ("PASS", 0.5)
        assert "current" not in _measurements(run)
    else:
        assert (never["outcome"], never["measured_value"]) == ("UNSET", None)
        current = _measurements(run)["current"]
        assert (current["outcome"], current["value"], current["upper_limit"]) == ("FAIL", 0.75, 0.5)
        assert (current["lower_limit"], current["units"]) == (None, "A")


def test_logs(reported: Reported):
    shown = [
        (
            log["level"],
            log["message"],
            log["source_file"],
            log["line_number"],
            _millis(log["timestamp"]),
        )
        for log in reported.run["logs"]
    ]
    told = [
        (LEVELS[line["level"]], line["message"], line["source"], line["lineno"], line["timestamp_millis"])
        for line in reported.record["log_records"]
    ]
    assert len(told) > 10
    # The record is kept before it is sent, and a phase that hangs goes on to tell of its end.
    assert shown[: len(told)] == told
    messages = Counter((level, message) for level, message, *_ in shown)
    assert messages["INFO", "measured everything"] == 1
    assert messages["WARNING", "supply is a little high"] == 1
    assert messages["ERROR", "current is too high"] == (0 if reported.passes else 1)


def test_attachments(reported: Reported):
    run, found = reported.run, reported.found
    shown = {attachment["name"]: attachment for attachment in run["attachments"]}
    assert len(shown) == len(run["attachments"])
    contents = {name: downloaded(attachment) for name, attachment in shown.items()}
    assert contents == {
        "notes.txt": "Prüfling läuft\n".encode(),
        "picture.bin": bytes.fromhex(found["picture"]),
        "from file.csv": found["file"].encode(),
    }
    assert shown["notes.txt"]["content_type"] == "text/plain"
    assert shown["from file.csv"]["content_type"] == "text/csv"
    assert all(shown[name]["size"] == len(content) for name, content in contents.items())


def test_report_file(reported: Reported):
    upload = reported.run["file_import"]["upload"]
    assert upload["name"].endswith(".json")
    assert upload["content_type"] == "application/json"
    assert upload["size"] > 1000


def test_operator_reads_of_no_trouble(reported: Reported):
    """The clients and OpenHTF print lines with these words where something went wrong."""
    for word in ("TP:ERR", "NOT uploaded", "failed", "HTTP error"):
        lines = [line for line in reported.output.splitlines() if word in line and "ersion check" not in line]
        assert not lines, reported.output
    # OpenHTF shows how it ended the phase that hangs.
    ended = 0 if reported.passes else reported.output.count("openhtf.util.threads.ThreadTerminationError\n")
    assert reported.output.count("Traceback") == ended, reported.output
