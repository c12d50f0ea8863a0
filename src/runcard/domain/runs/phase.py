"""Phases and logs: what happened inside a run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import LogLevel, PhaseOutcome

MAX_LOG_MESSAGE_LENGTH = 10_000
MAX_SOURCE_FILE_LENGTH = 200
MAX_LINE_NUMBER = 2**53


class Phase(Struct, frozen=True, array_like=True, gc=False):
    """One stage of a run. Phases of the same name are attempts: `retry_count` 0, 1, 2 in recorded order.

    sequence_path: the sequence that it ran in; the same name in two sequences means two phases.
    """

    name: str
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    measurements: tuple[Measurement, ...] = ()
    docstring: str | None = None
    retry_count: int = 0
    sequence_path: str | None = None


class Log(Struct, frozen=True, gc=False):
    """One line that a station logged.

    Its constraints and names are those of the wire, so that most lines are decoded straight into this class.
    """

    level: LogLevel
    timestamp: Annotated[datetime, Meta(tz=True)]
    message: Annotated[str, Meta(min_length=1, max_length=MAX_LOG_MESSAGE_LENGTH)]
    source_file: Annotated[str, Meta(min_length=1, max_length=MAX_SOURCE_FILE_LENGTH)]
    line_number: Annotated[int, Meta(ge=-MAX_LINE_NUMBER, le=MAX_LINE_NUMBER)]


def tidy_message(message: str) -> str:
    """The log message, never empty and cut to MAX_LOG_MESSAGE_LENGTH characters."""
    return message[:MAX_LOG_MESSAGE_LENGTH] or "(empty)"


def tidy_source_file(path: str) -> str:
    """The source file, never empty; a long path keeps its end, which names the file."""
    return path[-MAX_SOURCE_FILE_LENGTH:] or "unknown"


class RetryCounter:
    """Numbers the attempts of each phase of one run, in recorded order."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str | None, str], int] = {}

    def next(self, phase_name: str, sequence_path: str | None = None) -> int:
        place = (sequence_path, phase_name)
        count = self._seen.get(place, -1) + 1
        self._seen[place] = count
        return count


def phase_end(phases: Sequence[Phase]) -> datetime | None:
    """The latest end of any phase; None where there is no phase."""
    return max((phase.ended_at for phase in phases), default=None)
