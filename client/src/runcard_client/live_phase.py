"""A phase while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

from runcard_client.limits import judged
from runcard_client.report import MeasurementReport, PhaseOutcome, PhaseReport, Scalar, ValidatorReport, Value
from runcard_client.run_body import json_value
from runcard_client.run_clock import RunClock


class LivePhase:
    """A phase that lasts as long as its `with`. outcome: None: decided by its measurements.

    An exception that leaves the phase makes it ERROR, and is raised on.
    """

    def __init__(
        self, name: str, clock: RunClock, docstring: str | None = None, retry_count: int = 0
    ) -> None:
        self.outcome: PhaseOutcome | None = None
        self._clock = clock
        self._measurements: list[MeasurementReport] = []
        self._is_over = False
        now = clock.now()
        self._report = PhaseReport(name, "PASS", now, now, docstring=docstring, retry_count=retry_count)

    def __enter__(self) -> LivePhase:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.outcome = "ERROR"
        self.end()

    def end(self) -> None:
        """End the phase now, where it has no `with`."""
        self._report = self._as_of_now()
        self._is_over = True

    def measure(
        self,
        name: str,
        value: Value,
        *,
        unit: str | Sequence[str] | None = None,
        low: float | None = None,
        high: float | None = None,
        equals: Scalar | None = None,
        docstring: str | None = None,
    ) -> MeasurementReport:
        """Add a measurement to the phase and return it with its outcome. low, high: inclusive limits.

        Raises InvalidReport.
        """
        plain = json_value(name, value)
        outcome = judged(name, plain if isinstance(plain, list) else value, low, high, equals)
        checks = [] if equals is None else [ValidatorReport(judged(name, value, equals=equals), "==", equals)]
        measurement = MeasurementReport(name, value, outcome, unit, low, high, checks, docstring)
        self._measurements.append(measurement)
        return measurement

    def fail(self) -> None:
        """Make the phase FAIL, whatever its measurements say."""
        self.outcome = "FAIL"

    def skip(self) -> None:
        """Make the phase SKIP: it was not carried out."""
        self.outcome = "SKIP"

    def report(self) -> PhaseReport:
        """The phase as it ended, or as it is now if it still runs."""
        return self._report if self._is_over else self._as_of_now()

    def _as_of_now(self) -> PhaseReport:
        failed = any(measurement.outcome == "FAIL" for measurement in self._measurements)
        outcome = self.outcome or ("FAIL" if failed else "PASS")
        return replace(
            self._report, outcome=outcome, ended_at=self._clock.now(), measurements=tuple(self._measurements)
        )
