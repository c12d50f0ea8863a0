"""Read the rows of Excel workbooks (XLSX) as a stream, so that no sheet is in memory as a whole."""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from openpyxl import load_workbook
from openpyxl.utils.exceptions import CellCoordinatesException, InvalidFileException, SheetTitleException

from runcard.domain.errors import PayloadTooLarge, UnreadableReport
from runcard.importers.content.cells import Cell
from runcard.importers.content.xml_stream import check_elements

MAX_UNPACKED_BYTES = 100 << 20
_MAX_ROW_NUMBER = 1_048_576
# More than the cells that a table may have.
MAX_SHARED_TEXTS = 1_000_000
_SHARED_TEXT = "si"
# Sheets are not checked: they are read as streams, by a parser that copes with many attributes.
_SHEETS = "xl/worksheets/"
# openpyxl has no error of its own for damaged files: it raises any of these, depending on the damage.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    CellCoordinatesException,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SheetTitleException,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def read_xlsx(content: bytes) -> Iterator[list[Cell]]:
    """The rows of the first visible sheet, including blank ones. A formula is read as its last computed result.

    Raises UnreadableReport, and PayloadTooLarge for a workbook that would unpack to more than MAX_UNPACKED_BYTES.
    """
    with _naming_damage():
        _check_parts(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = _first_sheet(book)
        # The size that a sheet states is often wrong, and cells beyond it would be lost.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_row=_MAX_ROW_NUMBER, values_only=True):
            yield [cell.strip() or None if isinstance(cell, str) else cell for cell in row]
        book.close()


def _first_sheet(book: Any) -> Any:
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            return sheet
    raise UnreadableReport("The workbook has no visible sheet with cells. Upload one that has.")


def _check_parts(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # The reader unpacks no more of an entry than the directory states, so a false directory does no harm.
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise PayloadTooLarge(
                f"The workbook unpacks to {unpacked} bytes; use at most {MAX_UNPACKED_BYTES} bytes, or CSV."
            )
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")) and not name.startswith(_SHEETS):
                _check_part(name, io.BytesIO(archive.read(name)))


def _check_part(name: str, part: BinaryIO) -> None:
    try:
        check_elements(part, {_SHARED_TEXT: MAX_SHARED_TEXTS})
    except PayloadTooLarge as error:
        raise PayloadTooLarge(
            f"The workbook has more than {MAX_SHARED_TEXTS} texts. Split it, or use CSV."
        ) from error
    except UnreadableReport as error:
        raise UnreadableReport(f"{name[:80]} of the workbook cannot be read: {error}") from error


@contextmanager
def _naming_damage() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        damage = f"{type(error).__name__}: {error}"[:200]
        raise UnreadableReport(f"The workbook cannot be read ({damage}). Save it again as .xlsx.") from error
