"""What pages say about a station whose clock is wrong."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from runcard.analytics.questions.activity.station_clock import WrongClock
from runcard.domain.runs.clock import Recorded
from runcard.store.runs.records import RunRecord
from runcard.web.frame.formats import Moment, duration_text, moment_of

_YEAR = timedelta(days=365.2425)


def start_of(run: Recorded, zone: ZoneInfo) -> Moment:
    """When a run counts as started; if the station's clock was wrong, with the time that it gave."""
    started = moment_of(run.started_at, zone)
    if run.reported_started_at is None:
        return started
    reported = moment_of(run.reported_started_at, zone)
    return started._replace(said=f"The station's clock said {reported.date} {reported.time}")


def clock_note(run: RunRecord, zone: ZoneInfo) -> str:
    """The time that a wrong clock gave a run, and the time that is used instead; empty if the clock was right."""
    if run.reported_started_at is None:
        return ""
    reported, received = moment_of(run.reported_started_at, zone), moment_of(run.created_at, zone)
    return (
        f"The station's clock said {reported.date} {reported.time}; the run counts from when "
        f"it was received, {received.date} {received.time}."
    )


def clock_error(clock: WrongClock | None) -> str:
    """By how much the clock of a station is wrong; empty if it is right."""
    if clock is None:
        return ""
    way, gap = ("ahead", clock.ahead) if clock.ahead > timedelta() else ("behind", -clock.ahead)
    return f"Its clock is {way} by {f'{gap // _YEAR} years' if gap >= 2 * _YEAR else duration_text(gap)}"
