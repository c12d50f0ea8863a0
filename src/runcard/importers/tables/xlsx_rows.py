"""Excel workbooks (XLSX): bytes in, rows of cells out, read as a stream so that no sheet is held as a whole."""

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
# These are read as streams, by a parser that takes many attributes in its stride.
_SHEETS = "xl/worksheets/"
# openpyxl has no error of its own for damaged files: these come from wherever it meets the damage.
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
    """Rows of the first visible sheet, blank ones included; of formulas their results as they were last computed.

    Raises UnreadableReport, and PayloadTooLarge for a workbook that would unpack to more than MAX_UNPACKED_BYTES.
    """
    with _naming_damage():
        _check_parts(content)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = _first_sheet(book)
        # What a sheet says of its size is often wrong, and cells beyond would be lost.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_row=_MAX_ROW_NUMBER, values_only=True):
            yield [cell.strip() or None if isinstance(cell, str) else cell for cell in row]
        book.close()


def _first_sheet(book: Any) -> Any:
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            return sheet
    raise UnreadableReport("The workbook has no sheet with cells. Upload one that has.")


def _check_parts(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # The reader takes out no more of an entry than the directory says, so a false directory gains nothing.
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
        told = f"{type(error).__name__}: {error}"[:200]
        raise UnreadableReport(f"The workbook cannot be read ({told}). Save it again as .xlsx.") from error
