"""The period of the page of calls, divided into the slots of its chart."""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from runcard.web.lists.period import PeriodQuery, window_between, window_of

CallPeriod = Literal["1h", "today", "yesterday", "24h", "7d", "all", "range"]
CALL_PERIODS = {
    "1h": "Last hour",
    "today": "Today",
    "yesterday": "Yesterday",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "all": "All that is kept",
}

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_MOST_SLOTS = 60
# The first of these lengths that makes no more than `_MOST_SLOTS` is taken.
_SLOTS = (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, _HOUR, 6 * _HOUR)


class CallWindow(NamedTuple):
    """Slots of time from one moment to another, both included; until None: up to now. label: how a slot is written."""

    since: datetime
    until: datetime | None
    slot: timedelta
    slots: int
    label: str

    def of_slot(self, number: int) -> tuple[datetime, datetime]:
        """The first and the last moment of the slot with this number, from 0."""
        first = self.since + number * self.slot
        last = first + self.slot - timedelta(microseconds=1)
        return first, last if self.until is None else min(last, self.until)


def ending_now(
    period: Literal["1h", "24h", "7d", "all"], keep: timedelta, zone: ZoneInfo, now: datetime
) -> CallWindow:
    """The window up to now. It begins where a slot begins on the reader's clock, so that the first is not cut short."""
    match period:
        case "1h":
            length, slot, label = _HOUR, _MINUTE, "%H:%M"
        case "24h":
            length, slot, label = _DAY, 30 * _MINUTE, "%m-%d %H:%M"
        case "7d":
            length, slot, label = 7 * _DAY, 6 * _HOUR, "%m-%d %H:%M"
        case "all":
            length, slot, label = keep, _DAY * -(-keep // (_MOST_SLOTS * _DAY)), "%Y-%m-%d"
    first = (now - length).astimezone(zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (midnight + (first - midnight) // slot * slot).astimezone(UTC)
    return CallWindow(since, None, slot, (now - since) // slot + 1, label)


def of_day(period: Literal["today", "yesterday"], zone: ZoneInfo, now: datetime) -> CallWindow:
    """A day of the reader's clock, in as many slots as a reader can tell apart."""
    first, last = window_of(PeriodQuery(period=period), zone, now)
    assert first is not None  # a day begins
    return _in_slots(first, last, now)


def between(
    since: str | None, until: str | None, keep: timedelta, zone: ZoneInfo, now: datetime
) -> CallWindow:
    """The time between two days or moments, as far back as calls are kept. Raises InvalidInput.

    It has as many slots as a reader can tell apart.
    """
    first, last = window_between(since, until, zone)
    oldest = ending_now("all", keep, zone, now).since
    return _in_slots(oldest if first is None else max(first, oldest), last, now)


def _in_slots(first: datetime, last: datetime | None, now: datetime) -> CallWindow:
    length = max((now if last is None else min(last, now)) - first, timedelta())
    slot = next((one for one in _SLOTS if length // one < _MOST_SLOTS), None)
    if slot is None:
        slot = _DAY * (length // (_MOST_SLOTS * _DAY) + 1)
    label = "%Y-%m-%d" if slot >= _DAY else "%m-%d %H:%M"
    return CallWindow(first, last, slot, length // slot + 1, label)
