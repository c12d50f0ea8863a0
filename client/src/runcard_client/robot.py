"""Robot Framework: a listener that records a suite as a run with each test as a phase, and a library that measures.

    robot --listener runcard_client.robot.RunListener:procedure=FVT1 --variable SERIAL_NUMBER:PCB01-1 board.robot

Verified with Robot Framework 7.5.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

from robot.api.exceptions import ContinuableFailure
from robot.libraries.BuiltIn import BuiltIn

from runcard_client.client import Client
from runcard_client.errors import InvalidReport
from runcard_client.limits import failure_text
from runcard_client.live_phase import LivePhase
from runcard_client.live_run import LiveRun
from runcard_client.report import LogLevel, LogReport, RunReport, Scalar, Value
from runcard_client.run_clock import RunClock

# The Robot variable through which the library finds the listener.
_VARIABLE = "${RUNCARD_LISTENER}"
_BY_SIGNAL = "Execution terminated by signal"
_LEVELS: dict[str, LogLevel] = {
    "WARN": "WARNING",
    "ERROR": "ERROR",
    "FAIL": "ERROR",
    "INFO": "INFO",
    "SKIP": "INFO",
}


class _Suite(Protocol):
    parent: object | None
    source: Path | None


class _Case(Protocol):
    name: str
    doc: str


class _CaseResult(Protocol):
    status: str
    message: str


class _Message(Protocol):
    message: str
    level: str
    timestamp: datetime


class RunListener:
    """Records the execution as a run. The arguments are those of RunReport.

    serial_number: if not given, the Robot variable ${SERIAL_NUMBER}. RUNCARD_URL and RUNCARD_API_KEY name the server
    and the key.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(
        self,
        procedure: str,
        serial_number: str = "",
        part_number: str | None = None,
        revision_number: str | None = None,
        batch_number: str | None = None,
        operator: str | None = None,
        procedure_version: str | None = None,
    ) -> None:
        self._client = Client()
        clock = RunClock()
        given = RunReport(
            procedure,
            serial_number,
            "PASS",
            clock.started_at,
            clock.started_at,
            part_number=part_number,
            revision_number=revision_number,
            batch_number=batch_number,
            operator=operator,
            procedure_version=procedure_version,
        )
        self.run = LiveRun(self._client.record_run, given, clock)
        self.phase: LivePhase | None = None
        self._source = "unknown"
        self._has_phases = False

    def start_suite(self, data: _Suite, result: object) -> None:
        self._source = str(data.source or "unknown")
        BuiltIn().set_global_variable(_VARIABLE, self)

    def end_suite(self, data: _Suite, result: object) -> None:
        if not self.run.serial_number:
            self.run.serial_number = str(BuiltIn().get_variable_value("${SERIAL_NUMBER}") or "")

    def start_test(self, data: _Case, result: object) -> None:
        self.phase = self.run.phase(data.name, docstring=data.doc or None)
        self._has_phases = True

    def end_test(self, data: _Case, result: _CaseResult) -> None:
        phase, self.phase = self.phase, None
        if phase is None:
            return
        if result.status == "SKIP":
            phase.skip()
        elif result.status != "PASS":
            phase.fail()
            self.run.add_log(LogReport("ERROR", self.run.now(), result.message, self._source))
            if _BY_SIGNAL in result.message:
                self.run.outcome = "ABORTED"
        phase.end()

    def log_message(self, message: _Message) -> None:
        level = _LEVELS.get(message.level, "DEBUG")
        self.run.add_log(LogReport(level, message.timestamp.astimezone(), message.message, self._source))

    def close(self) -> None:
        """Record the run, unless no test was run. This is the last method that Robot calls."""
        try:
            if self._has_phases:
                self.run.end()
        finally:
            self._client.close()


class Measurements:
    """Keywords for suites that a RunListener records: `Measure`, `Set Run Details` and `Attach To Run`."""

    ROBOT_LIBRARY_SCOPE = "GLOBAL"

    def measure(
        self,
        name: str,
        value: object,
        unit: str | None = None,
        low: object = None,
        high: object = None,
        equals: object = None,
    ) -> None:
        """Add a measurement. If it is beyond its limits, both inclusive, the test goes on and fails at its end.

        `Measure    vcc    ${3.31}    unit=V    low=3.2    high=3.4`
        """
        phase = _listener().phase
        if phase is None:
            raise InvalidReport(f"{name} is measured outside a test; measure inside one")
        lowest, highest = _number("low", low), _number("high", high)
        is_number = lowest is not None or highest is not None
        measured = phase.measure(
            name,
            _value(name, value, is_number=is_number),
            unit=unit,
            low=lowest,
            high=highest,
            equals=_scalar(equals),
        )
        if measured.outcome == "FAIL":
            raise ContinuableFailure(failure_text(measured))

    def set_run_details(
        self,
        serial_number: str | None = None,
        part_number: str | None = None,
        revision_number: str | None = None,
        batch_number: str | None = None,
        operator: str | None = None,
    ) -> None:
        """Set the unit under test and the operator. Arguments that are not given stay as they are."""
        run = _listener().run
        run.serial_number = serial_number or run.serial_number
        run.part_number = part_number or run.part_number
        run.revision_number = revision_number or run.revision_number
        run.batch_number = batch_number or run.batch_number
        run.operator = operator or run.operator

    def attach_to_run(self, path: str) -> None:
        """Attach a file to the run, with its present content."""
        _listener().run.attach_file(path)


def _listener() -> RunListener:
    found = BuiltIn().get_variable_value(_VARIABLE)
    if not isinstance(found, RunListener):
        raise InvalidReport(
            "no listener records this run; run robot with --listener runcard_client.robot.RunListener:procedure=…"
        )
    return found


def _value(name: str, value: object, *, is_number: bool) -> Value:
    """The value to measure. A text in a suite is read as a number if the measurement has limits."""
    if is_number and isinstance(value, str):
        return _number(name, value)
    plain: Value = value  # type: ignore[assignment]  # measure refuses what it cannot take
    return plain


def _number(field: str, value: object) -> float | None:
    """The value as a number, also from a text; None for None. Raises InvalidReport."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    try:
        return float(str(value))
    except ValueError as error:
        raise InvalidReport(f"{field} is {value!r:.80}; give a number") from error


def _scalar(value: object) -> Scalar | None:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
