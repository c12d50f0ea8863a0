"""Inserting many rows at once, past SQLAlchemy's work on each row: the values go straight to the driver.

SQLite gets one statement for many rows: its driver lets go of the interpreter lock at every row of an `executemany`,
and the writer would wait for the lock again each time. PostgreSQL gets an `executemany`, which psycopg sends as one
pipeline.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table

from runcard.store.column_types import Id, Instant, microseconds_of

# Rows in one SQLite statement: whole chunks share one compiled statement, far below its limit of 32 766 values.
_CHUNK = 32


class _Column(NamedTuple):
    name: str
    to_driver: Callable[[Any], Any] | None


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    names = tuple(rows[0])
    columns = _columns(connection.dialect, table, names)
    values = [
        tuple(
            [
                row[name] if to_driver is None or row[name] is None else to_driver(row[name])
                for name, to_driver in columns
            ]
        )
        for row in rows
    ]
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


@lru_cache(maxsize=256)
def _columns(dialect: Dialect, table: Table, names: tuple[str, ...]) -> list[_Column]:
    to_driver: dict[type, Callable[[Any], Any]] = {}
    if dialect.name != "postgresql":
        to_driver = {Id: lambda value: value.bytes, Instant: microseconds_of}
    return [_Column(name, to_driver.get(type(table.c[name].type))) for name in names]
