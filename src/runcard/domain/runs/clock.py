"""Which time a run counts at where its station's clock is wrong: the time at which it was received.

What the station said is kept beside it. This is the only place where a clock is judged.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from runcard.domain.runs.phase import Phase
from runcard.domain.runs.run import RunDocument

# No station of ours is older. A clock that lost its battery starts in 1970 or 1980; an empty date is the year 1.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# A clock in the wrong time zone is no more than that ahead.
MOST_AHEAD = timedelta(days=1)
# What lies further from the start of a run was told by another clock, such as one that was set meanwhile.
_LONGEST = timedelta(days=365)


class Times(NamedTuple):
    """When a run started and ended."""

    started_at: datetime
    ended_at: datetime

    @property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at


class Recorded(Protocol):
    """A run's times as they count, and as the station said them; None where the station's clock was right."""

    @property
    def started_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime: ...
    @property
    def reported_started_at(self) -> datetime | None: ...
    @property
    def reported_ended_at(self) -> datetime | None: ...


def is_wrong(started_at: datetime, received_at: datetime) -> bool:
    """Whether a clock that gave a run this start is wrong, given when the run was received.

    It is where the start lies before 2000, or more than a day after the receipt. Old runs may be imported late.
    """
    return started_at < EARLIEST or started_at - received_at > MOST_AHEAD


def counted_times(reported: Times, received_at: datetime) -> Times:
    """The times by which a run is ordered and counted: those reported, unless the clock that gave them is wrong.

    Then the run starts when it was received. It takes as long as reported, unless another clock gave its end: then it
    takes no time.
    """
    if not is_wrong(reported.started_at, received_at):
        return reported
    return Times(received_at, _moved(reported.ended_at, reported.started_at, received_at))


def reported_times(run: Recorded) -> Times:
    """What the station said of when a run started and ended; this is what those who ask for the run are told."""
    return Times(run.reported_started_at or run.started_at, run.reported_ended_at or run.ended_at)


def counted_document(
    document: RunDocument, started_at: datetime, reported_started_at: datetime | None
) -> RunDocument:
    """A run's inside with phases and logs at the times at which they count: moved as the start of the run was.

    reported_started_at: None where the clock was right; then this is the document itself.
    """
    if reported_started_at is None:
        return document

    start = reported_started_at
    logs = [replace(one, timestamp=_moved(one.timestamp, start, started_at)) for one in document.logs]
    phases = [_moved_phase(one, _moved(one.started_at, start, started_at)) for one in document.phases]
    return replace(document, phases=tuple(phases), logs=tuple(logs))


def _moved_phase(phase: Phase, started_at: datetime) -> Phase:
    return replace(
        phase, started_at=started_at, ended_at=_moved(phase.ended_at, phase.started_at, started_at)
    )


def _moved(moment: datetime, start: datetime, counted_start: datetime) -> datetime:
    after = moment - start
    return counted_start + after if abs(after) <= _LONGEST else counted_start
