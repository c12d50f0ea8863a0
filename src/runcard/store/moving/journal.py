"""What the move keeps in the SQLite file: a journal of the rows that change, and at the end a lock on all tables.

Triggers write the journal, so it holds whatever any process changes, through whatever code. They and the tables of the
move are made and removed here; no migration knows them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Connection

from runcard.store.engine.bulk import driver_of
from runcard.store.engine.column_types import microseconds_of, uuid_of
from runcard.store.engine.database import Database, DatabaseUrlInvalid
from runcard.store.engine.tables import metadata
from runcard.store.moving.binary_rows import Moved, moved, moved_tables

# Unscoped: an installation is moved as a whole.

# The longest primary key has three columns.
_KEY = ("k1", "k2", "k3")
_TABLES = (
    "CREATE TABLE move_journal (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, k1, k2, k3)",
    "CREATE TABLE move_state (move_id BLOB, closed_at INTEGER)",
)
_EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}
# What a writer is told after the move. `store.engine.outages` knows the error by its code.
_CLOSED = "this database was moved to PostgreSQL"


class MoveState(NamedTuple):
    """is_closed: whether the move is done, so that nobody may write to the file any more."""

    move_id: UUID
    is_closed: bool


def state_of(connection: Connection) -> MoveState | None:
    """The move that has begun in this SQLite file; None: none has."""
    known = "SELECT 1 FROM sqlite_master WHERE name = 'move_state'"
    if connection.exec_driver_sql(known).first() is None:
        return None
    row = connection.exec_driver_sql("SELECT move_id, closed_at FROM move_state").one()
    return MoveState(uuid_of(row[0]), row[1] is not None)


def is_closed(database: Database) -> bool:
    """Whether this is a SQLite file whose rows have moved to PostgreSQL."""
    if database.is_postgresql:
        return False
    with database.read() as connection:
        state = state_of(connection)
    return state is not None and state.is_closed


def check_not_moved(database: Database) -> None:
    """Check that this is no SQLite file whose rows have moved to PostgreSQL. Raises DatabaseUrlInvalid."""
    if is_closed(database):
        raise DatabaseUrlInvalid(
            f"{database.url.database} has moved to PostgreSQL, and database_url is not set. Set it to the URL of that "
            "database. `runcard move --undo` opens the file again, if nothing was recorded there."
        )


def open_journal(connection: Connection, move_id: UUID) -> None:
    """Begin a move: from now on the journal names each row that changes."""
    for statement in _TABLES:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO move_state VALUES (?, NULL)", (move_id.bytes,))
    for table in moved_tables():
        for event, rows in _EVENTS.items():
            noted = " UNION ".join(f"SELECT '{table.name}', {_key_of(table, row)}" for row in rows)
            connection.exec_driver_sql(
                f"CREATE TRIGGER move_{event}_{table.name} AFTER {event} ON {table.name} BEGIN "
                f"INSERT INTO move_journal (name, k1, k2, k3) {noted}; END"
            )


def last_number(connection: Connection) -> int:
    """The number of the newest entry of the journal; 0: it is empty."""
    number = connection.exec_driver_sql("SELECT max(number) FROM move_journal").scalar_one()
    return int(number or 0)


def changed_tables(connection: Connection, after: int) -> Sequence[Moved]:
    """The tables whose rows have changed since this entry."""
    names = connection.exec_driver_sql("SELECT DISTINCT name FROM move_journal WHERE number > ?", (after,))
    return [moved(metadata.tables[name]) for (name,) in names]


def changed_keys(connection: Connection, table: Moved, after: int) -> Iterator[Sequence[Any]]:
    """The keys of rows that were added, changed or deleted since this entry, as SQLite's driver returns them."""
    found = driver_of(connection).execute(f"SELECT DISTINCT {_changed(table)}", (table.name, after))
    return cast("Iterator[Sequence[Any]]", found)


def changed_rows(connection: Connection, table: Moved, after: int) -> Iterator[Sequence[Any]]:
    """The rows that were added or changed since this entry, as they are now."""
    statement = f"SELECT {table.columns} FROM {table.name} WHERE ({table.key}) IN (SELECT {_changed(table)})"
    return cast("Iterator[Sequence[Any]]", driver_of(connection).execute(statement, (table.name, after)))


def close_file(connection: Connection) -> None:
    """End the move in this file: with the commit of this transaction nobody can write to its tables any more."""
    _drop_triggers(connection)
    for table in moved_tables():
        for event in _EVENTS:
            connection.exec_driver_sql(
                f"CREATE TRIGGER move_no_{event}_{table.name} BEFORE {event} ON {table.name} "
                f"BEGIN SELECT RAISE(ABORT, '{_CLOSED}'); END"
            )
    connection.exec_driver_sql("UPDATE move_state SET closed_at = ?", (microseconds_of(datetime.now(UTC)),))


def forget_move(connection: Connection) -> None:
    """Remove all that a move has left in this file. It may be written to again."""
    _drop_triggers(connection)
    for name in ("move_journal", "move_state"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def _drop_triggers(connection: Connection) -> None:
    found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'move\\_%' ESCAPE '\\'"
    for (name,) in connection.exec_driver_sql(found).all():
        connection.exec_driver_sql(f"DROP TRIGGER {name}")


def _key_of(table: Moved, row: str) -> str:
    names = [f'{row}."{column.name}"' for column in table.table.primary_key.columns]
    return ", ".join([*names, *["NULL"] * (len(_KEY) - len(names))])


def _changed(table: Moved) -> str:
    names = ", ".join(_KEY[: len(table.key_at)])
    return f"{names} FROM move_journal WHERE name = ? AND number > ?"
