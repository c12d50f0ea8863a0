"""Inserts of many rows at once. The values go straight to the driver, without SQLAlchemy's work on each row.

SQLite gets one statement for many rows: in an `executemany`, its driver lets go of the interpreter lock at every row,
and the writer would wait for the lock again each time. PostgreSQL gets an `executemany`, which psycopg sends as one
pipeline.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table

from runcard.store.engine.column_types import Id, Instant, microseconds_of

# Rows in one SQLite statement: whole chunks share one compiled statement, far below its limit of 32 766 values.
_CHUNK = 32


class _TakenColumns(NamedTuple):
    """take: the values of a row in order. ids, instants: the positions of values that SQLite keeps as bytes or numbers.

    PostgreSQL has neither.
    """

    take: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    ids: Sequence[int]
    instants: Sequence[int]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns, at least two."""
    names = tuple(rows[0])
    columns = _columns(connection.dialect, table, names)
    values = [_values(row, columns) for row in rows]
    head = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES "  # noqa: S608 (names of our own tables)
    if connection.dialect.name == "postgresql":
        # %b: binary, so that documents are not written out as text
        with driver_of(connection).cursor() as cursor:
            cursor.executemany(f"{head} ({', '.join(['%b'] * len(names))})", values)
        return
    marks = f"({', '.join('?' * len(names))})"
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        flat = tuple([value for row in chunk for value in row])
        driver_of(connection).execute(head + ", ".join([marks] * len(chunk)), flat)


def driver_of(connection: Connection) -> Any:
    """The driver's own connection, in the same transaction: sqlite3's or psycopg's."""
    return connection.connection.driver_connection


def _values(row: Mapping[str, Any], columns: _TakenColumns) -> list[Any]:
    values = list(columns.take(row))
    for position in columns.ids:
        value = values[position]
        if value is not None:
            values[position] = value.int.to_bytes(16)  # half the time that `bytes` takes
    for position in columns.instants:
        value = values[position]
        if value is not None:
            values[position] = microseconds_of(value)
    return values


@lru_cache(maxsize=256)
def _columns(dialect: Dialect, table: Table, names: tuple[str, ...]) -> _TakenColumns:
    kinds = [] if dialect.name == "postgresql" else [type(table.c[name].type) for name in names]
    return _TakenColumns(
        itemgetter(*names),
        [position for position, kind in enumerate(kinds) if kind is Id],
        [position for position, kind in enumerate(kinds) if kind is Instant],
    )
