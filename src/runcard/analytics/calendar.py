"""The calendar of a time zone: the hour, day, week or month in which a run started, as SQL and by name."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from runcard.analytics.copy.columns import utc

Period = Literal["hour", "day", "week", "month"]

# Between two clock changes of a zone lie months, or at least weeks.
_STEP = timedelta(days=7)
_HOUR = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class CalendarSpan(NamedTuple):
    """The first and the last moment that a calendar must know."""

    first: datetime
    last: datetime


class ClockChange(NamedTuple):
    """A moment at which the clocks of a zone change, and how far they are ahead of UTC before and after."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def cuts_an_hour(self) -> bool:
        """Whether the clocks change within an hour instead of at a whole one, as on Lord Howe Island."""
        since_midnight = self.at - self.at.replace(hour=0, minute=0, second=0, microsecond=0)
        return any((since_midnight + offset) % _HOUR for offset in (self.before, self.after))


class Calendar:
    """The calendar of a zone over a span of time."""

    def __init__(self, zone: ZoneInfo, span: CalendarSpan) -> None:
        # The hour in which the span begins may have been cut shortly before.
        first = span.first - min(_HOUR, span.first - _NEVER)
        self._changes = list(clock_changes(zone, CalendarSpan(first, span.last)))
        self._first_shift = _interval(_offset(zone, first))

    def sql(self, period: Period) -> str:
        """SQL of the period in which a run `r` starts: an hour as its start in UTC, others as their local start."""
        # Faster than DuckDB's own time zones.
        shifts = {change.at: _interval(change.after) for change in self._changes}
        shift = self._choice(shifts, self._first_shift)
        local = f"date_trunc('{period}', r.started_at + {shift})::TIMESTAMP"
        if period != "hour":
            return local
        # An hour that the clocks repeat is two hours.
        hour = f"{local} - {shift}"
        cuts = {change.at: f"TIMESTAMP '{utc(change.at)}'" for change in self._changes if change.cuts_an_hour}
        # The rest of an hour after such a change starts at the change.
        return f"greatest({hour}, {self._choice(cuts, 'NULL')})" if cuts else hour

    def _choice(self, since: Mapping[datetime, str], before: str) -> str:
        """SQL of the value that holds when a run starts; each holds from its moment on.

        Most runs are new, so the latest moment comes first.
        """
        cases = " ".join(
            f"WHEN r.started_at >= TIMESTAMP '{utc(moment)}' THEN {value}"
            for moment, value in sorted(since.items(), reverse=True)
        )
        return f"(CASE {cases} ELSE {before} END)" if cases else before


def start_of(period: Period, key: datetime, zone: ZoneInfo) -> datetime:
    """The start of a period, given its key by `Calendar.sql`."""
    return key.replace(tzinfo=UTC).astimezone(zone) if period == "hour" else key.replace(tzinfo=zone)


def name_of(period: Period, start: datetime) -> str:
    """The usual name of a period: 2026-01-31 13:00, 2026-01-31, 2026-W05, 2026-01. A cut hour may be 01:30."""
    match period:
        case "hour":
            return f"{start.date().isoformat()} {start:%H:%M}"
        case "week":
            year, week, _ = start.isocalendar()
            return f"{year:04}-W{week:02}"
        case "month":
            return start.date().isoformat()[:-3]
    return start.date().isoformat()


def clock_changes(zone: ZoneInfo, span: CalendarSpan) -> Iterator[ClockChange]:
    """The clock changes of a zone after the first moment of a span and up to the last, in order."""
    for year in range(span.first.year, span.last.year + 1):
        changes = _changes_in(zone, year)
        yield from (change for change in changes if span.first < change.at <= span.last)


@lru_cache(maxsize=4096)
def _changes_in(zone: ZoneInfo, year: int) -> Sequence[ClockChange]:
    """The clock changes in a year of UTC. They are cached because finding those of some decades takes milliseconds."""
    moment = datetime(year, 1, 1, tzinfo=UTC)
    last = moment.replace(month=12, day=31, hour=23, minute=59, second=59, microsecond=999_999)
    # The first moment itself may be a change.
    moment -= min(_TICK, moment - _NEVER)
    offset, found = _offset(zone, moment), []
    while moment < last:
        following = last if last - moment <= _STEP else moment + _STEP
        after = _offset(zone, following)
        if after != offset:
            found.append(ClockChange(_change_between(zone, moment, following), offset, after))
        moment, offset = following, after
    return found


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = _offset(zone, before)
    while after - before > _TICK:
        middle = before + (after - before) / 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    try:
        offset = moment.astimezone(zone).utcoffset()
    except OverflowError:  # within a day of the year 1 or 10000, where no zone changes its clocks
        offset = moment.replace(tzinfo=zone).utcoffset()
    assert offset is not None  # an aware moment has one
    return offset


def _interval(offset: timedelta) -> str:
    return f"INTERVAL ({round(offset.total_seconds())}) SECOND"
