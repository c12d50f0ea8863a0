"""Robot Framework with the listener: what an execution comes to as a run."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.test_delivery import runs_of
from tests.servers import Server

Execution = Callable[..., subprocess.CompletedProcess[str]]
LISTENER = "runcard_client.robot.RunListener:procedure=Board:part_number=PCB-1"

SUITE = """
*** Settings ***
Library    runcard_client.robot.Measurements

*** Test Cases ***
Supply
    [Documentation]    The supply of the core.
    Measure    vcc    ${3.31}    unit=V    low=3.2    high=3.4
    Measure    icc    0.1    unit=A    high=0.2
    Measure    mode    fast    equals=fast
    Log    ramped up    WARN

Beyond Limits
    Measure    vcc    ${3.5}    unit=V    low=3.2    high=3.4
    Measure    after    ${1}

Not Today
    Skip    not today

Wrong
    Should Be Equal    1    2
"""


@pytest.fixture
def execution(server: Server, station_python: Path, tmp_path: Path) -> Execution:
    """Runs robot on this text of a suite, with these options, on a station of the cast."""

    def run(source: str, *options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "board.robot").write_text(source)
        environment = {
            "RUNCARD_URL": server.url,
            "RUNCARD_API_KEY": server.world.acme.fct.api_key,
            "RUNCARD_SPOOL": str(tmp_path / "spool.sqlite3"),
            "PATH": os.environ["PATH"],
        }
        return subprocess.run(
            [station_python, "-m", "robot", "--output", "NONE", *options, "board.robot"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def test_a_test_is_a_phase(execution: Execution, admin: httpx.Client, serial: str):
    done = execution(SUITE, "--listener", LISTENER, "--variable", f"SERIAL_NUMBER:{serial}")
    assert "vcc = 3.5 V, which is not at least 3.2 and at most 3.4" in done.stdout, done.stdout + done.stderr
    [run] = runs_of(admin, serial)
    assert (run["outcome"], run["procedure"]["name"], run["unit"]["part"]["number"]) == (
        "FAIL",
        "Board",
        "PCB-1",
    )
    phases = {phase["name"]: phase for phase in run["phases"]}
    assert {name: phase["outcome"] for name, phase in phases.items()} == {
        "Supply": "PASS",
        "Beyond Limits": "FAIL",
        "Not Today": "SKIP",
        "Wrong": "FAIL",
    }
    assert phases["Supply"]["docstring"] == "The supply of the core."
    assert values_of(phases["Supply"]) == [
        ("vcc", 3.31, "PASS"),
        ("icc", 0.1, "PASS"),
        ("mode", "fast", "PASS"),
    ]
    assert values_of(phases["Beyond Limits"]) == [("vcc", 3.5, "FAIL"), ("after", 1, "UNSET")]
    told = [(log["level"], log["message"]) for log in run["logs"]]
    assert ("WARNING", "ramped up") in told
    assert ("ERROR", "1 != 2") in told
    assert (
        run["started_at"] <= phases["Supply"]["started_at"] <= phases["Wrong"]["ended_at"] <= run["ended_at"]
    )


def values_of(phase: Any) -> list[tuple[str, Any, str]]:
    return [(one["name"], one["measured_value"], one["outcome"]) for one in phase["measurements"]]


def test_details_may_be_learned_on_the_way(
    execution: Execution, admin: httpx.Client, serial: str, tmp_path: Path
):
    (tmp_path / "trace.csv").write_text("1,2")
    source = f"""
*** Settings ***
Library    runcard_client.robot.Measurements

*** Test Cases ***
Scan
    Set Run Details    serial_number={serial}    part_number=PCB-2    operator=Grace
    Attach To Run    {tmp_path / "trace.csv"}
"""
    done = execution(source, "--listener", LISTENER)
    assert done.returncode == 0, done.stdout + done.stderr
    [run] = runs_of(admin, serial)
    assert (run["outcome"], run["unit"]["part"]["number"], run["operated_by"]["name"]) == (
        "PASS",
        "PCB-2",
        "Grace",
    )
    assert [file["name"] for file in run["attachments"]] == ["trace.csv"]


@pytest.mark.parametrize(
    ("line", "options", "told"),
    [
        ("Measure    vcc    abc    low=3", ["--listener", LISTENER], "vcc is 'abc'; give a number"),
        ("Measure    vcc    ${3}    low=x", ["--listener", LISTENER], "low is 'x'; give a number"),
        ("Measure    vcc    ${3}", [], "no listener records this run; run robot with --listener"),
    ],
    ids=["value", "limit", "no-listener"],
)
def test_what_is_wrong_is_told(execution: Execution, line: str, options: list[str], told: str):
    source = f"*** Settings ***\nLibrary    runcard_client.robot.Measurements\n*** Test Cases ***\nOne\n    {line}\n"
    done = execution(source, *options, "--variable", "SERIAL_NUMBER:SN-WRONG")
    assert done.returncode == 1
    assert told in done.stdout


def test_a_run_without_a_serial_number_is_told(execution: Execution):
    done = execution("*** Test Cases ***\nOne\n    No Operation\n", "--listener", LISTENER)
    assert "serial_number is ''; give at least 1 character" in done.stdout + done.stderr


def test_ctrl_c_makes_it_aborted(execution: Execution, admin: httpx.Client, serial: str):
    source = (
        "*** Test Cases ***\nOne\n    Evaluate    os.kill(os.getpid(), signal.SIGINT)\n    No Operation\n"
    )
    done = execution(source, "--listener", LISTENER, "--variable", f"SERIAL_NUMBER:{serial}")
    assert "Execution terminated by signal" in done.stdout, done.stdout + done.stderr
    [run] = runs_of(admin, serial)
    assert (run["outcome"], [phase["outcome"] for phase in run["phases"]]) == ("ABORTED", ["FAIL"])
