"""Tables: a header that names the columns, and rows below it. The content shows if a file is text or a workbook."""

import reprlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, TypeVar

from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.importers.content.cells import Cell, check_computed, text_of
from runcard.importers.tables.bad_rows import BadRows
from runcard.importers.tables.csv_rows import decode_text, read_csv
from runcard.importers.tables.xlsx_rows import read_xlsx

T = TypeVar("T")

MAX_TEXT_BYTES = 50 << 20
MAX_ROWS = 100_000
MAX_CELLS = 1_000_000
_SHOWN_COLUMNS = 20
_WORKBOOK = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


class Column(NamedTuple):
    name: str
    position: int


class Row(NamedTuple):
    """number: as in a spreadsheet: from 1, counting the header and blank rows."""

    number: int
    cells: Sequence[Cell]

    def read(self, column: Column | None, reader: Callable[[Cell], T]) -> T | None:
        """The cell in a column, converted by `reader`; None where it is blank or `column` is None.

        Raises InvalidInput where `reader` raises ValueError, and where a formula has failed.
        """
        cell = None if column is None else self._cell(column)
        if column is None or cell is None:
            return None
        try:
            check_computed(cell)
            return reader(cell)
        except ValueError as error:
            raise self.wrong(column, error) from error

    def wrong(self, column: Column, what: object) -> InvalidInput:
        """The error that names this row, the column and the cell's value, and then says `what` is wrong with it."""
        cell = self._cell(column)
        shown = "blank cell" if cell is None else reprlib.repr(text_of(cell))
        message = f"row {self.number}, column {column.name!r}: {shown} {what}"
        return InvalidInput.at(("rows", self.number, column.name), message)

    def _cell(self, column: Column) -> Cell:
        return self.cells[column.position] if column.position < len(self.cells) else None


class Table:
    """rows: the rows that are not blank, at least one. decimal_comma: numbers may have one."""

    def __init__(self, header: Sequence[str], rows: Sequence[Row], *, decimal_comma: bool) -> None:
        self.header = header
        self.rows = rows
        self.decimal_comma = decimal_comma
        self._positions: dict[str, list[int]] = defaultdict(list)
        for position, title in enumerate(header):
            self._positions[title].append(position)

    def column(self, name: str) -> Column:
        """The column with this name in the header. Raises InvalidInput where there is none or more than one."""
        name = name.strip()
        match self._positions.get(name, []):
            case [position]:
                return Column(name, position)
            case []:
                raise InvalidInput.at(
                    "mapping", f"column {name!r} is not in the file, which has {self._titles()}"
                )
            case positions:
                at = " and ".join(str(position + 1) for position in positions)
                raise InvalidInput.at(
                    "mapping", f"column {name!r} stands twice in the header, at {at}; rename one"
                )

    def optional_column(self, name: str | None) -> Column | None:
        """The column with this name in the header; None for None. Raises InvalidInput as `column` does."""
        return None if name is None else self.column(name)

    def of(self, rows: Sequence[Row]) -> "Table":
        """A table with the same header and some of the rows."""
        return Table(self.header, rows, decimal_comma=self.decimal_comma)

    def without_bad(self, check: Callable[[Row], object], bad_rows: BadRows) -> "Table":
        """The table without the rows for which `check` raises InvalidInput."""
        kept = []
        for row in self.rows:
            try:
                check(row)
            except InvalidInput as error:
                bad_rows.meet(error)
            else:
                kept.append(row)
        bad_rows.check_some_are_left(len(kept))
        return self.of(kept)

    def _titles(self) -> str:
        titles = [title for title in self.header if title]
        more = len(titles) - _SHOWN_COLUMNS
        return ", ".join(map(repr, titles[:_SHOWN_COLUMNS])) + (f" and {more} more" if more > 0 else "")


def read_content(file: BinaryIO) -> bytes:
    """The whole content of a table's file. Raises PayloadTooLarge."""
    content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        raise PayloadTooLarge(f"The table has more than {MAX_TEXT_BYTES} bytes; split it.")
    return content


def read_table(content: bytes, bad_rows: BadRows | None = None) -> Table:
    """The table of a CSV or XLSX file. Its header is the first row that is not blank.

    bad_rows: takes the rows that are wider than the header; None: such a row refuses the table.

    Raises UnreadableReport, PayloadTooLarge beyond one of the limits, and InvalidInput for a row of a text that is
    wider than the header.
    """
    bad_rows = bad_rows or BadRows()
    if content.startswith(_WORKBOOK):
        return _table(_filled(read_xlsx(content)), bad_rows, decimal_comma=False)
    if content.startswith(_OLD_WORKBOOK):
        raise UnreadableReport(
            "The file is an old or encrypted Excel workbook. Save it as .xlsx without a password."
        )
    if len(content) > MAX_TEXT_BYTES:
        raise PayloadTooLarge(f"The file has {len(content)} bytes; use at most {MAX_TEXT_BYTES} bytes.")
    rows, delimiter = read_csv(decode_text(content))
    return _table(_narrow(_filled(rows), bad_rows), bad_rows, decimal_comma=delimiter != ",")


def _table(rows: Iterator[Row], bad_rows: BadRows, *, decimal_comma: bool) -> Table:
    top = next(rows, None)
    if top is None:
        raise UnreadableReport("The file has no rows. Upload a table with a header.")
    below = list(rows)
    bad_rows.check_some_are_left(len(below))
    if not below:
        raise UnreadableReport("The file has a header but no row below it. Upload a table with data.")
    return Table([text_of(cell) for cell in top.cells], below, decimal_comma=decimal_comma)


def _filled(rows: Iterable[list[Cell]]) -> Iterator[Row]:
    """The rows that are not blank. Raises PayloadTooLarge."""
    row_count = cell_count = 0
    for number, cells in enumerate(rows, start=1):
        cell_count += len(cells)
        if cell_count > MAX_CELLS:
            raise PayloadTooLarge(f"The table has more than {MAX_CELLS} cells (at row {number}); split it.")
        if any(cell is not None for cell in cells):
            row_count += 1
            if row_count > MAX_ROWS + 1:
                raise PayloadTooLarge(f"The table has more than {MAX_ROWS} rows; split it.")
            yield Row(number, cells)


def _narrow(rows: Iterator[Row], bad_rows: BadRows) -> Iterator[Row]:
    """The rows that are no wider than the first. In a wider row of a text, some cell has an unquoted delimiter."""
    widest = None
    for row in rows:
        end = max(position for position, cell in enumerate(row.cells, start=1) if cell is not None)
        widest = end if widest is None else widest
        if end > widest:
            bad_rows.meet(_too_wide(row, end, widest))
            continue
        yield row


def _too_wide(row: Row, end: int, widest: int) -> InvalidInput:
    return InvalidInput.at(
        ("rows", row.number),
        f"row {row.number} has {end} cells but the header {widest}; its last is "
        f"{reprlib.repr(row.cells[end - 1])}. Put quotes around cells that contain the delimiter.",
    )
