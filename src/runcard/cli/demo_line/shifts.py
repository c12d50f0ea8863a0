"""The working times of the line: two shifts from Monday to Friday, and on the last day whatever weekday it is."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

_FIRST_SHIFT = timedelta(hours=6)
_SECOND_SHIFT = timedelta(hours=14)
_END = timedelta(hours=22)
# The last run starts this long before now, so that it has ended.
_LAST_RUN = timedelta(minutes=10)


def working_moments(rng: Random, count: int, days: int, now: datetime) -> Iterator[datetime]:
    """`count` moments within the shifts of the last `days` days, ascending, evenly spread with some jitter, in UTC."""
    shifts = _working_times(days, now)
    total = sum((end - start for start, end in shifts), timedelta())
    for position in range(count):
        worked = total * ((position + rng.uniform(0.1, 0.9)) / count)
        for start, end in shifts:
            if worked < end - start:
                yield start + worked
                break
            worked -= end - start


def is_late_shift(moment: datetime) -> bool:
    return moment - _midnight(moment.date()) >= _SECOND_SHIFT


def _working_times(days: int, now: datetime) -> list[tuple[datetime, datetime]]:
    last = (now - _FIRST_SHIFT - 2 * _LAST_RUN).date()
    dates = [last - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    worked = [day for day in dates if day.weekday() < 5 or day == last]
    return [(_midnight(day) + _FIRST_SHIFT, min(_midnight(day) + _END, now - _LAST_RUN)) for day in worked]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
