"""`pytest --runcard`, as a station calls it: what a session comes to as a run."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.test_delivery import runs_of
from tests.servers import Server

Session = Callable[..., subprocess.CompletedProcess[str]]

# Plugins that no station has beside the tests' own Python, and which take long to load.
WITHOUT = [f"-pno:{plugin}" for plugin in ("cacheprovider", "schemathesis", "hypothesispytest", "anyio")]


@pytest.fixture
def session(server: Server, station_python: Path, tmp_path: Path, serial: str) -> Session:
    """Runs pytest on this text of a module, with these options, on a station of the cast."""

    def run(
        source: str, *options: str, conftest: str = "", url: str = server.url
    ) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "procedure"
        folder.mkdir()
        (folder / "test_board.py").write_text(source)
        (folder / "conftest.py").write_text(conftest)
        (folder / "pytest.ini").write_text(
            "[pytest]\nruncard_procedure = Board\nruncard_part_number = PCB-1\n"
        )
        environment = {
            "RUNCARD_URL": url,
            "RUNCARD_API_KEY": server.world.acme.fct.api_key,
            "RUNCARD_SPOOL": str(tmp_path / "spool.sqlite3"),
            "PATH": os.environ["PATH"],
        }
        return subprocess.run(
            [station_python, "-m", "pytest", *WITHOUT, *options],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


PASSING = """
import logging

def test_supply(measure):
    "The supply of the core."
    logging.getLogger("station").info("ramping up")
    measure("vcc", 3.31, unit="V", low=3.2, high=3.4)
    measure("mode", "fast", equals="fast")

class TestRadio:
    def test_power(self, measure):
        assert measure("power", [10.0, float("inf")], unit="dBm").outcome == "UNSET"
"""

OTHERWISE = """
import pytest

def test_beyond_limits(measure):
    measure("vcc", 3.5, unit="V", low=3.2, high=3.4)
    measure("icc", 0.1, unit="A", high=0.2)

def test_asserts():
    assert 1 == 2

def test_breaks():
    raise ConnectionError("no such port")

def test_skips():
    pytest.skip("not today")

@pytest.mark.xfail
def test_known():
    assert False

@pytest.fixture
def broken():
    raise RuntimeError("no fixture")

def test_without_fixture(broken):
    pass
"""


def phases_of(run: Any) -> dict[str, str]:
    return {phase["name"]: phase["outcome"] for phase in run["phases"]}


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one-process", "xdist"])
def test_a_test_is_a_phase(session: Session, admin: httpx.Client, serial: str, options: list[str]):
    done = session(PASSING, "--runcard", "--runcard-serial-number", serial, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"of {serial}: sent" in done.stdout
    [run] = runs_of(admin, serial)
    assert (run["outcome"], run["procedure"]["name"]) == ("PASS", "Board")
    assert phases_of(run) == {"test_supply": "PASS", "TestRadio::test_power": "PASS"}
    [supply] = [phase for phase in run["phases"] if phase["name"] == "test_supply"]
    assert supply["docstring"] == "The supply of the core."
    assert [(one["name"], one["measured_value"], one["outcome"]) for one in supply["measurements"]] == [
        ("vcc", 3.31, "PASS"),
        ("mode", "fast", "PASS"),
    ]
    [log] = run["logs"]
    assert (log["level"], log["message"]) == ("INFO", "ramping up")


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one-process", "xdist"])
def test_a_no_is_a_failure_and_the_rest_errors(
    session: Session, admin: httpx.Client, serial: str, options: list[str]
):
    done = session(OTHERWISE, "--runcard", "--runcard-serial-number", serial, *options)
    assert done.returncode == 1
    assert "MeasurementFailed: vcc = 3.5 V, which is not at least 3.2 and at most 3.4" in done.stdout
    [run] = runs_of(admin, serial)
    assert run["outcome"] == "ERROR"
    assert phases_of(run) == {
        "test_beyond_limits": "FAIL",
        "test_asserts": "FAIL",
        "test_breaks": "ERROR",
        "test_skips": "SKIP",
        "test_known": "SKIP",
        "test_without_fixture": "ERROR",
    }
    assert any("no such port" in log["message"] for log in run["logs"])


def test_ctrl_c_makes_it_aborted(session: Session, admin: httpx.Client, serial: str):
    source = "def test_first(): pass\ndef test_second(measure):\n    measure('vcc', 1)\n    raise KeyboardInterrupt\n"
    done = session(source, "--runcard", "--runcard-serial-number", serial)
    assert done.returncode == 2
    [run] = runs_of(admin, serial)
    assert (run["outcome"], phases_of(run)) == ("ABORTED", {"test_first": "PASS", "test_second": "ERROR"})
    assert [one["name"] for one in run["phases"][1]["measurements"]] == ["vcc"]


def test_a_module_that_cannot_be_read_is_an_error(session: Session, admin: httpx.Client, serial: str):
    done = session("import no_such_driver\n", "--runcard", "--runcard-serial-number", serial)
    assert done.returncode == 2
    [run] = runs_of(admin, serial)
    assert run["outcome"] == "ERROR"
    assert "no_such_driver" in run["logs"][0]["message"]


def test_the_serial_number_may_be_learned_on_the_way(session: Session, admin: httpx.Client, serial: str):
    conftest = f"""
