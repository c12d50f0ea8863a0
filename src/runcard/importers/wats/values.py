"""Values as WATS reports write them: numbers, codes, moments, names and status words."""

import math
import re
import reprlib
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from runcard.domain.errors import UnreadableReport
from runcard.domain.instant import as_utc
from runcard.importers.wats.report import Code, Number

Status = Literal["Passed", "Failed", "Error", "Terminated", "Done", "Skipped"]

# Python accepts more than XML and JSON write, such as digits of other scripts, and underscores between digits.
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)

_STATUSES: dict[str, Status] = {
    "passed": "Passed",
    "failed": "Failed",
    "error": "Error",
    "terminated": "Terminated",
    "done": "Done",
    "skipped": "Skipped",
}
_STATUSES |= {word[0]: status for word, status in _STATUSES.items()}


def status_of(text: str | None, field: str) -> Status | None:
    """The status of a word or its first letter, ignoring case; None where the text is blank.

    Raises UnreadableReport for any other word.
    """
    if text is None or not text.strip():
        return None
    status = _STATUSES.get(text.strip().lower())
    if status is None:
        known = ", ".join(status for word, status in _STATUSES.items() if len(word) > 1)
        raise UnreadableReport(f"{field} is {shown(text)}, which is none of {known} or their first letters.")
    return status


def number_of(value: Number, field: str) -> float | None:
    """The value as a number, which may be NaN or infinite; None where it is blank. A text must have a decimal point.

    Raises UnreadableReport for a text that is no number.
    """
    if not isinstance(value, str):
        return None if value is None else float(value)
    text = value.strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise UnreadableReport(
            f"{field} is {shown(value)}, which is no number. Write digits with a decimal point, NaN or INF."
        )
    return float(text)


def finite_number_of(value: Number, field: str) -> float | None:
    """Like `number_of`, but None also for NaN and infinities, which can be neither a limit nor a duration."""
    number = number_of(value, field)
    return None if number is None or not math.isfinite(number) else number


def seconds_of(value: Number, field: str) -> timedelta | None:
    """The duration in seconds; None where it is blank, NaN, infinite or negative.

    Raises UnreadableReport for more than a timedelta can hold.
    """
    seconds = finite_number_of(value, field)
    if seconds is None or seconds < 0:
        return None
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise UnreadableReport(f"{field} is {seconds:g} s, which is too long. Give seconds.") from error


def code_of(value: Code) -> int | str | None:
    """The value as a whole number if it has at most 18 digits, else as a text; None where it is blank."""
    text = text_of(value)
    digits = "" if text is None else text.removeprefix("-")
    if text is not None and digits.isascii() and digits.isdecimal() and len(digits) <= 18:
        return int(text)
    return text


def text_of(value: Code) -> str | None:
    """The value as a trimmed text without NUL characters; None where it is blank."""
    return None if value is None else str(value).replace("\0", "").strip() or None


def name_of(text: str | None, field: str) -> str:
    """The name in a text. Raises UnreadableReport where it is blank."""
    name = text_of(text)
    if name is None:
        raise UnreadableReport(f"{field} is {text!r}. Name it.")
    return name


def moment_of(text: str | None, zone: tzinfo | None, field: str) -> datetime | None:
    """The moment in UTC; None where the text is blank. zone: of a moment without an offset; None: UTC.

    Raises UnreadableReport for a text that is no moment.
    """
    stated = _stated(text, field)
    if stated is None:
        return None
    try:
        return as_utc(stated.replace(tzinfo=zone or UTC) if stated.tzinfo is None else stated)
    except ValueError as error:
        raise UnreadableReport(f"{field}: {error}. Give ISO 8601.") from error


def zone_of(text: str | None, field: str) -> tzinfo | None:
    """The offset from UTC in the text of a moment; None where it has none."""
    stated = _stated(text, field)
    return None if stated is None else stated.tzinfo


def later(moment: datetime, span: timedelta, field: str) -> datetime:
    """The moment after a span. Raises UnreadableReport where that is after the year 9999."""
    try:
        return moment + span
    except OverflowError as error:
        raise UnreadableReport(
            f"{field}: {moment} plus {span} lies after the year 9999. Give a shorter time."
        ) from error


def shown(value: object) -> str:
    return reprlib.repr(value)


def _stated(text: str | None, field: str) -> datetime | None:
    if text is None or not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UnreadableReport(
            f"{field} is {shown(text)}, which is no moment. Write ISO 8601, as 2026-01-30T21:01:41Z."
        ) from error
