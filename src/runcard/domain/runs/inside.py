"""The phases, measurements and logs inside a run, numbered in document order, as their ids are."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.run import RunDocument


class Attempt(NamedTuple):
    """One attempt at a phase.

    is_final: no phase of the same name and sequence has a higher `retry_count`.
    measured_before: how many measurements of the run come before those of this attempt.
    """

    position: int
    phase: Phase
    is_final: bool
    measured_before: int


class Measured(NamedTuple):
    """A measurement, its position among all measurements of the run, and the attempt that made it."""

    position: int
    measurement: Measurement
    attempt: Attempt

    @property
    def number(self) -> float | int | None:
        """The value if it is a finite number, else None."""
        value = self.measurement.value
        is_number = self.measurement.kind == "numeric" and math.isfinite(value)
        return value if is_number else None


class LogLine(NamedTuple):
    position: int
    log: Log


def attempts_of(document: RunDocument) -> Iterator[Attempt]:
    """The phases of a run in document order."""
    last: dict[tuple[str | None, str], int] = {}
    for phase in document.phases:
        name = (phase.sequence_path, phase.name)
        last[name] = max(phase.retry_count, last.get(name, phase.retry_count))
    measured = 0
    for position, phase in enumerate(document.phases):
        is_final = phase.retry_count == last[phase.sequence_path, phase.name]
        yield Attempt(position, phase, is_final, measured)
        measured += len(phase.measurements)


def measured_in(document: RunDocument) -> Iterator[Measured]:
    """The measurements of a run in document order."""
    for attempt in attempts_of(document):
        for position, measurement in enumerate(attempt.phase.measurements, attempt.measured_before):
            yield Measured(position, measurement, attempt)


def lines_of(document: RunDocument) -> Iterator[LogLine]:
    """The logs of a run in document order."""
    for position, log in enumerate(document.logs):
        yield LogLine(position, log)
