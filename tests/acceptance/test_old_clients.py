"""Old tofupilot clients, each in its own virtual environment, as stations that were never updated still run them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.acceptance.wire import MISSING_PART_NUMBER
from tests.servers import Server

SCENARIO = Path(__file__).parent / "clients" / "old_client.py"
CACHE = Path(__file__).parents[2] / ".cache" / "clients"
# Nothing on this machine listens here: whatever a client asks of the outside fails at once.
NOWHERE = "http://127.0.0.1:9"


class Done(NamedTuple):
    got: dict[str, Any]
    said: str


def python_with(client: str) -> Path:
    """The Python of a virtual environment that has this client; made once, kept between runs."""
    folder = CACHE / client.replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, client, "setuptools<81", "requests<3"], check=True)
        (folder / "ready").touch()
    return python


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    """Clients before 2.2.1 read the list of runs as an object."""
    return {"RUNCARD_RUNS_ENVELOPE": "object"}


@pytest.fixture(scope="module", params=["tofupilot==1.6.2", "tofupilot==1.11.2"])
def client(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def serial(client: str) -> str:
    return f"OLD/{client} ü"


@pytest.fixture(scope="module")
def done(server: Server, client: str, serial: str, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """What the client got, and what it showed the operator."""
    attachment = tmp_path_factory.mktemp("station") / "plot of vcc.csv"
    attachment.write_bytes(b"t,v\n0,3.3\n")
    environment = {
        **os.environ,
        "DISABLE_TELEMETRY": "true",
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    arguments = [server.url, server.world.acme.admin.api_key, serial, str(attachment)]
    ended = subprocess.run(
        [python_with(client), SCENARIO, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    return Done(json.loads(ended.stdout.rstrip().splitlines()[-1]), said)


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


def test_the_attachment_comes_back_byte_for_byte(done: Done) -> None:
    listed = done.got["runs"]
    (run,) = listed.get("result") or listed["data"]
    (attachment,) = run["attachments"]
    assert attachment["name"] == "plot of vcc.csv"
    assert httpx.get(attachment["url"]).content == b"t,v\n0,3.3\n"


def test_an_unknown_unit_has_no_runs(done: Done) -> None:
    listed = done.got["unknown"]
    assert (listed.get("result") or listed.get("data") or []) == []
    assert succeeded(listed)


def test_a_unit_is_updated(done: Done) -> None:
    assert succeeded(done.got["update_unit"])


def test_the_operator_reads_our_message(done: Done) -> None:
    assert done.got["refused"]["success"] is False
    assert done.got["refused"]["error"]["message"] == MISSING_PART_NUMBER
    assert MISSING_PART_NUMBER in done.said


def test_streaming_is_off_in_peace(done: Done, client: str) -> None:
    streaming = done.got["streaming"]
    assert succeeded(streaming)
    assert not (streaming.get("url") if client.endswith("1.6.2") else streaming["values"]["token"])


def test_runs_and_units_are_deleted(done: Done, admin: httpx.Client, client: str, serial: str) -> None:
    if client.endswith("1.6.2"):
        assert "delete_run" not in done.got  # that client cannot
        return
    assert done.got["delete_unit with runs"]["success"] is False
    assert "Delete its runs first" in done.got["delete_unit with runs"]["error"]["message"]
    assert succeeded(done.got["delete_run"])
    assert succeeded(done.got["delete_unit"])
    assert admin.get("/runs", params={"serial_number": serial, "envelope": "array"}).json() == []
    assert len(runs_of_child(admin, serial)) == 1


def runs_of_child(admin: httpx.Client, serial: str) -> list[Any]:
    answer = admin.get("/runs", params={"serial_number": f"{serial}-C", "envelope": "array"})
    runs: list[Any] = answer.json()
    return runs
