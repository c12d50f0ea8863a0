"""The time of a run whose station's clock is wrong: the time at which the run was received.

The time that the station reported is kept beside it. This is the only module that judges a clock.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from runcard.domain.runs.phase import Phase
from runcard.domain.runs.run import RunDocument

# No test is older. A clock that lost its battery starts in 1970 or 1980; an empty date is the year 1.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# A clock in the wrong time zone is at most this far ahead.
MOST_AHEAD = timedelta(days=1)
# A time that lies further from the start of its run came from another clock, such as one that was set meanwhile.
_LONGEST = timedelta(days=365)


class Times(NamedTuple):
    """When a run started and ended."""

    started_at: datetime
    ended_at: datetime

    @property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at


class Recorded(Protocol):
    """The times that count for a run, and those that the station reported; None where its clock was right."""

    @property
    def started_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime: ...
    @property
    def reported_started_at(self) -> datetime | None: ...
    @property
    def reported_ended_at(self) -> datetime | None: ...


def is_wrong(started_at: datetime, received_at: datetime) -> bool:
    """Whether the clock that gave a run this start is wrong.

    It is wrong where the start lies before 2000 or more than a day after the receipt. An old start is no fault: runs
    may be imported late.
    """
    return started_at < EARLIEST or started_at - received_at > MOST_AHEAD


def counted_times(reported: Times, received_at: datetime) -> Times:
    """The times by which a run is ordered and counted: the reported ones, unless the station's clock is wrong.

    If it is, the run starts when it was received and keeps its reported duration. If another clock gave the end, the
    run has no duration.
    """
    if not is_wrong(reported.started_at, received_at):
        return reported
    return Times(received_at, _moved(reported.ended_at, reported.started_at, received_at))


def reported_times(run: Recorded) -> Times:
    """The start and end that the station reported; readers of the run are shown these."""
    return Times(run.reported_started_at or run.started_at, run.reported_ended_at or run.ended_at)


def counted_document(
    document: RunDocument, started_at: datetime, reported_started_at: datetime | None
) -> RunDocument:
    """The document with its phases and logs moved by as much as the start of the run was.

    reported_started_at: None where the clock was right; then the document comes back as it is.
    """
    if reported_started_at is None:
        return document

    start = reported_started_at
    logs = [replace(log, timestamp=_moved(log.timestamp, start, started_at)) for log in document.logs]
    phases = [_moved_phase(phase, _moved(phase.started_at, start, started_at)) for phase in document.phases]
    return replace(document, phases=tuple(phases), logs=tuple(logs))


def _moved_phase(phase: Phase, started_at: datetime) -> Phase:
    return replace(
        phase, started_at=started_at, ended_at=_moved(phase.ended_at, phase.started_at, started_at)
    )


def _moved(moment: datetime, start: datetime, counted_start: datetime) -> datetime:
    after = moment - start
    return counted_start + after if abs(after) <= _LONGEST else counted_start
