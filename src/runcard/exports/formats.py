"""Encode the rows of an export as CSV, JSON lines, Parquet or a file for spreadsheets, piece by piece."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from runcard.exports.formula_texts import without_formula
from runcard.exports.spreadsheets import (
    SHEET_ENCODINGS,
    Cell,
    CellKind,
    Sheet,
    SheetColumn,
    SheetEncoding,
    SheetFormat,
)

DataFormat = Literal["csv", "jsonl", "parquet"]
ExportFormat = Literal[DataFormat, SheetFormat]

_ARROW: Mapping[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    UUID: pa.string(),
    datetime: pa.timestamp("us", tz="UTC"),
}
_CELLS: Mapping[type, CellKind] = {int: "number", float: "number", datetime: "moment"}
# Rows of a Parquet row group: enough to compress well, few enough to hold in memory.
_ROWS_AT_ONCE = 50_000


class Encoding(NamedTuple):
    """encode: makes the bytes of a file from pages of rows, which are all of the class in its first argument."""

    content_type: str
    encode: Callable[[type[Struct], Iterable[Sequence[Struct]]], Iterator[bytes]]


def _csv(kind: type[Struct], pages: Iterable[Sequence[Struct]]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(kind.__struct_fields__)
    for page in pages:
        for row in page:
            writer.writerow([_cell(getattr(row, name)) for name in kind.__struct_fields__])
        yield _drained(buffer)
    yield _drained(buffer)


def _cell(value: Any) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat()
        case int() | float():
            return value
        case _:
            return without_formula(str(value))


def _drained(buffer: io.StringIO) -> bytes:
    # A lone surrogate, which JSON lets through, has no form in UTF-8.
    content = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return content


def _json_lines(_kind: type[Struct], pages: Iterable[Sequence[Struct]]) -> Iterator[bytes]:
    for page in pages:
        yield msgspec.json.Encoder().encode_lines(page)


def _parquet(kind: type[Struct], pages: Iterable[Sequence[Struct]]) -> Iterator[bytes]:
    schema = pa.schema([(field.name, _ARROW[_plain(field.type)]) for field in msgspec.structs.fields(kind)])
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for rows in _gathered(pages):
            columns = [
                pa.array([_stored(getattr(row, field.name)) for row in rows], field.type) for field in schema
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.drained()
    yield sink.drained()


def _gathered(pages: Iterable[Sequence[Struct]]) -> Iterator[list[Struct]]:
    rows: list[Struct] = []
    for page in pages:
        rows.extend(page)
        if len(rows) >= _ROWS_AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


def _stored(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value


def _plain(annotation: Any) -> type:
    """The type of a column's values without None; a Literal counts as str."""
    if get_origin(annotation) is Literal:
        return str
    if isinstance(annotation, UnionType) or get_origin(annotation) is not None:
        (annotation,) = (option for option in get_args(annotation) if option is not type(None))
        return _plain(annotation)
    kind: type = annotation
    return kind


def _sheet(
    encoding: SheetEncoding, zone: ZoneInfo, kind: type[Struct], pages: Iterable[Sequence[Struct]]
) -> Iterator[bytes]:
    names = kind.__struct_fields__
    columns = [
        SheetColumn(field.name, _CELLS.get(_plain(field.type), "text"))
        for field in msgspec.structs.fields(kind)
    ]
    rows = ([[_sheet_cell(getattr(row, name)) for name in names] for row in page] for page in pages)
    return encoding.encode(Sheet("Export", columns, rows, zone))


def _sheet_cell(value: Any) -> Cell:
    stored: Cell = _stored(value)
    return stored


class _Sink(io.RawIOBase):
    """A file that holds what was written to it until it is drained."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any, /) -> int:
        self._pieces.append(bytes(piece))
        return len(self._pieces[-1])

    def drained(self) -> bytes:
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content


ENCODINGS: Mapping[DataFormat, Encoding] = {
    "csv": Encoding("text/csv; charset=utf-8", _csv),
    "jsonl": Encoding("application/jsonl", _json_lines),
    "parquet": Encoding("application/vnd.apache.parquet", _parquet),
}


def encoding_of(chosen: ExportFormat, zone: ZoneInfo) -> Encoding:
    """The encoding of a format. zone: the time zone of times in a file for spreadsheets.

    Encoding too many rows for Excel raises InvalidInput.
    """
    match chosen:
        case "spreadsheet.csv" | "xlsx":
            encoding = SHEET_ENCODINGS[chosen]
            return Encoding(encoding.content_type, partial(_sheet, encoding, zone))
        case _:
            return ENCODINGS[chosen]
