"""Rows of every table with values at the ends of what each column can hold, and all rows of a database."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    delete,
    insert,
    select,
)

from runcard.domain.ids import new_id
from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.database import Database
from runcard.store.moving.binary_rows import moved_tables

# As many as rows are made of each table. Every value of a column stands in another row.
_TEXTS = ("", "é 😀 \u202e\ufffd \x01 %s $1 \\N \"'", "long " * 30_000)
_BYTES = (b"", bytes(range(256)), b"\0" * 100_000)
_MOMENTS = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
_FLOATS = (-0.0, float("inf"), 5e-324)  # SQLite itself makes 0.0 of -0.0, and null of NaN
_SMALL = (-(2**31), 2**31 - 1, 0)
_BIG = (-(2**63), 2**63 - 1, 0)
ROWS_OF_EACH = 3
TABLES = [one.table for one in moved_tables()]


def fill(database: Database) -> None:
    """Give every table rows, whose references lead to rows that are there."""
    made: dict[Table, list[Mapping[str, Any]]] = {}
    with database.writing_connection() as connection, connection.begin():
        for table in TABLES:
            connection.execute(delete(table))  # migrations make some
            made[table] = [_row(table, number, made) for number in range(ROWS_OF_EACH)]
            connection.execute(insert(table), made[table])


def rows_of(database: Database) -> Mapping[str, Sequence[str]]:
    """All rows by table, each as a text, so that no two values are taken for one."""
    with database.read() as connection:
        return {table.name: sorted(_rows(connection, table)) for table in TABLES}


def _rows(connection: Connection, table: Table) -> Iterator[str]:
    return (repr(tuple(row)) for row in connection.execute(select(table)))


def _row(table: Table, number: int, made: Mapping[Table, Sequence[Mapping[str, Any]]]) -> Mapping[str, Any]:
    row = {column.name: _value(column, number, made) for column in table.columns}
    if table.name == "api_keys":  # it has one owner
        row["station_id" if number % 2 else "user_id"] = None
    return row


def _value(column: Column[Any], number: int, made: Mapping[Table, Sequence[Mapping[str, Any]]]) -> Any:
    for key in column.foreign_keys:
        if key.column.table is not column.table:
            return made[key.column.table][number]["id"]
        return None
    is_key = column.primary_key or column.name.endswith(("_key", "slug", "digest", "email", "seq"))
    match column.type:
        case Id():
            return new_id() if column.primary_key else UUID(int=number)
        case Instant():
            return _MOMENTS[number]
        case Boolean():
            return bool(number % 2)
        case LargeBinary():
            return bytes([number]) * 32 if is_key else _BYTES[number]
        case Float():
            return _FLOATS[number]
        case BigInteger():
            return number + 1 if is_key else _BIG[number]
        case Integer():
            return number + 1 if is_key else _SMALL[number]
        case _:
            return f"{column.name} {number}" if is_key else _TEXTS[number]
