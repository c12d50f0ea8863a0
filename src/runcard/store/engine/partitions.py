"""The months of `run_documents` on PostgreSQL. SQLite has one table.

A run's id begins with the time at which it was recorded, so a month is a range of ids. What no month takes lies in a
default partition, so no run is ever refused for want of a month.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from runcard.domain.ids import first_id_at
from runcard.store.engine.database import Database

TABLE = "run_documents"
DEFAULT = "run_documents_default"
# How many months are made ahead, besides this one.
AHEAD = 3
# Stations wait while a month is made or dropped. If others hold the tables for longer, it is tried again later.
_LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '200ms'")
_STATEMENT_TIMEOUT = text("SET LOCAL statement_timeout = '10s'")
# In the order in which recording uses them, so that neither waits for the other for ever.
_LOCKED = text(f"LOCK TABLE organizations, runs, {TABLE} IN ACCESS EXCLUSIVE MODE")
_BOUNDS = re.compile(r"FROM \((MINVALUE|'[0-9a-f-]+')\) TO \('([0-9a-f-]+)'\)")
_LIST = text(
    """
    SELECT child.relname AS name, pg_get_expr(child.relpartbound, child.oid) AS bounds
    FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = CAST(:parent AS regclass)
    """
)


class Partition(NamedTuple):
    """A range of ids: from `first` on, below `until`. first: None: from the smallest on."""

    name: str
    first: UUID | None
    until: UUID

    def takes(self, run_id: UUID) -> bool:
        return (self.first is None or run_id >= self.first) and run_id < self.until


def list_partitions(connection: Connection) -> Sequence[Partition]:
    """The partitions but for the default one, the oldest first."""
    found: list[Partition] = []
    for name, bounds in connection.execute(_LIST, {"parent": TABLE}):
        if range_ := _BOUNDS.search(bounds):
            first, until = range_.groups()
            found.append(Partition(name, None if first == "MINVALUE" else UUID(first[1:-1]), UUID(until)))
    return sorted(found, key=lambda one: one.until)


def missing_months(connection: Connection, now: datetime, ahead: int = AHEAD) -> Sequence[datetime]:
    """The first days of those months that have no partition, of this month and of as many as come after it."""
    partitions = list_partitions(connection)
    months = [_month_after(now, number) for number in range(ahead + 1)]
    return [month for month in months if not any(one.takes(first_id_at(month)) for one in partitions)]


def make_months(database: Database, now: datetime) -> Sequence[str]:
    """Make the months that are missing, and return their names. Raises a database error where others hold the tables.

    What already lies in the default partition moves to its month.
    """
    with database.engine.begin() as connection:
        missing = missing_months(connection, now)
    for month in missing:
        with database.engine.begin() as connection:
            _begin(connection)
            _make(connection, month)
    return [_name(month) for month in missing]


def drop_empty(database: Database, now: datetime) -> Sequence[str]:
    """Drop the partitions before this month that have no documents any more, and return their names.

    That gives their room back to the disk. Raises as `make_months` does.
    """
    this_month = first_id_at(_month_after(now, 0))
    with database.engine.begin() as connection:
        old = [one.name for one in list_partitions(connection) if one.until <= this_month]
        empty = [name for name in old if _is_empty(connection, name)]
    dropped: list[str] = []
    for name in empty:
        with database.engine.begin() as connection:
            _begin(connection)
            if _is_empty(connection, name):
                connection.execute(text(f"DROP TABLE {name}"))
                dropped.append(name)
    return dropped


def _begin(connection: Connection) -> None:
    connection.execute(_LOCK_TIMEOUT)
    connection.execute(_STATEMENT_TIMEOUT)
    connection.execute(_LOCKED)


def _make(connection: Connection, month: datetime) -> None:
    """Make a month. It is filled before it is attached, because no row of a month may lie in the default partition."""
    name, first, until = _name(month), first_id_at(month), first_id_at(_month_after(month, 1))
    connection.execute(text(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING STORAGE)"))
    moved = f"DELETE FROM {DEFAULT} WHERE run_id >= :first AND run_id < :until RETURNING *"  # noqa: S608 (names of our own)
    connection.execute(
        text(f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved"),  # noqa: S608 (as above)
        {"first": first, "until": until},
    )
    bounds = f"FOR VALUES FROM ('{first}') TO ('{until}')"
    connection.execute(text(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} {bounds}"))


def _is_empty(connection: Connection, name: str) -> bool:
    found = connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1"))  # noqa: S608 (a name of our own)
    return found.first() is None


def _month_after(moment: datetime, months: int) -> datetime:
    """The first day of the month that is so many months after that of a moment."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def _name(month: datetime) -> str:
    return f"{TABLE}_{month:%Y_%m}"
