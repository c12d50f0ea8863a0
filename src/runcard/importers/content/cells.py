"""Cells of a table, read as a name, a number, a moment or a value.

A text file has only texts; a workbook also has numbers, booleans and moments. A cell that cannot be read raises
ValueError. Its message continues a sentence that begins with the value: `"abc" is no number`.
"""

import math
import re
from datetime import date, datetime, time, timedelta

from runcard.domain.instant import as_utc, format_duration

# None: blank. Texts are trimmed and hold at least one character.
Cell = str | bool | int | float | date | time | timedelta | None
# A cell as a measured value.
CellValue = str | bool | int | float

# Python reads longer texts of digits as integers only when told to.
_MAX_NUMBER_LENGTH = 400
# A text with leading zeros, as 0012, is a name and no number.
_INTEGER = re.compile(r"[+-]?(?:0|[1-9]\d*)", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:0|[1-9]\d*)?(?:\.\d*)?(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NON_FINITE = {
    "nan": math.nan,
    **dict.fromkeys(("inf", "+inf", "infinity", "+infinity"), math.inf),
    **dict.fromkeys(("-inf", "-infinity"), -math.inf),
}
_SPREADSHEET_ERRORS = frozenset(
    ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!")
)
_TIME_MEND = "write it as 2026-01-31T12:00:00Z"


def check_computed(cell: Cell) -> None:
    """Check that a cell is not the error value of a failed formula. Raises ValueError."""
    if isinstance(cell, str) and cell in _SPREADSHEET_ERRORS:
        raise ValueError("is the error of a formula; mend the formula or empty the cell")


def text_of(cell: Cell) -> str:
    """The cell as text; a blank cell is an empty text, a number the shortest text that reads back the same."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer() and abs(cell) < 1e16:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return format_duration(cell)
        case _:
            return str(cell)


def number_of(cell: Cell, *, decimal_comma: bool) -> int | float:
    """The cell as a number, which may be NaN or infinite. decimal_comma: 3,3 is a number too. Raises ValueError."""
    number = _number(cell, decimal_comma=decimal_comma) if isinstance(cell, str) else cell
    match number:
        case int() | float() if not isinstance(number, bool):
            return number
        case _:
            raise ValueError("is no number")


def value_of(cell: Cell, *, decimal_comma: bool) -> CellValue:
    """The cell as a measured value: a number or a boolean if its text is one, else the text."""
    if isinstance(cell, str):
        number = _number(cell, decimal_comma=decimal_comma)
        if number is not None:
            return number
        return {"true": True, "false": False}.get(cell.lower(), cell)
    if isinstance(cell, bool | int | float):
        return cell
    return text_of(cell)


def moment_of(cell: Cell) -> datetime:
    """The cell as a moment in UTC: ISO 8601, or a date of a workbook. Without a time zone it is taken as UTC.

    Raises ValueError.
    """
    match cell:
        case datetime():
            return as_utc(cell)
        case date():
            return as_utc(datetime.combine(cell, time()))
        case str():
            return _moment(cell)
        case _:
            raise ValueError(f"is no date and time; {_TIME_MEND}, or format the cell as a date")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"is no date and time; {_TIME_MEND}") from error
    return as_utc(moment)


def _number(text: str, *, decimal_comma: bool) -> int | float | None:
    if len(text) > _MAX_NUMBER_LENGTH:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if decimal_comma and "." not in text and text.count(",") == 1:
        text = text.replace(",", ".")
    if _DECIMAL.fullmatch(text) and any(character.isdigit() for character in text.lower().partition("e")[0]):
        return float(text)
    return _NON_FINITE.get(text.lower())
