"""What the tables of the target are without while they are filled: foreign keys, unique constraints and indexes.

Rows are copied in chunks that each show the record at another moment, so until the journal is followed they need not
fit together. The statements that make all of it again wait in a table of the target.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from runcard.store.engine.database import Database

# Unscoped: an installation is moved as a whole.

LATER_TABLE = "runcard_move_later"
_CONSTRAINTS = """
SELECT contype = 'f', conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND contype IN ('f', 'u') ORDER BY contype, conname"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT indisprimary
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY indexrelid"""
_UNCHECKED = """
SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND contype = 'f' AND NOT convalidated ORDER BY conname"""


class _Later(NamedTuple):
    number: int
    statement: str


def drop_foreign_keys(connection: Connection) -> None:
    """Drop the foreign keys that are there, and keep their definitions. Without any it does nothing."""
    _drop_constraints(connection, foreign=True)


def drop_for_copy(connection: Connection) -> None:
    """Drop all foreign keys, unique constraints and indexes that are there, and keep their definitions."""
    connection.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {LATER_TABLE} "
            "(number serial PRIMARY KEY, is_foreign_key bool NOT NULL, statement text NOT NULL)"
        )
    )
    _drop_constraints(connection, foreign=True)
    _drop_constraints(connection, foreign=False)
    for name, definition in connection.execute(text(_INDEXES)).all():
        _keep(connection, definition, is_foreign_key=False)
        connection.execute(text(f"DROP INDEX {name}"))


def make_indexes(target: Database, tell: Callable[[int, int], None]) -> None:
    """Make the unique constraints and indexes again, each in a transaction. tell: how many of how many are made."""
    with target.engine.begin() as connection:
        waiting = _waiting(connection, is_foreign_key=False)
    for done, later in enumerate(waiting):
        tell(done, len(waiting))
        with target.engine.begin() as connection:
            _make(connection, later)


def make_foreign_keys(connection: Connection) -> None:
    """Make the foreign keys again. Until `check_foreign_keys` they hold for new rows only."""
    for later in _waiting(connection, is_foreign_key=True):
        _make(connection, later)


def check_foreign_keys(target: Database, tell: Callable[[int, int], None]) -> None:
    """Check that the foreign keys hold for all rows. Servers go on meanwhile."""
    with target.engine.begin() as connection:
        unchecked = connection.execute(text(_UNCHECKED)).all()
    for done, (table, name) in enumerate(unchecked):
        tell(done, len(unchecked))
        with target.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))


def _drop_constraints(connection: Connection, *, foreign: bool) -> None:
    for is_foreign, table, name, definition in connection.execute(text(_CONSTRAINTS)).all():
        if is_foreign == foreign:
            ending = " NOT VALID" if foreign and not definition.endswith("NOT VALID") else ""
            statement = f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{ending}"
            _keep(connection, statement, is_foreign_key=foreign)
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))


def _keep(connection: Connection, statement: str, *, is_foreign_key: bool) -> None:
    connection.execute(
        text(f"INSERT INTO {LATER_TABLE} (is_foreign_key, statement) VALUES (:foreign, :statement)"),
        {"foreign": is_foreign_key, "statement": statement},
    )


def _waiting(connection: Connection, *, is_foreign_key: bool) -> Sequence[_Later]:
    query = f"SELECT number, statement FROM {LATER_TABLE} WHERE is_foreign_key = :foreign ORDER BY number"
    return [_Later(*row) for row in connection.execute(text(query), {"foreign": is_foreign_key})]


def _make(connection: Connection, later: _Later) -> None:
    connection.exec_driver_sql(later.statement.replace("%", "%%"))
    connection.execute(text(f"DELETE FROM {LATER_TABLE} WHERE number = :number"), {"number": later.number})
