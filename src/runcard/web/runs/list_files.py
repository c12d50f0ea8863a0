"""Lists of runs as files, made piece by piece, so that they can be of any length."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from runcard.domain.instant import format_instant
from runcard.exports.formula_texts import without_formula
from runcard.exports.spreadsheets import Cell, SheetColumn
from runcard.store.runs.records import RunRecord
from runcard.web.lists.run_columns import ColumnKind, ColumnValue, RunColumn

_ID = RunColumn("id", "Run", "text", lambda run: str(run.id))
_ARROW: dict[ColumnKind, pa.DataType] = {
    "text": pa.string(),
    "outcome": pa.string(),
    "unit": pa.string(),
    "moment": pa.timestamp("us", "UTC"),
    "duration": pa.float64(),
}

Chunks = Iterable[Sequence[RunRecord]]


def csv_pieces(columns: Sequence[RunColumn], chunks: Chunks) -> Iterator[bytes]:
    """A CSV file with one row for each run, its id first; times in UTC, durations in seconds.

    An apostrophe stands before a text that a spreadsheet would take for a formula.
    """
    columns = [_ID, *columns]
    yield _csv_rows([[_file_name(column) for column in columns]])
    for runs in chunks:
        yield _csv_rows([[_csv_cell(column.value(run)) for column in columns] for run in runs])


def parquet_pieces(columns: Sequence[RunColumn], chunks: Chunks) -> Iterator[bytes]:
    """A Parquet file with the same rows as `csv_pieces`, typed, and texts as they are. Each chunk is a row group."""
    columns = [_ID, *columns]
    schema = pa.schema([pa.field(_file_name(column), _ARROW[column.kind]) for column in columns])
    file = _Written()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for runs in chunks:
            values = [[column.value(run) for run in runs] for column in columns]
            arrays = [pa.array(some, field.type) for some, field in zip(values, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            yield file.taken()
    yield file.taken()


def sheet_columns(columns: Sequence[RunColumn]) -> Sequence[SheetColumn]:
    """The columns of a spreadsheet, named as on the page; the run's id first."""
    return [_sheet_column(column) for column in [_ID, *columns]]


def sheet_rows(columns: Sequence[RunColumn], chunks: Chunks) -> Iterator[Sequence[Sequence[Cell]]]:
    """The rows below `sheet_columns`, the same as those of `csv_pieces`."""
    columns = [_ID, *columns]
    for runs in chunks:
        yield [[column.value(run) for column in columns] for run in runs]


def _sheet_column(column: RunColumn) -> SheetColumn:
    match column.kind:
        case "duration":
            return SheetColumn(f"{column.label} (s)", "number")
        case "moment":
            return SheetColumn(column.label, "moment")
        case _:
            return SheetColumn(column.label)


class _Written(io.RawIOBase):
    """A file that is written from start to end, and handed over in pieces as it grows."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]  # what is written here are bytes
        self._pieces.append(bytes(piece))
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def taken(self) -> bytes:
        """The bytes that were written since the last call."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        return piece


def _file_name(column: RunColumn) -> str:
    return "duration_s" if column.kind == "duration" else column.name


def _csv_rows(rows: Iterable[Sequence[str | float]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _csv_cell(value: ColumnValue) -> str | float:
    match value:
        case None:
            return ""
        case datetime():
            return format_instant(value)
        case str():
            return without_formula(value)
    return value
