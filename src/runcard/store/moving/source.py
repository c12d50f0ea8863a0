"""The SQLite file that an installation moves out of."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection

from runcard.store.engine.bulk import driver_of
from runcard.store.engine.database import Database
from runcard.store.moving.binary_rows import BinaryRow, Moved

# Unscoped: an installation is moved as a whole.

# A chunk of the copy: so many rows, or fewer that have so many bytes.
_CHUNK_ROWS = 10_000
_CHUNK_BYTES = 16 * 1024 * 1024


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A connection whose statements all see one state, also those that go straight to the driver."""
    with database.read() as connection, connection.begin():
        yield connection


@contextmanager
def writing(source: Database) -> Iterator[Connection]:
    """A transaction that holds the write lock of the SQLite file."""
    with (
        closing(source.turns()) as turns,
        turns.taken(),
        source.writing_connection() as connection,
        connection.begin(),
    ):
        yield connection


def chunk_after(connection: Connection, table: Moved, key: Sequence[Any] | None) -> Sequence[BinaryRow]:
    """The next rows in the order of their keys; none after the last. key: of the row before; None: there is none."""
    beyond = "" if key is None else f"WHERE ({table.key}) > ({', '.join('?' * len(key))}) "
    statement = f"SELECT {table.columns} FROM {table.name} {beyond}ORDER BY {table.key} LIMIT {_CHUNK_ROWS}"
    chunk: list[BinaryRow] = []
    size = 0
    for row in driver_of(connection).execute(statement, tuple(key or ())):
        binary = table.binary(row)
        chunk.append(binary)
        size += sum(map(len, filter(None, binary)))
        if size >= _CHUNK_BYTES:
            break
    return chunk


def all_rows(connection: Connection, table: Moved) -> Iterator[BinaryRow]:
    """Every row of a table, in no order."""
    return map(table.binary, driver_of(connection).execute(f"SELECT {table.columns} FROM {table.name}"))


def count_rows(connection: Connection, table: Moved) -> int:
    """How many rows a table of either database has."""
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one())


def highest_number(connection: Connection, table: Moved) -> int:
    """The highest number that SQLite has handed out for a table that it numbers, also to rows that are gone."""
    found = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,))
    return int(found.scalar() or 0)
