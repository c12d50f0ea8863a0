"""Read the rows of text tables (CSV) in any usual encoding and with any usual delimiter.

RFC 4180, plus what spreadsheets and loggers write: `;`, tab or `|` instead of the comma, a byte order mark, a first
line `sep=;`, UTF-16, and the code page of Western Windows.
"""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice

from runcard.domain.errors import PayloadTooLarge, UnreadableReport
from runcard.importers.content.cells import Cell

# Of two delimiters that fit a file equally well, the first is taken.
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 50
# More than six times as many as a spreadsheet has.
MAX_COLUMNS = 100_000
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?(?:\r\n|\r|\n)', re.IGNORECASE)
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def decode_text(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or a Western code page. Raises UnreadableReport where it is no text."""
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise UnreadableReport("The file is neither text nor an Excel workbook. Upload CSV or XLSX.")


def read_csv(text: str) -> tuple[Iterator[list[Cell]], str]:
    """The rows, including blank ones, and the delimiter between cells.

    Iterating raises UnreadableReport for open or misplaced quotes, and PayloadTooLarge for a line with more than
    MAX_COLUMNS cells.
    """
    if separator := _SEPARATOR_LINE.match(text):
        # The line stays as a blank row, so that rows keep their numbers.
        text, delimiter = "\n" + text[separator.end() :], separator[1]
        if delimiter not in _DELIMITERS:
            raise UnreadableReport(f"The first line names the separator {delimiter!r}; use one of , ; tab |")
    else:
        delimiter = _delimiter(text)
    return _rows(text, delimiter), delimiter


def _encodings(content: bytes) -> tuple[str, ...]:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return (encoding,)
    # UTF-16 without a mark shows in its zero bytes, which no other text has.
    if content[1:2] == b"\0":
        return ("utf-16-le",)
    if content[:1] == b"\0":
        return ("utf-16-be",)
    return ("utf-8", "cp1252", "latin-1")


def _delimiter(text: str) -> str:
    """The delimiter that gives the most rows as many cells as the header; of equal ones that with the most cells."""
    return max(_DELIMITERS, key=lambda delimiter: _fitness(text, delimiter))


def _fitness(text: str, delimiter: str) -> tuple[bool, float, int]:
    try:
        widths = [len(row) for row in islice(_rows(text, delimiter), _SAMPLE_ROWS) if row]
    except (UnreadableReport, PayloadTooLarge):
        return False, 0.0, 0
    if not widths or widths[0] < 2:
        return False, 0.0, 0
    return True, widths.count(widths[0]) / len(widths), widths[0]


def _rows(text: str, delimiter: str) -> Iterator[list[Cell]]:
    reader = csv.reader(_narrow(text, delimiter), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield [cell.strip() or None for cell in row]
    except csv.Error as error:
        raise UnreadableReport(
            f"Line {reader.line_num} of the file cannot be read as CSV: {error}. Check its quotes."
        ) from error


def _narrow(text: str, delimiter: str) -> Iterator[str]:
    """The lines of a text. Raises PayloadTooLarge before the reader splits a line of too many cells."""
    is_quoted = False
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if line.count(delimiter) >= MAX_COLUMNS:
            # A delimiter within quotes is text, and the quotes may have been opened in an earlier line.
            outside = line.split('"')[is_quoted::2]
            if sum(part.count(delimiter) for part in outside) >= MAX_COLUMNS:
                raise PayloadTooLarge(
                    f"Line {number} of the table has more than {MAX_COLUMNS} cells; split it."
                )
        is_quoted ^= line.count('"') % 2 == 1
        yield line
