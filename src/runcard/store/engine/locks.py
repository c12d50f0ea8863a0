"""PostgreSQL's advisory locks, by which the processes of one database take turns. SQLite has one process."""

from enum import IntEnum, unique

from sqlalchemy import Connection, text

from runcard.store.engine.bulk import driver_of


@unique
class Lock(IntEnum):
    """A number for each purpose, so that no purpose waits for another."""

    CHANGES = 0x52_43_01
    ASSEMBLY = 0x52_43_02
    IMPORTS = 0x52_43_03
    CALL_TABLES = 0x52_43_04
    SWEEP = 0x52_43_05
    MIGRATION = 0x52_43_06
    MERGES = 0x52_43_08
    NOTES = 0x52_43_09
    COLUMNS = 0x52_43_0A
    MOVE = 0x52_43_0B
    DOCUMENTS = 0x52_43_0C
    PARTITIONS = 0x52_43_0D


# Longer than a commit takes while PostgreSQL is well.
_COMMIT_S = 5


def await_commits(connection: Connection) -> None:
    """Wait until every commit under way is done, so that the next query sees it. Raises a database error after 5 s.

    PostgreSQL may still carry out the last commit of a process that has died.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_COMMIT_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": int(Lock.CHANGES)})


def hold(connection: Connection, lock: Lock) -> None:
    """Wait for the lock, and hold it until the transaction ends. It may be called in a block of `in_one_trip`."""
    if connection.dialect.name == "postgresql":
        driver_of(connection).execute("SELECT pg_advisory_xact_lock(%s)", [int(lock)])
