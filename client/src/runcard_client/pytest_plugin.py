"""pytest: `--runcard` records a session as a run. Each test is a phase, and the fixture `measure` adds measurements.

Works with pytest-xdist: the processes that run the tests pass their phases to the process that records.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import nullcontext

import pytest

from runcard_client.client import Client, Flushed
from runcard_client.errors import InvalidReport, InvalidSettings, SpoolUnusable
from runcard_client.limits import failure_text
from runcard_client.live_phase import LivePhase
from runcard_client.live_run import LiveRun
from runcard_client.log_capture import captured
from runcard_client.plain_phase import LoggedPhase, from_plain, to_plain
from runcard_client.report import LogReport, MeasurementReport, PhaseOutcome, RunReport
from runcard_client.run_clock import RunClock

# The attribute of a teardown report that holds the phase. pytest-xdist passes it to the main process.
_ON_REPORT = "runcard_phase"
_GIVEN = ("procedure", "serial_number", "part_number", "revision_number", "batch_number", "operator")
_WORST_FIRST: tuple[PhaseOutcome, ...] = ("ERROR", "FAIL", "SKIP", "PASS")


class MeasurementFailed(AssertionError):
    """A measurement of a test is beyond its limits."""


class _TestPhase:
    """The phase of a test with its logs and outcomes so far."""

    def __init__(self, name: str, clock: RunClock, docstring: str | None) -> None:
        self.live = LivePhase(name, clock, docstring)
        self.logs: list[LogReport] = []
        self._outcomes: list[PhaseOutcome] = ["PASS"]

    def add_outcome(self, outcome: PhaseOutcome) -> None:
        self._outcomes.append(outcome)

    def logged(self) -> LoggedPhase:
        self.live.outcome = next(outcome for outcome in _WORST_FIRST if outcome in self._outcomes)
        return LoggedPhase(self.live.report(), self.logs)


_PHASE = pytest.StashKey[_TestPhase]()
_RUN = pytest.StashKey[LiveRun]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("runcard", "recording runs with Runcard")
    group.addoption("--runcard", action="store_true", help="record this session as a run")
    for name in _GIVEN:
        words = name.replace("_", " ")
        group.addoption(f"--runcard-{name.replace('_', '-')}", metavar="TEXT", help=f"{words} of the run")
        parser.addini(f"runcard_{name}", f"{words} of the run", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Phases(captures=config.getoption("runcard")), "runcard-phases")
    if config.getoption("runcard") and not hasattr(config, "workerinput"):
        try:
            client = Client(sends=False)  # pytest_sessionfinish sends
        except (InvalidSettings, SpoolUnusable) as error:
            raise pytest.UsageError(f"--runcard: {error}") from error
        run = LiveRun(client.record_run, _given(config))
        config.stash[_RUN] = run
        config.pluginmanager.register(_Recording(client, run), "runcard-recording")


# The signature is that of `LivePhase.measure`.
Measure = Callable[..., MeasurementReport]


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Measure:
    """`measure("vcc", 3.31, unit="V", low=3.2, high=3.4)`: a value beyond its limits fails the test when it ends."""
    node: pytest.Item = request.node
    return node.stash[_PHASE].live.measure


@pytest.fixture(scope="session")
def runcard_run(request: pytest.FixtureRequest) -> LiveRun:
    """The run of this session. Tests may set its serial number and other details, and attach files.

    Without `--runcard` the run is not recorded.
    """
    if hasattr(request.config, "workerinput"):
        raise pytest.UsageError(
            "runcard_run is only available in the process that records, not in the workers of pytest-xdist;"
            " give the serial number with --runcard-serial-number, or run without -n"
        )
    return request.config.stash.get(_RUN, None) or LiveRun(lambda _: "", _given(request.config))


class _Phases:
    """Times each test, and adds its phase to the last of its reports."""

    def __init__(self, *, captures: bool) -> None:
        self._captures = captures
        self._clock = RunClock()
        self.unfinished: _TestPhase | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        docstring = getattr(getattr(item, "obj", None), "__doc__", None)
        phase = _TestPhase(item.nodeid.partition("::")[2] or item.nodeid, self._clock, docstring)
        item.stash[_PHASE] = self.unfinished = phase
        add_log: Callable[[LogReport], None] = phase.logs.append
        with captured(None, logging.INFO, add_log) if self._captures else nullcontext():
            result = yield
        self.unfinished = None
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        measurements = item.stash[_PHASE].live.report().measurements
        failed = [measurement for measurement in measurements if measurement.outcome == "FAIL"]
        if failed:
            raise MeasurementFailed("; ".join(map(failure_text, failed)))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        phase = item.stash[_PHASE]
        if report.skipped:
            phase.add_outcome("SKIP")
        elif report.failed:
            phase.add_outcome("FAIL" if _is_failure(call, report) else "ERROR")
            phase.logs.append(LogReport("ERROR", self._clock.now(), report.longreprtext, *_where(report)))
        if report.when == "teardown":
            setattr(report, _ON_REPORT, to_plain(phase.logged()))
        return report


class _Recording:
    """Collects the phases of all processes in the run, and records the run when the session ends."""

    def __init__(self, client: Client, run: LiveRun) -> None:
        self._client = client
        self._run = run
        self._attempts: dict[str, int] = {}
        self._is_interrupted = False
        self._problem: str | None = None
        self._flushed: Flushed | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        plain = getattr(report, _ON_REPORT, None)
        if plain is not None:
            self._add(from_plain(plain))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._run.outcome = "ERROR"
            self._run.log(report.longreprtext, "ERROR")

    def pytest_keyboard_interrupt(self) -> None:
        self._is_interrupted = True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Record and send the run. An error does not raise: it goes into the summary and fails the session."""
        phases = session.config.pluginmanager.get_plugin("runcard-phases")
        if isinstance(phases, _Phases) and phases.unfinished is not None:
            phases.unfinished.add_outcome("ERROR")
            self._add(phases.unfinished.logged())
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED or session.config.option.collectonly:
            self._client.close()
            return
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            self._run.outcome = "ERROR"
        elif self._is_interrupted and self._run.outcome is None:
            self._run.outcome = "ABORTED"
        try:
            self._run.end()
            self._flushed = self._client.flush()
        except (InvalidReport, SpoolUnusable) as error:
            self._problem = str(error)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        finally:
            self._client.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._problem is not None:
            terminalreporter.write_line(f"runcard: the run is not recorded: {self._problem}", red=True)
        elif self._flushed is not None:
            state = _state(self._flushed)
            terminalreporter.write_line(
                f"runcard: run {self._run.client_run_ref} of {self._run.serial_number}: {state}"
            )

    def _add(self, logged: LoggedPhase) -> None:
        name = logged.phase.name
        retry_count = self._attempts[name] = self._attempts.get(name, -1) + 1
        self._run.add_phase(logged.phase, retry_count)
        for log in logged.logs:
            self._run.add_log(log)


