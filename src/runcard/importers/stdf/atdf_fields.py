"""The syntax of ATDF: split a file into records, and parse the texts of fields as numbers and times."""

import io
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from runcard.domain.errors import UnreadableReport
from runcard.importers.stdf.records import decode_text, tidy_text

MEND = "Upload the file as it was written."

_MAX_RECORD_BYTES = 1 << 20
_MAX_TEXT_LENGTH = 255
_MAX_NUMBER = 2**32 - 1
_INTEGER = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_MOMENT = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2}) +(\d{1,2})-([A-Za-z]{3})-(\d{4})", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def whole_lines(stream: io.BufferedReader) -> Iterator[tuple[int, str]]:
    """The records, joined from their lines, each with the number of its first line. Blank lines are left out."""
    number, started, parts, size = 0, 1, list[bytes](), 0
    while line := stream.readline(_MAX_RECORD_BYTES + 1):
        number += 1
        if not line.startswith(b" "):
            if parts:
                yield started, decode_text(b"".join(parts))
            parts, size, started = [], 0, number
        content = line.rstrip(b"\r\n")
        size += len(content)
        if size > _MAX_RECORD_BYTES:
            raise UnreadableReport(f"Line {number} goes on for more than {_MAX_RECORD_BYTES} bytes. {MEND}")
        if content:
            parts.append(content[1:] if content.startswith(b" ") else content)
    if parts:
        yield started, decode_text(b"".join(parts))


def attributes(line: str) -> tuple[str, bool]:
    """The character between fields, and whether values are scaled, from the first record of a file.

    Raises UnreadableReport.
    """
    line = line.removeprefix("\ufeff")
    if not line.startswith("FAR:A"):
        raise UnreadableReport(f"The file is no ATDF: it does not begin with a FAR:A record. {MEND}")
    separator = line[5:6] or "|"
    _, version, _, flag, *_ = [*line[4:].split(separator), "", "", ""]
    if version.strip() not in ("4", ""):
        raise UnreadableReport(f"The file is ATDF of STDF version {version[:10]!r}. Upload version 4.")
    return separator, flag.strip() != "U"


class Fields(Struct, frozen=True, gc=False):
    """The fields of a record. Fields after its end are empty. A field that cannot be read raises ValueError."""

    texts: list[str]

    def text(self, position: int) -> str:
        return tidy_text(self.texts[position])[:_MAX_TEXT_LENGTH] if position < len(self.texts) else ""

    def integer(self, position: int) -> int | None:
        return integer_of(self.text(position))

    def needed(self, position: int) -> int:
        found = self.integer(position)
        if found is None:
            raise ValueError(f"field {position + 1} is empty, but a number is needed")
        return found

    def items(self, position: int) -> list[str]:
        """The items of a list, which is not cut to 255 characters; none for an empty field."""
        whole = self.texts[position].strip() if position < len(self.texts) else ""
        return [item.strip() for item in whole.split(",")] if whole else []


def integer_of(text: str) -> int | None:
    if not text:
        return None
    if not _INTEGER.fullmatch(text) or abs(int(text)) > _MAX_NUMBER:
        raise ValueError(f"{text!r} is no whole number of 32 bits")
    return int(text)


def real_of(text: str, exponent: int = 0) -> float | None:
    """The number in the base unit: that of the text, divided by 10 to the power of the exponent. None if empty."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no number") from error
    if not exponent or not math.isfinite(value):
        return value
    return float(Decimal(repr(value)).scaleb(-exponent))


def moment_of(text: str) -> int | None:
    """Seconds since 1970 of a text such as `8:23:02 23-JUL-1992`, which is taken as UTC; None if empty."""
    if not text:
        return None
    found = _MOMENT.fullmatch(text)
    if found is None or found[5].upper() not in _MONTHS:
        raise ValueError(f"{text!r} is no time such as 8:23:02 23-JUL-1992")
    hour, minute, second, day, year = (int(found[group]) for group in (1, 2, 3, 4, 6))
    month = _MONTHS.index(found[5].upper()) + 1
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) or None