import pytest

@pytest.fixture(scope="session", autouse=True)
def unit(runcard_run):
    runcard_run.serial_number = "{serial}"
    runcard_run.metadata["fixture"] = "F-7"
    yield
    runcard_run.attach("trace.csv", b"1,2")
"""
    assert session("def test_nothing(): pass\n", "--runcard", conftest=conftest).returncode == 0
    [run] = runs_of(admin, serial)
    assert run["metadata"] == {"fixture": "F-7"}
    assert [file["name"] for file in run["attachments"]] == ["trace.csv"]


def test_a_run_without_a_serial_number_is_told(session: Session):
    done = session("def test_nothing(): pass\n", "--runcard")
    assert done.returncode == 4
    assert "runcard: the run is not recorded: serial_number is ''; give at least 1 character" in done.stdout


def test_without_the_option_it_judges_and_records_nothing(session: Session, tmp_path: Path):
    source = "def test_it(measure, runcard_run):\n    runcard_run.serial_number = 'x'\n    measure('vcc', 9, high=5)\n"
    done = session(source)
    assert done.returncode == 1
    assert "vcc = 9, which is not at most 5" in done.stdout
    assert not (tmp_path / "spool.sqlite3").exists()


def test_where_nothing_runs_nothing_is_recorded(session: Session, admin: httpx.Client, serial: str):
    done = session("def test_it(): pass\n", "--runcard", "--runcard-serial-number", serial, "--collect-only")
    assert done.returncode == 0
    assert runs_of(admin, serial) == []


def test_the_details_of_a_run_are_not_of_a_worker(session: Session):
    done = session("def test_it(runcard_run): pass\n", "--runcard", "--runcard-serial-number", "x", "-n", "1")
    assert "runcard_run is only available in the process that records" in done.stdout


def test_a_run_that_is_refused_is_told(session: Session, serial: str):
    options = ["--runcard-procedure", "Unknown", "--runcard-serial-number", serial]
    done = session("def test_nothing(): pass\n", "--runcard", *options)
    assert done.returncode == 0
    assert f"of {serial}: refused, and parked here: procedure Unknown is not on this server" in done.stdout


def test_a_server_that_is_away_is_told(session: Session, serial: str):
    nobody = "http://127.0.0.1:1"
    done = session("def test_nothing(): pass\n", "--runcard", "--runcard-serial-number", serial, url=nobody)
    assert done.returncode == 0
    assert f"of {serial}: kept here, and sent later: 127.0.0.1:1 does not answer" in done.stdout
