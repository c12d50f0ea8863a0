"""A run from its `with` to its end, whichever that is."""

import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from runcard_client import Client, FileReport, InvalidReport, LiveRun, RunReport
from runcard_client.run_clock import RunClock
from tests.client.reporting import report_of
from tests.client.test_delivery import runs_of

BEGAN_AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def recorded() -> list[RunReport]:
    """What has been recorded."""
    return []


@pytest.fixture
def live(recorded: list[RunReport]) -> LiveRun:
    """A run whose clock goes on by a second whenever it is read."""

    def record(report: RunReport) -> str:
        recorded.append(report)
        return "ref"

    seconds: Iterator[float] = count(0.0)
    return LiveRun(record, report_of("SN-1"), RunClock(lambda: BEGAN_AT, lambda: next(seconds)))


def test_it_arrives_with_its_times_and_measurements(client: Client, admin: httpx.Client, serial: str):
    before = datetime.now(UTC)
    with client.run(procedure="Board", serial_number=serial, part_number="PCB-1") as run:
        with run.phase("power_on") as phase:
            phase.measure("vcc", 3.31, unit="V", low=3.2, high=3.4)
        run.metadata["fixture"] = "F-7"
        run.attach("notes.txt", b"fine")
        run.log("all good")
    between = datetime.now(UTC)
    assert client.flush().sent == 1

    [recorded] = runs_of(admin, serial)
    started_at, ended_at = (datetime.fromisoformat(recorded[name]) for name in ("started_at", "ended_at"))
    assert before <= started_at <= ended_at <= between + timedelta(milliseconds=1)
    assert (recorded["outcome"], recorded["metadata"]) == ("PASS", {"fixture": "F-7"})
    [phase_] = recorded["phases"]
    assert (phase_["name"], phase_["outcome"]) == ("power_on", "PASS")
    [vcc] = phase_["measurements"]
    assert (vcc["name"], vcc["measured_value"], vcc["units"], vcc["outcome"]) == ("vcc", 3.31, "V", "PASS")
    assert [(log["level"], log["message"]) for log in recorded["logs"]] == [("INFO", "all good")]
    assert [file["name"] for file in recorded["attachments"]] == ["notes.txt"]


def test_times_are_those_of_the_run(live: LiveRun, recorded: list[RunReport]):
    with live, live.phase("one"):
        pass
    [run] = recorded
    [phase] = run.phases
    moments = [run.started_at, phase.started_at, phase.ended_at, run.ended_at]
    assert moments == [BEGAN_AT + timedelta(seconds=seconds) for seconds in range(4)]


def fails(run: LiveRun) -> None:
    with run.phase("bad") as phase:
        phase.measure("vcc", 5, high=3)
    with run.phase("good") as phase:
        phase.measure("vcc", 1, high=3)


def fails_by_word(run: LiveRun) -> None:
    with run.phase("bad") as phase:
        phase.fail()


def skips(run: LiveRun) -> None:
    with run.phase("not today") as phase:
        phase.skip()


def survives_an_error(run: LiveRun) -> None:
    with pytest.raises(ZeroDivisionError), run.phase("bad"):
        raise ZeroDivisionError
    fails(run)


def says_so_itself(run: LiveRun) -> None:
    fails(run)
    run.outcome = "TIMEOUT"


@pytest.mark.parametrize(
    ("act", "outcome", "phases"),
    [
        (fails, "FAIL", ["FAIL", "PASS"]),
        (fails_by_word, "FAIL", ["FAIL"]),
        (skips, "PASS", ["SKIP"]),
        (survives_an_error, "ERROR", ["ERROR", "FAIL", "PASS"]),
        (says_so_itself, "TIMEOUT", ["FAIL", "PASS"]),
        (lambda _: None, "PASS", []),
    ],
    ids=["fails", "fails-by-word", "skips", "survives-an-error", "says-so-itself", "empty"],
)
def test_it_is_as_its_phases_are(
    live: LiveRun, recorded: list[RunReport], act: Callable[[LiveRun], None], outcome: str, phases: list[str]
):
    with live:
        act(live)
    [run] = recorded
    assert (run.outcome, [phase.outcome for phase in run.phases]) == (outcome, phases)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ValueError("no such port"), "ERROR"), (KeyboardInterrupt(), "ABORTED"), (SystemExit(1), "ABORTED")],
    ids=["error", "ctrl-c", "exit"],
)
def test_what_leaves_it_goes_on_and_stands_in_its_log(
    live: LiveRun, recorded: list[RunReport], error: BaseException, outcome: str
):
    live.outcome = "PASS"
    with pytest.raises(type(error)) as raised, live, live.phase("power_on"):
        raise error
    assert raised.value is error
    [run] = recorded
    assert (run.outcome, [phase.outcome for phase in run.phases]) == (outcome, ["ERROR"])
    [log] = run.logs
    assert (log.level, log.source_file) == ("CRITICAL", __file__)
    assert log.message.startswith("Traceback")
    assert type(error).__name__ in log.message


def test_what_cannot_be_recorded_is_refused_before_it_begins(client: Client):
    with pytest.raises(InvalidReport, match="serial_number is ' '"):
        client.run(procedure="Board", serial_number=" ")


def test_a_value_that_cannot_be_recorded_is_refused_where_it_is_measured(
    live: LiveRun, recorded: list[RunReport]
):
    unrecordable: Any = object()
    with pytest.raises(InvalidReport, match="vcc is a object"), live, live.phase("p") as phase:
        phase.measure("vcc", unrecordable)
    assert [run.outcome for run in recorded] == ["ERROR"]


def test_what_equals_asks_is_recorded_as_a_check(live: LiveRun):
    with live.phase("p") as phase:
        measured = phase.measure("mode", "slow", equals="fast")
    [check] = measured.validators
    assert (measured.outcome, check.outcome, check.operator, check.expected) == ("FAIL", "FAIL", "==", "fast")


def test_logging_is_captured_for_the_time_of_a_block(live: LiveRun, recorded: list[RunReport]):
    logger = logging.getLogger("station.power")
    with live:
        with live.capture_logging("station", logging.DEBUG):
            logger.debug("ramping to %s V", 12)
            logging.getLogger("elsewhere").error("not ours")
            logger.log(45, "between error and critical")
            logger.error("lost", exc_info=ValueError("port"))
        logger.error("after")
    [run] = recorded
    assert [(log.level, log.message.splitlines()[0]) for log in run.logs] == [
        ("DEBUG", "ramping to 12 V"),
        ("ERROR", "between error and critical"),
        ("ERROR", "lost"),
    ]
    assert run.logs[2].message.splitlines()[-1] == "ValueError: port"
    assert {log.source_file for log in run.logs} == {__file__}
    assert (logging.getLogger("station").handlers, logging.getLogger("station").level) == ([], logging.NOTSET)


def test_a_line_knows_where_it_was_written(live: LiveRun):
    here = sys._getframe().f_lineno
    live.log("mark", "WARNING")
    [log] = live.report().logs
    assert (log.source_file, log.line_number, log.level) == (__file__, here + 1, "WARNING")


def test_files_are_taken_as_they_are_now(live: LiveRun, tmp_path: Path):
    path = tmp_path / "trace.csv"
    path.write_text("1,2")
    live.attach_file(path)
    path.unlink()
    assert live.report().files == (FileReport("trace.csv", b"1,2", "text/csv"),)


def test_a_phase_that_goes_on_is_told_as_it_is(live: LiveRun):
    phase = live.phase("soak")
    phase.measure("temperature", 90, high=85)
    assert [(one.name, one.outcome) for one in live.report().phases] == [("soak", "FAIL")]
