"""Moments and durations, as ISO 8601 writes them."""

import re
from datetime import UTC, datetime, timedelta

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKS = re.compile(r"P(\d{1,6})W", re.ASCII)
_ZERO = ("P", "PT")  # not valid ISO 8601, but what tofupilot 1.0 sends for zero


def as_utc(moment: datetime) -> datetime:
    """The same moment, aware and in UTC; a moment without a zone is taken as UTC.

    Raises ValueError for a moment that lies outside the years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{moment.isoformat()} lies outside the years 1 to 9999") from error


def of_unix_ms(milliseconds: float) -> datetime:
    """The moment this many milliseconds after the start of 1970, rounded to a whole millisecond.

    Raises ValueError for a number that is not finite, and for a moment outside the years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(0, 0, 0, round(milliseconds))
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{milliseconds} ms lies outside the years 1 to 9999") from error


def parse_duration(text: str) -> timedelta:
    """The duration of an ISO 8601 text in weeks, or in days, hours, minutes and seconds; it may be negative.

    Raises ValueError for any other text. Years and months are refused, because they have no fixed length.
    """
    if text in _ZERO:
        return timedelta()
    if weeks := _WEEKS.fullmatch(text):
        return timedelta(weeks=int(weeks[1]))
    try:
        return msgspec.convert(text, timedelta)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ValueError(f"{text!r} is no ISO 8601 duration such as PT2M30S") from error


def format_duration(duration: timedelta) -> str:
    """The duration in ISO 8601, such as PT0S, PT2M30S, P1DT2H or PT0.5S."""
    sign = "-" if duration < timedelta() else ""
    duration = abs(duration)
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0") if duration.microseconds else ""
    time = (
        (f"{hours}H" if hours else "")
        + (f"{minutes}M" if minutes else "")
        + (f"{seconds}{fraction}S" if seconds or fraction else "")
    )
    days = f"{duration.days}D" if duration.days else ""
    return f"{sign}P{days}{'T' + time if time else ''}" if days or time else "PT0S"


def format_instant(moment: datetime) -> str:
    """The moment in ISO 8601 and UTC, with milliseconds, or microseconds if it has them: 2026-01-31T12:00:00.000Z."""
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"
