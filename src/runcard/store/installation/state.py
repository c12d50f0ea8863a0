"""The state of a database as probes and figures of the server ask for it: bounded work, whatever is stored."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select

from runcard.domain.errors import DatabaseUnavailable
from runcard.store.commit.changes import last_seq, list_changes
from runcard.store.engine.database import Connection, Database
from runcard.store.engine.migrate import is_newest_schema
from runcard.store.engine.tables import file_imports, quarantined_files

# Unscoped: probes and figures are about an installation, and tell nothing of what belongs to whom.


class DatabaseState(NamedTuple):
    """newest_change: the number of the newest change.

    unseen_since: when the oldest change was made that the columnar copy lacks; None: it lacks none.
    """

    is_migrated: bool
    newest_change: int
    unseen_since: datetime | None


class IntakeState(NamedTuple):
    """quarantined: files in quarantine. unfinished: imports that are under way or were cut short."""

    quarantined: int
    unfinished: int


# How long a connection for probes waits for a host that is silent. libpq calls a socket time-out `tcp_user_timeout`.
_CONNECT_S = 2
_SILENT_MS = 5_000


def for_probes(database: Database) -> Database:
    """The same database over connections of its own, which give up soon where PostgreSQL's host is silent."""
    if not database.is_postgresql:
        return Database(database.url)
    bounds = {"connect_timeout": str(_CONNECT_S), "tcp_user_timeout": str(_SILENT_MS)}
    return Database(database.url.update_query_dict(bounds))


def read_state(database: Database, copied: int | None) -> DatabaseState:
    """The state of the database now. copied: the last change that the columnar copy has seen; None: unknown, no copy.

    Raises DatabaseUnavailable if the SQLite file is gone, and what the driver raises.
    """
    _check_is_there(database)
    with database.read() as connection:
        newest = last_seq(connection)
        return DatabaseState(
            is_migrated=is_newest_schema(connection),
            newest_change=newest,
            unseen_since=None
            if copied is None or copied >= newest
            else _first_change_after(connection, copied),
        )


def read_intake(database: Database) -> IntakeState:
    """How many files wait in quarantine, and how many imports are not finished, in all organizations."""
    unfinished = select(func.count()).where(file_imports.c.recorded_count.is_not(None))
    quarantined = select(func.count()).select_from(quarantined_files)
    with database.read() as connection:
        return IntakeState(
            quarantined=connection.execute(quarantined).scalar_one(),
            unfinished=connection.execute(unfinished).scalar_one(),
        )


def _first_change_after(connection: Connection, seq: int) -> datetime | None:
    found = list_changes(connection, seq, 1)
    return found[0].changed_at if found else None


def _check_is_there(database: Database) -> None:
    """A connection to a SQLite file that was removed goes on as if nothing had happened."""
    if not database.is_postgresql and not Path(database.url.database or "").is_file():
        raise DatabaseUnavailable("its file is gone")
