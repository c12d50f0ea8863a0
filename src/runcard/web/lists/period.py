"""The period of a page: one of those on offer, or the time between two days or moments.

Days and moments are on the reader's clock, and both ends are included: until 2026-01-31 means until the end of that
day, until 2026-01-31T14:30 until the end of that minute.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.calendar import Period as Step
from runcard.domain.errors import InvalidInput
from runcard.domain.text import shortened

Period = Literal["today", "yesterday", "7", "30", "90", "365", "all", "range"]
# The period that stands for days from and to.
RANGE = "range"
PERIODS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "90": "Last 90 days",
    "365": "Last year",
    "all": "All time",
}

_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"(?P<time>T\d\d:\d\d(?P<second>:\d\d(?P<fraction>\.\d{1,6})?)?(?P<offset>Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)
_MOST_SHOWN = 60
_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# The most days that a chart shows by hours, by days and by weeks.
_FEW, _SOME, _MANY = 2, 120, 800


class PeriodQuery(Struct, kw_only=True):
    """since, until: days or moments, both included, in place of `period`. Neither with `range`: all time."""

    period: Period = "30"
    since: str | None = None
    until: str | None = None


class PeriodWindow(NamedTuple):
    """From the first to the last moment, both included, in UTC; None: open."""

    first: datetime | None
    last: datetime | None


def is_range(query: PeriodQuery) -> bool:
    """Whether the query names days or moments instead of a period on offer."""
    return query.period == RANGE or query.since is not None or query.until is not None


def window_of(query: PeriodQuery, zone: ZoneInfo, now: datetime) -> PeriodWindow:
    """The time that a page is about. Raises as `window_between` does."""
    if is_range(query):
        return window_between(query.since, query.until, zone)
    today = now.astimezone(zone).date()
    match query.period:
        case "today":
            return PeriodWindow(_day(today, zone).first, now)
        case "yesterday":
            return PeriodWindow(*_day(today - timedelta(days=1), zone))
        case "7" | "30" | "90" | "365" as days:
            # Whole days, so that the first one is not cut short.
            return PeriodWindow(_day(today - timedelta(days=int(days) - 1), zone).first, now)
    return PeriodWindow(None, None)


def window_between(since: str | None, until: str | None, zone: ZoneInfo) -> PeriodWindow:
    """The time between two days or moments. Raises InvalidInput for any other text, and for the wrong order."""
    first = None if since is None else _written("since", since, zone)
    last = None if until is None else _written("until", until, zone)
    # A day that a zone skipped ends before it begins; from that day to itself is still the right order.
    if first and last and first.first > max(last):
        raise InvalidInput.at("since", f"{since} is after until, {until}; swap them")
    return PeriodWindow(first and first.first, last and last.last)


def step_of(query: PeriodQuery) -> Step:
    """The step that divides a period into some tens of points on a chart."""
    if is_range(query):
        return _step_between(query.since, query.until)
    steps: dict[str, Step] = {"today": "hour", "yesterday": "hour", "365": "week", "all": "month"}
    return steps.get(query.period, "day")


def span_of(step: Step, start: datetime, within: PeriodWindow, zone: ZoneInfo) -> tuple[str, str]:
    """The part of an hour, day, week or month that lies within a window, as `since` and `until`.

    start: when the hour, day, week or month begins.
    """
    first, last = _in_utc(start), _end(step, start, zone)
    if within.first is not None:
        first = max(first, within.first)
    if within.last is not None:
        last = min(last, within.last)
    return written_between(first, last, zone)


def written_between(first: datetime, last: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Two moments, both included, as `since` and `until`; as days if they bound whole days."""
    days = first.astimezone(zone).date(), last.astimezone(zone).date()
    if first == _day(days[0], zone).first and last == _day(days[1], zone).last:
        return days[0].isoformat(), days[1].isoformat()
    return _moment_text(first, zone), _moment_text(_last_named(last), zone)


class _Named(NamedTuple):
    """The first and the last moment of a day, minute or second that was named, in UTC."""

    first: datetime
    last: datetime


def _written(name: str, text: str, zone: ZoneInfo) -> _Named:
    """The day or time that a text names. name: of its parameter. Raises InvalidInput."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise _no_moment(name, text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:  # such as the 13th month
        raise _no_moment(name, text) from error
    if not written["time"]:
        return _day(moment.date(), zone)
    first = moment if written["offset"] else moment.replace(tzinfo=zone)
    last = first
    if not written["fraction"]:
        last = last.replace(microsecond=999_999)
    if not written["second"]:
        last = last.replace(second=59)
    # If the clocks repeat this time, the second one is included too.
    return _Named(_in_utc(first), _in_utc(last.replace(fold=1)))


def _no_moment(name: str, text: str) -> InvalidInput:
    shown = repr(shortened(text, _MOST_SHOWN))
    return InvalidInput.at(
        name, f"{shown} is neither a day nor a moment; write one such as 2026-01-31 or 2026-01-31T14:30"
    )


def _day(day: date, zone: ZoneInfo) -> _Named:
    last = datetime.combine(day, time.max, zone).replace(fold=1)
    return _Named(_in_utc(datetime.combine(day, time(), zone)), _in_utc(last))


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the year 1 or 10000
        return _FIRST if moment.year == 1 else _LAST


def _step_between(since: str | None, until: str | None) -> Step:
    """The step for days and moments that were understood. An open end is today; an open beginning is long ago."""
    if since is None:
        return "month"
    last = datetime.now(UTC).date() if until is None else date.fromisoformat(until[:10])
    days = (last - date.fromisoformat(since[:10])).days + 1
    return "hour" if days <= _FEW else "day" if days <= _SOME else "week" if days <= _MANY else "month"


def _end(step: Step, start: datetime, zone: ZoneInfo) -> datetime:
    """The last moment of the hour, day, week or month that begins at `start`."""
    if step == "hour":
        # If a change of the clocks cuts an hour short, the cut-off part belongs to the hour before.
        return _in_utc(start) + _HOUR - timedelta(minutes=start.minute, seconds=start.second) - _TICK
    day = start.date()
    if step == "week":
        day += timedelta(days=6)
    elif step == "month":
        day = (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return _day(day, zone).last


def _last_named(moment: datetime) -> datetime:
    """The start of the minute or second that ends with this moment; the moment itself if none does."""
    if moment.microsecond != 999_999:
        return moment
    second = moment.replace(microsecond=0)
    return second.replace(second=0) if second.second == 59 else second


def _moment_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment on the clocks of the zone; in UTC if they show this time twice."""
    local = moment.astimezone(zone)
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    shown = (moment.astimezone(UTC) if is_repeated else local).replace(tzinfo=None)
    by = "minutes" if not (shown.second or shown.microsecond) else "auto"
    return f"{shown.isoformat(timespec=by)}{'Z' if is_repeated else ''}"
