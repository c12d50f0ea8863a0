"""The PostgreSQL database that an installation moves into: what the move keeps there, and its rows meanwhile."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql

from runcard.store.engine.bulk import driver_of
from runcard.store.engine.tables import metadata, organizations
from runcard.store.moving.binary_rows import BinaryRow, Moved

# Unscoped: an installation is moved as a whole.

MOVE_TABLE = "runcard_move"
# How many keys go to PostgreSQL in one statement.
_KEYS_AT_ONCE = 5_000
_TYPES = ("uuid", "text", "bytea", "bool", "int4", "int8", "float8", "timestamptz")
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


class MoveProgress(NamedTuple):
    """position: the number of the last entry of the journal whose row the target has; None: the first copy is not
    complete.
    """

    move_id: UUID
    position: int | None


def progress_of(connection: Connection) -> MoveProgress | None:
    """How far a move into this database has come; None: there is none."""
    if not _is_there(connection, MOVE_TABLE):
        return None
    return MoveProgress(*connection.execute(text(f"SELECT move_id, position FROM {MOVE_TABLE}")).one())


def begin_progress(connection: Connection, move_id: UUID) -> None:
    """Note that this move has begun here. It takes the place of a move that has copied nothing yet."""
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {MOVE_TABLE} (move_id uuid, position bigint)"))
    connection.execute(text(f"DELETE FROM {MOVE_TABLE}"))
    connection.execute(text(f"INSERT INTO {MOVE_TABLE} VALUES (:id, NULL)"), {"id": move_id})


def has_organizations(connection: Connection) -> bool:
    """Whether a move has copied anything of worth into this database."""
    if not _is_there(connection, organizations.name):
        return False
    return connection.execute(select(organizations.c.id).limit(1)).first() is not None


def empty_tables(connection: Connection) -> None:
    """Delete the rows that migrations have made, so that only those of the source come in."""
    for table in metadata.sorted_tables:
        connection.execute(text(f"DELETE FROM {table.name}"))


def note_position(connection: Connection, position: int) -> None:
    connection.execute(text(f"UPDATE {MOVE_TABLE} SET position = :position"), {"position": position})


def last_key(connection: Connection, table: Moved) -> Sequence[Any] | None:
    """The highest key that the copy has reached in a table, as SQLite's driver takes it; None: no row is there."""
    key = list(table.table.primary_key.columns)
    # Texts in the order of their bytes, as in SQLite.
    order = [(column.collate("C") if _type(column) == "TEXT" else column).desc() for column in key]
    row = connection.execute(select(*key).order_by(*order).limit(1)).first()
    return None if row is None else table.stored_key(row)


def insert_binary(connection: Connection, table: Moved, rows: Iterable[BinaryRow]) -> None:
    """Insert rows."""
    driver: psycopg.Connection = driver_of(connection)
    statement = f"COPY {table.name} ({table.columns}) FROM STDIN (FORMAT BINARY)"
    with driver.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def all_binary(connection: Connection, table: Moved) -> Iterator[BinaryRow]:
    """Every row of a table, in no order."""
    driver: psycopg.Connection = driver_of(connection)
    # Before PostgreSQL 18, a partitioned table is copied out only by a query.
    statement = f"COPY (SELECT {table.columns} FROM {table.name}) TO STDOUT (FORMAT BINARY)"
    with driver.cursor().copy(statement) as copy:
        yield from copy.rows()


def delete_keys(connection: Connection, table: Moved, keys: Iterator[Sequence[Any]]) -> int:
    """Delete the rows with these keys, as SQLite's driver returned them. Return how many keys there were."""
    count = 0
    while some := list(islice(keys, _KEYS_AT_ONCE)):
        given, condition = _keys(table)
        statement = f"DELETE FROM {table.name} t USING {given} WHERE {condition}"
        driver_of(connection).execute(statement, table.loaded_keys(some))
        count += len(some)
    return count


def rows_with_keys(
    connection: Connection, table: Moved, keys: Iterator[Sequence[Any]]
) -> Iterator[BinaryRow]:
    """The rows with these keys, in no order."""
    given, condition = _keys(table)
    columns = ", ".join(f't."{column.name}"' for column in table.table.columns)
    statement = f"SELECT {columns} FROM {table.name} t JOIN {given} ON {condition}"
    driver: psycopg.Connection = driver_of(connection)
    while some := list(islice(keys, _KEYS_AT_ONCE)):
        with driver.cursor(binary=True) as cursor:
            for name in _TYPES:
                cursor.adapters.register_loader(name, _AsItIs)
            yield from cursor.stream(statement, table.loaded_keys(some))


def _is_there(connection: Connection, table: str) -> bool:
    return connection.execute(text("SELECT to_regclass(:name)"), {"name": table}).scalar() is not None


class _AsItIs(Loader):
    """Leaves a value as PostgreSQL sends it."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        return bytes(data)


def _keys(table: Moved) -> tuple[str, str]:
    """Keys that come as parameters, an array for each column, as a table named k; and the condition to find them."""
    columns = table.table.primary_key.columns
    arrays = ", ".join(f"%b::{_type(column)}[]" for column in columns)
    names = ", ".join(f"k{number}" for number in range(len(columns)))
    condition = " AND ".join(f't."{column.name}" = k.k{number}' for number, column in enumerate(columns))
    return f"unnest({arrays}) AS k ({names})", condition


def _type(column: Any) -> str:
    return str(column.type.compile(dialect=_POSTGRESQL))
