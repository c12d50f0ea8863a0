"""Rows as PostgreSQL's binary format has them. In this form both databases are copied and compared, byte by byte."""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Dialect, Float, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from runcard.domain.errors import Conflict
from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.tables import log_in_attempts, metadata

BinaryRow = tuple[bytes | None, ...]

# PostgreSQL counts microseconds from 2000, SQLite's column from 1970.
_YEAR_2000_US = 946_684_800_000_000
_SMALL, _BIG, _DOUBLE = struct.Struct(">i"), struct.Struct(">q"), struct.Struct(">d")
_DIGEST_BYTES = 16
_DIGESTS = 1 << 8 * _DIGEST_BYTES
_encode = msgspec.msgpack.Encoder().encode
_SQLITE: Dialect = sqlite.dialect()


class Moved(NamedTuple):
    """A table as it is moved. columns, key: names as SQL lists them. key_at: where the key is in a row."""

    table: Table
    columns: str
    key: str
    key_at: Sequence[int]
    encoders: Sequence[Callable[[Any], bytes]]

    @property
    def name(self) -> str:
        return self.table.name

    def binary(self, row: Sequence[Any]) -> BinaryRow:
        """A row of SQLite's driver in PostgreSQL's form. Raises Conflict for a value that PostgreSQL cannot hold."""
        try:
            return tuple(
                [
                    None if value is None else encode(value)
                    for value, encode in zip(row, self.encoders, strict=True)
                ]
            )
        except (struct.error, ValueError, TypeError, AttributeError) as error:
            key = ", ".join(_shown(row[place]) for place in self.key_at)
            raise Conflict(
                f"The row {key} of the table {self.name} has a value that PostgreSQL cannot hold: {error}. "
                "Correct or delete that record, and run the command again."
            ) from error

    def stored_key(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """A key as SQLite's driver takes it, given as SQLAlchemy returns it."""
        columns = self.table.primary_key.columns
        bind = [column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE) for column in columns]
        return tuple(
            [
                value if process is None else process(value)
                for value, process in zip(values, bind, strict=True)
            ]
        )

    def loaded_keys(self, keys: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Keys of SQLite's driver as PostgreSQL's driver takes them: a list for each column."""
        columns = self.table.primary_key.columns
        load = [column.type.dialect_impl(_SQLITE).result_processor(_SQLITE, None) for column in columns]
        return [
            list(values) if process is None else [process(value) for value in values]
            for values, process in zip(zip(*keys, strict=True), load, strict=True)
        ]


class Sum:
    """How many rows there are, and the sum of their digests, which does not depend on their order."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = 0

    def counted(self, rows: Iterable[BinaryRow]) -> Iterator[BinaryRow]:
        """The same rows, each of which is added as it passes."""
        for row in rows:
            # MessagePack says where each value begins and ends, and which is null.
            digest = blake2b(_encode(row), digest_size=_DIGEST_BYTES).digest()
            self._digest = (self._digest + int.from_bytes(digest)) % _DIGESTS
            self.count += 1
            yield row

    @classmethod
    def of(cls, rows: Iterable[BinaryRow]) -> "Sum":
        total = cls()
        for _ in total.counted(rows):
            pass
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and (self.count, self._digest) == (other.count, other._digest)

    __hash__ = None  # type: ignore[assignment]  # it changes


@cache
def moved_tables() -> Sequence[Moved]:
    """All tables but that of attempts to log in, which are counted anew."""
    return [moved(table) for table in metadata.sorted_tables if table is not log_in_attempts]


@cache
def moved(table: Table) -> Moved:
    """The table as it is moved."""
    columns = list(table.columns)
    key = list(table.primary_key.columns)
    return Moved(
        table,
        ", ".join(map(_quoted, columns)),
        ", ".join(map(_quoted, key)),
        [columns.index(column) for column in key],
        [_encoder(column.type) for column in columns],
    )


def _quoted(column: Column[Any]) -> str:
    return f'"{column.name}"'


def _encoder(kind: TypeEngine[Any]) -> Callable[[Any], bytes]:
    match kind:
        case Id():
            return _id
        case Instant():
            return lambda value: _BIG.pack(value - _YEAR_2000_US)
        case Boolean():
            return lambda value: b"\x01" if value else b"\x00"
        case BigInteger():
            return _BIG.pack
        case Integer():
            return _SMALL.pack
        case Float():
            return _DOUBLE.pack
        case Text():
            return _text
        case LargeBinary():
            return bytes
        case _:
            raise TypeError(f"columns of type {kind!r} cannot be moved yet")


def _id(value: bytes) -> bytes:
    if len(value) != 16:
        raise ValueError(f"an id of {len(value)} bytes")
    return value


def _text(value: str) -> bytes:
    if "\0" in value:
        raise ValueError("a text with the character NUL")
    return value.encode()


def _shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
