"""PostgreSQL's advisory locks, by which processes of one database take turns; SQLite has one process."""

from enum import IntEnum, unique

from sqlalchemy import Connection, text


@unique
class Lock(IntEnum):
    """Each purpose has a number of its own, or one would wait for another."""

    CHANGES = 0x52_43_01
    ASSEMBLY = 0x52_43_02
    IMPORTS = 0x52_43_03
    CALL_TABLES = 0x52_43_04
    SWEEP = 0x52_43_05
    MIGRATION = 0x52_43_06
    MERGES = 0x52_43_08


# Longer than any commit takes that the server can be waited for.
_COMMIT_S = 5


def await_commits(connection: Connection) -> None:
    """Wait for what is being committed now, so that the next query sees it. Raises a database error after a while.

    A process that dies may have asked PostgreSQL for its last commit, which then happens after its death.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_COMMIT_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": int(Lock.CHANGES)})


def hold(connection: Connection, lock: Lock) -> None:
    """Wait for it, and hold it to the end of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int(lock)})
