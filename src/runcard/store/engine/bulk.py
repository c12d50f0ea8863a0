"""Inserts of many rows at once. The values go straight to the driver, without SQLAlchemy's work on each row.

Each database gets one statement for many rows. In an `executemany`, the driver of SQLite lets go of the interpreter
lock at every row, and the writer would wait for the lock again each time; that of PostgreSQL waits for the socket at
every row. PostgreSQL gets an array for each column, so that one prepared statement serves any number of rows (ADR 55).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Table

from runcard.store.engine.column_types import Id, Instant, microseconds_of

# Rows in one SQLite statement: whole chunks share one compiled statement, far below its limit of 32 766 values.
_CHUNK = 32
# Rows in one PostgreSQL statement, so that no array comes near the 1 GB that a value may have.
_ARRAY_CHUNK = 256


class _TakenColumns(NamedTuple):
    """take: the values of a row in order. ids, instants: the positions of what SQLite keeps as bytes or numbers."""

    take: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    ids: Sequence[int]
    instants: Sequence[int]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns, at least two."""
    names = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        for start in range(0, len(rows), _ARRAY_CHUNK):
            _insert_arrays(connection, table, names, rows[start : start + _ARRAY_CHUNK])
        return
    columns = _columns(table, names)
    values = [_values(row, columns) for row in rows]
    marks = f"({', '.join('?' * len(names))})"
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        flat = tuple([value for row in chunk for value in row])
        head = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES "  # noqa: S608 (names of our own tables)
        driver_of(connection).execute(head + ", ".join([marks] * len(chunk)), flat)


def driver_of(connection: Connection) -> Any:
    """The driver's own connection, in the same transaction: sqlite3's or psycopg's."""
    return connection.connection.driver_connection


@contextmanager
def in_one_trip(connection: Connection) -> Iterator[None]:
    """A block whose statements go to PostgreSQL together, without waiting for the answer to each.

    An error of any of them may be raised as late as at the end of the block. Statements must go straight to the driver:
    SQLAlchemy asks for an answer at once.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: psycopg.Connection = driver_of(connection)
    try:
        with driver.pipeline():
            yield
    finally:
        # If the server has gone in the middle of it, the driver cannot leave the pipeline, and not even roll back.
        if driver.pgconn.pipeline_status:
            driver.close()


def _insert_arrays(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows into PostgreSQL. Columns without any value are left out: half of those of a usual run."""
    columns = zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True)
    given = {name: list(column) for name, column in columns if any(value is not None for value in column)}
    # %b: binary, so that documents are not written out as text
    marks = ", ".join(["%b"] * len(given))
    statement = f"INSERT INTO {table.name} ({', '.join(given)}) SELECT * FROM unnest({marks})"  # noqa: S608 (as above)
    driver_of(connection).execute(statement, list(given.values()), prepare=True)


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
def _columns(table: Table, names: tuple[str, ...]) -> _TakenColumns:
    kinds = [type(table.c[name].type) for name in names]
    return _TakenColumns(
        itemgetter(*names),
        [position for position, kind in enumerate(kinds) if kind is Id],
        [position for position, kind in enumerate(kinds) if kind is Instant],
    )
