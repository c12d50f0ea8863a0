"""Tables as files that spreadsheet programs open correctly: CSV with a byte order mark, and XLSX.

Times are in the reader's time zone, which the heading names, because a spreadsheet has no times with a zone.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils.exceptions import WorkbookAlreadySaved

from runcard.domain.errors import InvalidInput
from runcard.exports.formula_texts import without_formula

SheetFormat = Literal["spreadsheet.csv", "xlsx"]
CellKind = Literal["text", "number", "ratio", "moment"]
Cell = str | float | datetime | None
Rows = Iterable[Sequence[Sequence[Cell]]]

# Excel's "Specifications and limits": rows including the headings, and UTF-16 units of a text.
MAX_ROWS = 1_048_576
_MAX_TEXT = 32_767
# Excel has no dates before this year.
_FIRST_YEAR = 1900
_BOM = "\ufeff"
# Characters that XML does not allow.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PIECE_BYTES = 64 * 1024
_NUMBER_FORMATS = {"moment": "yyyy-mm-dd hh:mm:ss", "ratio": "0.0%"}
_WIDTHS: Mapping[CellKind, int] = {"text": 22, "number": 12, "ratio": 12, "moment": 26}


class SheetColumn(NamedTuple):
    """kind: the values of a "ratio" go from 0 to 1."""

    label: str
    kind: CellKind = "text"


class Sheet(NamedTuple):
    """name: of the sheet and of its file, at most 31 letters and blanks. rows: in pages."""

    name: str
    columns: Sequence[SheetColumn]
    rows: Rows
    zone: ZoneInfo


class SheetEncoding(NamedTuple):
    content_type: str
    encode: Callable[[Sheet], Iterator[bytes]]


def refuse_too_many(rows: int) -> None:
    """Check that an Excel file can have this many rows below its headings. Raises InvalidInput."""
    if rows >= MAX_ROWS:
        raise InvalidInput.at(
            "format",
            f"Excel takes at most {MAX_ROWS - 1} rows below the headings, and this table has more. "
            "Narrow the filters, or take CSV.",
        )


def _csv(sheet: Sheet) -> Iterator[bytes]:
    yield _BOM.encode() + _csv_rows([[without_formula(heading) for heading in _headings(sheet)]])
    for rows in sheet.rows:
        yield _csv_rows([[_csv_cell(value, sheet.zone) for value in row] for row in rows])


def _csv_rows(rows: Iterable[Sequence[str | float]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    # A lone surrogate has no form in UTF-8.
    return text.getvalue().encode("utf-8", "replace")


def _csv_cell(value: Cell, zone: ZoneInfo) -> str | float:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            return _local(value, zone).isoformat(" ", "seconds")
        case str():
            return without_formula(value)
    return value


def _xlsx(sheet: Sheet) -> Iterator[bytes]:
    """The file in pieces. It is first built on disk; until it is complete, each page of rows yields an empty piece."""
    with TemporaryFile() as file:
        with _workbook(sheet) as (book, page):
            page.append([_bold(page, heading) for heading in _headings(sheet)])
            count = 0
            for rows in sheet.rows:
                count += len(rows)
                refuse_too_many(count)
                for row in rows:
                    page.append(_xlsx_row(page, sheet, row))
                yield b""
            book.save(file)
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece


@contextmanager
def _workbook(sheet: Sheet) -> Iterator[tuple[Workbook, Any]]:
    """A workbook of one page, which is written row by row to a temporary file."""
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet.name)
    page.freeze_panes = "A2"
    for number, column in enumerate(sheet.columns):
        page.column_dimensions[_letters(number)].width = _WIDTHS[column.kind]
    try:
        yield book, page
    finally:
        with suppress(WorkbookAlreadySaved):
            page.close()
        # If the book is not saved, openpyxl keeps the file until the process ends, and only this attribute names it.
        Path(page._writer.out).unlink(missing_ok=True)  # noqa: SLF001


def _letters(number: int) -> str:
    """The name of a column: A, …, Z, AA, …"""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _headings(sheet: Sheet) -> list[str]:
    return [
        f"{column.label} ({sheet.zone.key})" if column.kind == "moment" else column.label
        for column in sheet.columns
    ]


def _bold(page: Any, text: str) -> WriteOnlyCell:
    cell = _as_text(page, _writable(text))
    cell.font = Font(bold=True)
    return cell


def _xlsx_row(page: Any, sheet: Sheet, row: Sequence[Cell]) -> list[Any]:
    return [
        _xlsx_cell(page, value, column.kind, sheet.zone)
        for value, column in zip(row, sheet.columns, strict=True)
    ]


def _xlsx_cell(page: Any, value: Cell, kind: CellKind, zone: ZoneInfo) -> Any:
    match value:
        case None | "":
            return None
        case bool():
            return value
        case datetime():
            local = _local(value, zone)
            return local.isoformat(" ", "seconds") if local.year < _FIRST_YEAR else _formed(page, local, kind)
        case str():
            return _text(page, value)
    if not math.isfinite(value):
        return str(value)
    return _formed(page, value, kind) if kind == "ratio" else value


def _formed(page: Any, value: float | datetime, kind: CellKind) -> WriteOnlyCell:
    cell = WriteOnlyCell(page, value)
    cell.number_format = _NUMBER_FORMATS[kind]
    return cell


def _text(page: Any, text: str) -> Any:
    text = _writable(text)
    return _as_text(page, text) if text.startswith(("=", "#")) else text


def _as_text(page: Any, text: str) -> WriteOnlyCell:
    """A text cell for a text that openpyxl might take for a formula, or for an error such as #N/A."""
    cell = WriteOnlyCell(page, text)
    cell.data_type = "s"
    return cell


def _writable(text: str) -> str:
    text = _UNWRITABLE.sub("\ufffd", text)
    return _cut(text) if len(text) > _MAX_TEXT // 2 else text


def _cut(text: str) -> str:
    """The text, cut to the length that a cell may have; a cut text ends in … ."""
    units = text.encode("utf-16-le")
    if len(units) // 2 <= _MAX_TEXT:
        return text
    return units[: 2 * (_MAX_TEXT - 1)].decode("utf-16-le", "ignore") + "…"


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment in a time zone, without the zone. In UTC where the zone puts it outside the years 1 to 9999."""
    try:
        return moment.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return moment.replace(tzinfo=None)


SHEET_ENCODINGS: Mapping[SheetFormat, SheetEncoding] = {
    "spreadsheet.csv": SheetEncoding("text/csv; charset=utf-8", _csv),
    "xlsx": SheetEncoding("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
}