def _state(flushed: Flushed) -> str:
    if flushed.refused:
        return f"refused, and parked here: {'; '.join(flushed.refused)}"
    return "sent" if flushed.waiting == 0 else f"kept here, and sent later: {flushed.error}"


def _given(config: pytest.Config) -> RunReport:
    """The details of the run from the command line, else from the configuration of pytest."""
    values = {
        name: config.getoption(f"runcard_{name}") or config.getini(f"runcard_{name}") or None
        for name in _GIVEN
    }
    now = RunClock().started_at
    return RunReport(
        procedure=values["procedure"] or "",
        serial_number=values["serial_number"] or "",
        outcome="PASS",
        started_at=now,
        ended_at=now,
        part_number=values["part_number"],
        revision_number=values["revision_number"],
        batch_number=values["batch_number"],
        operator=values["operator"],
    )


def _is_failure(call: pytest.CallInfo[None], report: pytest.TestReport) -> bool:
    """Whether a test failed by an assertion or `pytest.fail`. Anything else that ends a test is an error."""
    if report.when != "call":
        return False
    return call.excinfo is None or call.excinfo.errisinstance((AssertionError, pytest.fail.Exception))


def _where(report: pytest.TestReport) -> tuple[str, int]:
    path, line, _ = report.location
    return path, (line or 0) + 1
