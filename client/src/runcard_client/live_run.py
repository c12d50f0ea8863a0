"""A run while it runs on the station."""

from __future__ import annotations

import logging
import mimetypes
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from runcard_client.live_phase import LivePhase
from runcard_client.log_capture import captured
from runcard_client.report import FileReport, LogLevel, LogReport, PhaseReport, RunOutcome, RunReport, Scalar
from runcard_client.run_clock import RunClock


class LiveRun:
    """A run that lasts as long as its `with`, and is recorded at the end, however it ends.

    An exception that leaves the run makes it ERROR; Ctrl-C or an exit makes it ABORTED. Both are raised on. Otherwise
    its phases decide the outcome.

    outcome: None: decided as above. serial_number to unit_metadata: as in RunReport; they may change until the end.
    client_run_ref: after the end, the key under which the run is kept.
    """

    def __init__(
        self, record: Callable[[RunReport], str], given: RunReport, clock: RunClock | None = None
    ) -> None:
        self.outcome: RunOutcome | None = None
        self.serial_number = given.serial_number
        self.part_number = given.part_number
        self.revision_number = given.revision_number
        self.batch_number = given.batch_number
        self.operator = given.operator
        self.docstring = given.docstring
        self.sub_units = list(given.sub_units)
        self.metadata: dict[str, Scalar] = dict(given.metadata)
        self.unit_metadata: dict[str, Scalar] = dict(given.unit_metadata)
        self.client_run_ref: str | None = given.client_run_ref
        self._record = record
        self._given = given
        self._clock = clock or RunClock()
        self._phases: list[LivePhase | PhaseReport] = []
        self._logs: list[LogReport] = []
        self._files: list[FileReport] = []

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.outcome = "ERROR" if isinstance(error, Exception) else "ABORTED"
            self._log_error(error)
        self.end()

    def end(self) -> None:
        """Record the run as it is now, where it has no `with`. Raises InvalidReport and SpoolUnusable."""
        self.client_run_ref = self._record(self.report())

    def phase(self, name: str, *, docstring: str | None = None, retry_count: int = 0) -> LivePhase:
        """A phase that begins now and ends with its `with`. retry_count: how many attempts came before this one."""
        phase = LivePhase(name, self._clock, docstring, retry_count)
        self._phases.append(phase)
        return phase

    def add_phase(self, phase: PhaseReport, retry_count: int = 0) -> None:
        """Add a phase that has ended."""
        self._phases.append(replace(phase, retry_count=retry_count))

    def log(self, message: str, level: LogLevel = "INFO") -> None:
        """Add a line to the run's log."""
        [caller] = traceback.extract_stack(limit=2)[:1]
        self.add_log(LogReport(level, self._clock.now(), message, caller.filename, caller.lineno or 0))

    def add_log(self, log: LogReport) -> None:
        self._logs.append(log)

    @contextmanager
    def capture_logging(
        self, logger: logging.Logger | str | None = None, level: int = logging.INFO
    ) -> Iterator[None]:
        """A block whose `logging` records go into the run's log. logger: this one and those below it; None: all."""
        with captured(logger, level, self.add_log):
            yield

    def attach(self, name: str, content: bytes, content_type: str | None = None) -> None:
        """Add a file to the run. content_type: None: guessed from its name."""
        guessed = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._files.append(FileReport(name, content, guessed))

    def attach_file(self, path: str | Path, content_type: str | None = None) -> None:
        """Add a file to the run, with its present content and its own name."""
        self.attach(Path(path).name, Path(path).read_bytes(), content_type)

    def now(self) -> datetime:
        """The time within this run."""
        return self._clock.now()

    def report(self) -> RunReport:
        """The run as it is now."""
        phases = tuple(phase if isinstance(phase, PhaseReport) else phase.report() for phase in self._phases)
        outcomes = {phase.outcome for phase in phases}
        found: RunOutcome = "ERROR" if "ERROR" in outcomes else "FAIL" if "FAIL" in outcomes else "PASS"
        return replace(
            self._given,
            serial_number=self.serial_number,
            outcome=self.outcome or found,
            started_at=self._clock.started_at,
            ended_at=self._clock.now(),
            phases=phases,
            logs=tuple(self._logs),
            files=tuple(self._files),
            part_number=self.part_number,
            revision_number=self.revision_number,
            batch_number=self.batch_number,
            operator=self.operator,
            sub_units=tuple(self.sub_units),
            docstring=self.docstring,
            metadata=self.metadata,
            unit_metadata=self.unit_metadata,
        )

    def _log_error(self, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        where = (frames[-1].filename, frames[-1].lineno or 0) if frames else ("unknown", 0)
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self.add_log(LogReport("CRITICAL", self._clock.now(), text, *where))
