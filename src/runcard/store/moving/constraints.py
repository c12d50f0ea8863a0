"""What the tables of the target are without while they are filled: foreign keys, unique constraints and indexes.

Rows are copied in chunks that each show the record at another moment, so until the journal is followed they need not
fit together. The statements that make all of it again wait in a table of the target.

A foreign key that nobody has checked yet can be given to a partition, but before PostgreSQL 18 not to a partitioned
table. So each partition gets one, and once all are checked the table takes them over.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

from sqlalchemy import Connection, text

from runcard.store.engine.database import Database

# Unscoped: an installation is moved as a whole.

LATER_TABLE = "runcard_move_later"
_CONSTRAINTS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(c.oid),
    ARRAY(SELECT relid::text FROM pg_partition_tree(conrelid) WHERE isleaf AND relid <> conrelid)
FROM pg_constraint c
WHERE connamespace = current_schema()::regnamespace AND contype = :kind AND conparentid = 0
ORDER BY conname, conrelid"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT indisprimary
AND NOT c.relispartition
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY indexrelid"""
_UNCHECKED = """
SELECT conrelid::regclass::text, quote_ident(conname) FROM pg_constraint
WHERE connamespace = current_schema()::regnamespace AND contype = 'f' AND NOT convalidated ORDER BY conname"""


class _Stage(IntEnum):
    """When a statement is run."""

    INDEXES = 0
    SWITCH = 1
    END = 2


class _Constraint(NamedTuple):
    """partitions: of the table; none if it has none."""

    table: str
    name: str
    definition: str
    partitions: Sequence[str]


class _Later(NamedTuple):
    number: int
    statement: str


def drop_foreign_keys(connection: Connection) -> None:
    """Drop the foreign keys that are there, and keep their definitions. Without any it does nothing."""
    for one in _constraints(connection, "f"):
        not_valid = "" if one.definition.endswith("NOT VALID") else " NOT VALID"
        for table in one.partitions or (one.table,):
            statement = f"ALTER TABLE {table} ADD CONSTRAINT {one.name} {one.definition}{not_valid}"
            _keep(connection, statement, _Stage.SWITCH)
        if one.partitions:
            statement = f"ALTER TABLE {one.table} ADD CONSTRAINT {one.name} {one.definition}"
            _keep(connection, statement, _Stage.END)
        _drop(connection, one)


def drop_for_copy(connection: Connection) -> None:
    """Drop all foreign keys, unique constraints and indexes that are there, and keep their definitions."""
    connection.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {LATER_TABLE} "
            "(number serial PRIMARY KEY, stage int NOT NULL, statement text NOT NULL)"
        )
    )
    drop_foreign_keys(connection)
    for one in _constraints(connection, "u"):
        statement = f"ALTER TABLE {one.table} ADD CONSTRAINT {one.name} {one.definition}"
        _keep(connection, statement, _Stage.INDEXES)
        _drop(connection, one)
    for name, definition in connection.execute(text(_INDEXES)).all():
        _keep(connection, definition, _Stage.INDEXES)
        connection.execute(text(f"DROP INDEX {name}"))


def make_indexes(target: Database, tell: Callable[[int, int], None]) -> None:
    """Make the unique constraints and indexes again, each in a transaction. tell: how many of how many are made."""
    with target.engine.begin() as connection:
        waiting = _waiting(connection, _Stage.INDEXES)
    for done, later in enumerate(waiting):
        tell(done, len(waiting))
        with target.engine.begin() as connection:
            _make(connection, later)


def make_foreign_keys(connection: Connection) -> None:
    """Make the foreign keys again. Until `check_foreign_keys` they hold for new rows only."""
    for later in _waiting(connection, _Stage.SWITCH):
        _make(connection, later)


def check_foreign_keys(target: Database, tell: Callable[[int, int], None]) -> None:
    """Check that the foreign keys hold for all rows. Servers go on meanwhile."""
    with target.engine.begin() as connection:
        unchecked = connection.execute(text(_UNCHECKED)).all()
        waiting = _waiting(connection, _Stage.END)
    for done, (table, name) in enumerate(unchecked):
        tell(done, len(unchecked))
        with target.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
    for later in waiting:
        with target.engine.begin() as connection:
            _make(connection, later)


def _constraints(connection: Connection, kind: str) -> Sequence[_Constraint]:
    """The constraints of a kind that are no parts of others."""
    return [_Constraint(*row) for row in connection.execute(text(_CONSTRAINTS), {"kind": kind}).all()]


def _drop(connection: Connection, constraint: _Constraint) -> None:
    connection.execute(text(f"ALTER TABLE {constraint.table} DROP CONSTRAINT {constraint.name}"))


def _keep(connection: Connection, statement: str, stage: _Stage) -> None:
    connection.execute(
        text(f"INSERT INTO {LATER_TABLE} (stage, statement) VALUES (:stage, :statement)"),
        {"stage": int(stage), "statement": statement},
    )


def _waiting(connection: Connection, stage: _Stage) -> Sequence[_Later]:
    query = f"SELECT number, statement FROM {LATER_TABLE} WHERE stage = :stage ORDER BY number"
    return [_Later(*row) for row in connection.execute(text(query), {"stage": int(stage)})]


def _make(connection: Connection, later: _Later) -> None:
    connection.exec_driver_sql(later.statement.replace("%", "%%"))
    connection.execute(text(f"DELETE FROM {LATER_TABLE} WHERE number = :number"), {"number": later.number})
