"""How numbers, times and sizes are written on pages."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.instant import format_instant

_SECOND = timedelta(seconds=1)
_DIGITS = 5
# The digits that a double always holds exactly.
_MOST_DIGITS = 15


class Moment(NamedTuple):
    """iso: for programs, exact, in UTC. date, time: for people, in the zone of their clock.

    said: what a wrong clock said instead; usually empty.
    """

    iso: str
    date: str
    time: str
    said: str = ""


def moment_of(moment: datetime, zone: ZoneInfo) -> Moment:
    local = _local(moment, zone)
    return Moment(format_instant(moment), local.date().isoformat(), f"{local:%H:%M:%S}")


def precise_moment_of(moment: datetime, zone: ZoneInfo) -> Moment:
    """As `moment_of`, with milliseconds."""
    local = _local(moment, zone)
    return moment_of(moment, zone)._replace(time=f"{local:%H:%M:%S}.{local.microsecond // 1000:03}")


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment in the time of a zone; in UTC if the zone would put it outside the years 1 to 9999."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def ago_text(age: timedelta) -> str:
    """How long ago something was, in its largest unit, such as "3 days ago"."""
    for unit, noun in (
        (timedelta(days=1), "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        if age >= unit:
            return f"{counted_text(age // unit, noun)} ago"
    return "just now"


def number_text(number: float) -> str:
    """The shortest text that reads back as the number: 3.3, 3 for 3.0, 1e-09, nan, -inf."""
    return str(number).removesuffix(".0")


def rounded_text(number: float) -> str:
    """A number to six digits, where a glance is enough, such as on an axis."""
    return f"{number:.6g}" if math.isfinite(number) else str(number)


def duration_text(duration: timedelta) -> str:
    """A duration in its two largest units: 0.4 ms, 350 ms, 12.5 s, 2 min 30 s, 1 h 2 min, 3 d 4 h."""
    if duration < _SECOND:
        return f"{_trimmed(duration / timedelta(milliseconds=1), 1)} ms" if duration else "0 s"
    if duration < timedelta(minutes=1):
        return f"{_trimmed(duration / _SECOND, 2)} s"
    minutes, seconds = divmod(int(duration / _SECOND), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def size_text(size_bytes: int) -> str:
    """A size in decimal units: 950 B, 12.3 kB, 4 MB."""
    size, units = float(size_bytes), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{_trimmed(size, 1)} {units[0]}"


def limit_text(size_bytes: int) -> str:
    """A limit of size, in binary units if it is a whole number of MiB: 100 MiB, 400 kB."""
    mebibytes, rest = divmod(size_bytes, 1024 * 1024)
    return size_text(size_bytes) if rest or not mebibytes else f"{mebibytes} MiB"


def _trimmed(number: float, digits: int) -> str:
    return f"{number:.{digits}f}".rstrip("0").rstrip(".")


def percent_text(ratio: float | None) -> str:
    """A share for a glance: 97.4 %; empty for None. Only all is written as 100.0 %, and only none as 0.0 %."""
    if ratio is None:
        return ""
    shown = f"{100 * ratio:.1f}"
    if ratio < 1 and shown == "100.0":
        shown = "99.9"
    if ratio > 0 and shown == "0.0":
        shown = "0.1"
    return f"{shown} %"


def count_text(count: int) -> str:
    """A number of things with thin spaces between the thousands: 12 345."""
    return f"{count:,}".replace(",", "\u2009")


def counted_text(count: int, noun: str) -> str:
    """A number of things, and what they are: 1 run, 12 345 runs."""
    return f"{count_text(count)} {noun}{'' if count == 1 else 's'}"


def figure_text(figure: float | None, uom: str | None = None) -> str:
    """A computed figure, to five digits, with its unit of measure; – for None."""
    if figure is None:
        return "–"
    return f"{figure:.{_DIGITS}g} {uom}" if uom else f"{figure:.{_DIGITS}g}"


def mean_text(mean: float | None, s: float | None, uom: str | None = None) -> str:
    """A mean, or a figure near it, to the first digit of the standard deviation, in at least five: 999999999.97 Hz.

    A deviation of zero means that every value is the mean, so it is written with all its digits. – for None.
    """
    if mean is None:
        return "–"
    if not s or not mean:
        text = figure_text(mean) if s else number_text(mean)
    else:
        digits = math.floor(math.log10(abs(mean))) - math.floor(math.log10(s)) + 1
        text = f"{mean:.{min(max(digits, _DIGITS), _MOST_DIGITS)}g}"
    return f"{text} {uom}" if uom else text


def index_text(index: float | None) -> str:
    """An index of capability, such as 1.33; – for None."""
    return "–" if index is None else f"{index:.2f}"


def chance_text(p: float) -> str:
    """A probability: 0.042, or < 0.001."""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"
