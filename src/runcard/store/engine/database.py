"""One database behind one URL: SQLite in a file, or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from runcard.store.engine.locks import Lock
from runcard.store.engine.scope import Scope
from runcard.store.engine.turns import NoTurns, Turns

# Connection: for layers that name one and know no driver.
__all__ = [
    "DATABASE_ERRORS",
    "Connection",
    "Database",
    "DatabaseFailed",
    "DatabaseUrlInvalid",
    "is_out_of_patience",
    "naming_failures",
]

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA wal_autocheckpoint=2000",
    "PRAGMA cache_size=-65536",
    # Rows of an index that `keep_statistics` looks at: enough to tell a common value from a rare one.
    "PRAGMA analysis_limit=1000",
)
# A statement for many rows keeps what it would have to undo, which SQLite else writes to a file as soon as it is 64 kB.
_SQLITE_WRITING_PRAGMA = "PRAGMA temp_store=MEMORY"
# Look at every table that has grown tenfold since it was last looked at; the first only tells whether there is one.
_SQLITE_WOULD_LOOK = "PRAGMA optimize=0x10003"
_SQLITE_LOOK = "PRAGMA optimize=0x10002"
# How long PostgreSQL may take to let somebody in, unless its URL says otherwise.
_CONNECT_TIMEOUT_S = 5

# What the database itself can raise, through SQLAlchemy or past it.
DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)


class DatabaseUrlInvalid(Exception):
    """The database URL names no database that Runcard can use."""


class DatabaseFailed(Exception):
    """The database cannot be reached, or did not do what it was asked; the message holds its own words."""


def is_out_of_patience(error: Exception) -> bool:
    """Whether a statement has waited for a lock of PostgreSQL for as long as a `writing_connection` may."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.LockNotAvailable)


def bound_page_caches(most_bytes: int) -> None:
    """Keep what SQLite holds of its files below this, over all connections of this process together.

    A connection that would hold more reuses its own pages instead. That is a number of SQLite's own, which no
    connection has to itself; it does nothing on PostgreSQL.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA soft_heap_limit={int(most_bytes)}")


@contextmanager
def naming_failures() -> Iterator[None]:
    """Raise what the driver says as DatabaseFailed, for callers that know no driver."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        raise DatabaseFailed(
            f"The database failed: {said}. Check that it is there, up, and writable."
        ) from error


class Database:
    """Connections to the truth. Reading goes through `read`; writing only through `store.commit.writer`."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_postgresql = url.get_backend_name() == "postgresql"
        # How often this process has looked at how the tables have grown.
        self.looks = 0
        self._informed = 0
        if self.is_postgresql:
            self.engine = _postgresql_engine(url)
        else:
            self.engine = _sqlite_engine(url)
            self._keep_connections_informed()

    @classmethod
    def open(cls, database_url: str | None, sqlite_path: Path) -> "Database":
        """The database at `database_url`, else the SQLite file. Raises DatabaseUrlInvalid."""
        if database_url is None:
            sqlite_path.parent.mkdir(parents=True, exist_ok=True)
            return cls(URL.create("sqlite+pysqlite", database=str(sqlite_path)))
        try:
            url = make_url(database_url)
        except ArgumentError as error:
            raise DatabaseUrlInvalid(f"database_url cannot be read: {error}.") from error
        if url.get_backend_name() != "postgresql":
            raise DatabaseUrlInvalid(
                f"database_url starts with {url.drivername}://; use postgresql://user:password@host/name, "
                "or leave it out for SQLite in the data directory."
            )
        return cls(url.set(drivername="postgresql+psycopg"))

    @classmethod
    def at(cls, address: str) -> "Database":
        """The database that another process has open at this `address`."""
        return cls(make_url(address))

    @property
    def address(self) -> str:
        """Where it is, for other processes; holds the password, if there is one."""
        return self.url.render_as_string(hide_password=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose statements all see one state of the database."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def read_in(self, organization_id: UUID) -> Iterator[Scope]:
        """As `read`, for what belongs to an organization."""
        with self.read() as connection:
            yield Scope(connection, organization_id)

    def writing_connection(self, wait_s: float | None = None) -> Connection:
        """The connection of a writer: each of its transactions holds SQLite's write lock from the start.

        wait_s: how long PostgreSQL lets it wait for any one lock; None: for ever.
        """
        connection = self.engine.connect().execution_options(writes=True)
        if not self.is_postgresql:
            driver: Any = connection.connection.driver_connection
            driver.execute(_SQLITE_WRITING_PRAGMA)
        elif wait_s is not None:
            connection.execute(text(f"SET lock_timeout = '{round(wait_s * 1000)}ms'"))
            connection.commit()
        return connection

    def turns(self) -> Turns | NoTurns:
        """The turns of a writer among those of other processes. PostgreSQL sees to that itself."""
        return NoTurns() if self.is_postgresql else Turns(Path(self.url.database or ""))

    @contextmanager
    def alone(self, lock: Lock) -> Iterator[bool]:
        """Whether no other process is in a block of this lock, for as long as this one lasts.

        Always so on SQLite, whose file one process serves. A process that dies has left its block.
        """
        if not self.is_postgresql:
            yield True
            return
        # Outside of any transaction: one that stays open keeps PostgreSQL from clearing up.
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = {"key": int(lock)}
            is_alone = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one()
            try:
                yield is_alone
            finally:
                if is_alone:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    def keep_statistics(self, connection: Connection) -> None:
        """Let SQLite see how its tables have grown, for without figures it takes the organization for a rare value.

        To be called now and then, between transactions; takes milliseconds. PostgreSQL sees to that itself.
        """
        if self.is_postgresql:
            return
        driver: Any = connection.connection.driver_connection
        if driver.execute(_SQLITE_WOULD_LOOK).fetchall():
            driver.execute(_SQLITE_LOOK).close()
            self.looks += 1
            self.renew_connections()

    def renew_connections(self) -> None:
        """To be called when the figures are others: a connection knows them as they were when it was opened."""
        self._informed += 1

    def set_aside(self) -> Path:
        """Rename a SQLite file that is of no use any more, and return its new name, which no older one keeps.

        The next connection makes an empty one; those that are in use keep the old file.
        """
        self.engine.dispose()
        path = Path(self.url.database or "")
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        return aside

    def close(self) -> None:
        self.engine.dispose()

    def _keep_connections_informed(self) -> None:
        """Connections that are older than the figures are opened anew."""

        def note(_connection: Any, record: ConnectionPoolEntry) -> None:
            record.info["informed"] = self._informed

        def check(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
            if record.info["informed"] != self._informed:
                raise DisconnectionError

        event.listen(self.engine, "connect", note)
        event.listen(self.engine, "checkout", check)


def _postgresql_engine(url: URL) -> Engine:
    # A host that is down says nothing, and would be waited for for minutes.
    waits = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT_S}
    return create_engine(
        url,
        pool_size=20,
        max_overflow=20,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=waits,
    )


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        # Few that are kept, and the last used first: each holds pages of its own.
        pool_size=5,
        max_overflow=35,
        pool_use_lifo=True,
        # So that it learns the figures that another process saw to; see `keep_statistics`.
        pool_recycle=300,
        connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": 256},
    )

    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    # The driver's own transaction handling is off (isolation_level None), so each transaction begins here.
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine
