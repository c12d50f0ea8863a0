"""Old tofupilot clients, each in its own virtual environment, as stations that were never updated still run them."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.acceptance.environments import SCRIPTS, old_environment, run_script
from tests.acceptance.files import downloaded, openhtf_report
from tests.acceptance.wire import MISSING_PART_NUMBER, create_run, run_of, runs_of
from tests.conftest import DatabaseKind
from tests.servers import Server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


class Done(NamedTuple):
    got: dict[str, Any]
    said: str


@pytest.fixture(scope="module", params=["tofupilot-1.6.2", "tofupilot-1.11.2"])
def client(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def serial(client: str) -> str:
    return f"OLD/{client} ü"


@pytest.fixture(scope="module")
def done(server: Server, client: str, serial: str, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """What the client got, and what it showed the operator."""
    folder = tmp_path_factory.mktemp("station")
    files = {
        "plot of vcc.csv": b"t,v\n0,3.3\n",
        "empty.log": b"",
        "report.json": openhtf_report(f"{serial}-R", "full"),
        "refused.json": openhtf_report(f"{serial}-R", procedure_id="FVT99"),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    told = run_script(
        old_environment(client),
        "old_client.py",
        folder,
        server,
        api_key=server.world.acme.admin.api_key,
        serial=serial,
        attachments=["plot of vcc.csv", "empty.log"],
        report="report.json",
        **{"refused report": "refused.json"},
    )
    return Done(told.found, told.output)


def succeeded(result: dict[str, Any]) -> bool:
    """Some of these clients say so, others hand on the answer as it came."""
    return result.get("success", True) is True and not result.get("error")


def test_the_run_is_recorded_with_everything(
    done: Done, admin: httpx.Client, client: str, serial: str
) -> None:
    listed = done.got["runs"]
    (run,) = listed.get("result") or listed["data"]
    assert run["id"] == done.got["run"]["id"]
    assert run["outcome"] == "FAIL"
    assert (run["started_at"], run["duration"]) == ("2026-01-31T12:00:00.000Z", "PT27M15S")
    assert run["unit"]["serial_number"] == serial
    assert run["unit"]["part"]["number"] == "PCB-OLD"
    assert run["unit"]["part"]["revision"]["number"] == "B"
    assert run["unit"]["batch"]["number"] == "LOT-OLD"
    version = run["procedure_version"] and run["procedure_version"]["value"]
    assert version == (None if client.endswith("1.6.2") else "1.2.3")
    assert [unit["serial_number"] for unit in run["sub_units"]] == [f"{serial}-C"]
    step = run["phases"][-1]
    assert (step["name"], step["outcome"], step["duration"]) == ("supply", "PASS", "PT2S")
    (measured,) = step["measurements"]
    limits = (measured["lower_limit"], measured["upper_limit"])
    assert (measured["value"], measured["units"], *limits) == (3.3, "V", 3.0, 3.6)
    names = [phase["name"] for phase in run["phases"]]
    assert names == (["supply"] if client.endswith("1.6.2") else ["voltage", "supply"])


def test_attachments_come_back_byte_for_byte(done: Done) -> None:
    assert done.got["contents"] == {"plot of vcc.csv": "t,v\n0,3.3\n", "empty.log": ""}


def test_report_is_imported(done: Done, admin: httpx.Client, client: str, serial: str) -> None:
    (run,) = runs_of(admin, f"{serial}-R")
    assert run["id"] == done.got["imported"]
    assert run["outcome"] == "FAIL"
    assert len(run["phases"]) == 13
    # From 1.9 on, a client sends what lies inside a report on its own as well.
    names = [attachment["name"] for attachment in run["attachments"]]
    assert names == ([] if client.endswith("1.6.2") else ["bin", "txt", "a.json"])
    message = "Procedure with ID FVT99 does not exist. Create the procedure first in the app."
    assert message in done.said
    if client.endswith("1.6.2"):
        assert done.got["import refused"]["error"]["message"] == message


def test_an_unknown_unit_has_no_runs(done: Done) -> None:
    listed = done.got["unknown"]
    assert (listed.get("result") or listed.get("data") or []) == []
    assert succeeded(listed)


def test_a_unit_is_updated(done: Done) -> None:
    assert succeeded(done.got["update_unit"])


def test_the_operator_reads_our_message(done: Done) -> None:
    for refused, message in [("refused", MISSING_PART_NUMBER), ("stranger", "Invalid API key.")]:
        assert done.got[refused]["success"] is False
        assert done.got[refused]["error"]["message"] == message
        assert message in done.said
    assert "Traceback" not in done.said
    assert "HTTP error occurred" not in done.said


def test_streaming_is_off_in_peace(done: Done, client: str) -> None:
    streaming = done.got["streaming"]
    assert succeeded(streaming)
    if client.endswith("1.6.2"):
        assert streaming["url"].startswith("ws://")
    else:
        assert not streaming["values"]["token"]


def test_runs_and_units_are_deleted(done: Done, admin: httpx.Client, client: str, serial: str) -> None:
    if client.endswith("1.6.2"):
        assert "delete_run" not in done.got  # that client cannot
        return
    assert done.got["delete_unit with runs"]["success"] is False
    assert "Delete its runs first" in done.got["delete_unit with runs"]["error"]["message"]
    assert succeeded(done.got["delete_run"])
    assert succeeded(done.got["delete_unit"])
    assert runs_of(admin, serial) == []
    assert len(runs_of(admin, f"{serial}-C")) == 1


# Of a function that fails, the plugin tells neither the name that was given nor the value.
STEPS = [
    ("supply", "PASS", 3.3),
    ("test_efficiency", "FAIL", None),
    ("test_firmware", "PASS", None),
    ("test_plain", "PASS", None),
]


def test_pytest_plugin_reports_a_session(server: Server, admin: httpx.Client, tmp_path: Path, new_serial):
    serial, child = new_serial(), new_serial()
    create_run(admin, run_of(child))
    (tmp_path / "data.csv").write_bytes(b"1,2")
    script = shutil.copy(SCRIPTS / "pytest_steps.py", tmp_path)
    plugins = ["-p", "no:cacheprovider", "--tofupilot", "--rootdir", str(tmp_path), "-q"]
    # pytest ends with 1 where a test failed, as one does.
    program = f"import pytest, sys; sys.exit(pytest.main({[script, *plugins]!r}) != 1)"
    variables = {
        "TOFUPILOT_URL": server.url,
        "TOFUPILOT_API_KEY": server.world.acme.fct.api_key,
        "STATION_SERIAL": serial,
        "STATION_CHILD": child,
    }
    old_environment("tofupilot-1.11.2").run(tmp_path, "-c", program, variables=variables)
    (run,) = runs_of(admin, serial)
    assert run["outcome"] == "FAIL"
    assert run["unit"]["part"]["number"] == "PCB-PYTEST"
    assert [unit["serial_number"] for unit in run["sub_units"]] == [child]
    assert [downloaded(attachment) for attachment in run["attachments"]] == [b"1,2"]
    values = [[m["value"] for m in phase["measurements"]] for phase in run["phases"]]
    shown = [
        (phase["name"], phase["outcome"], value[0] if value else None)
        for phase, value in zip(run["phases"], values, strict=True)
    ]
    assert shown == STEPS
    supply = run["phases"][0]["measurements"][0]
    assert (supply["units"], supply["lower_limit"], supply["upper_limit"]) == ("V", 3.1, 3.5)
