"""One database behind one URL: SQLite in a file, or PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from runcard.store.engine.locks import Lock
from runcard.store.engine.readable import Readable
from runcard.store.engine.turns import NoTurns, Turns

# Connection: for layers that annotate a connection and import no SQLAlchemy.
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
    # How many rows of an index `keep_statistics` reads: enough to tell a common value from a rare one.
    "PRAGMA analysis_limit=1000",
)
# An insert of many rows keeps an undo journal. Without this, SQLite writes it to a file once it is larger than 64 kB.
_SQLITE_WRITING_PRAGMA = "PRAGMA temp_store=MEMORY"
# Analyze every table that has grown tenfold since the last time. The first only lists what it would analyze.
_SQLITE_WOULD_ANALYZE = "PRAGMA optimize=0x10003"
_SQLITE_ANALYZE = "PRAGMA optimize=0x10002"
# How long PostgreSQL may take to accept a connection, unless its URL says otherwise.
_CONNECT_TIMEOUT_S = 5

# What the database itself can raise, through SQLAlchemy or past it.
DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)


class DatabaseUrlInvalid(Exception):
    """The database URL names no database that Runcard can use."""


class DatabaseFailed(Exception):
    """The database cannot be reached, or refused a statement. The message quotes the database."""


def is_out_of_patience(error: Exception) -> bool:
    """Whether a statement waited for a PostgreSQL lock until the `wait_s` of its `writing_connection` was over."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.errors.LockNotAvailable)


def bound_page_caches(most_bytes: int) -> None:
    """Keep the page caches of all SQLite connections of this process, taken together, below this size.

    A connection that would go over it reuses its own pages. The limit belongs to the SQLite library, so any connection
    can set it. It does nothing on PostgreSQL.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA soft_heap_limit={int(most_bytes)}")


@contextmanager
def naming_failures() -> Iterator[None]:
    """Raise every error of a driver inside the block as DatabaseFailed, for callers that import no driver."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise DatabaseFailed(
            f"The database failed: {cause}. Check that it is there, up, and writable."
        ) from error


class Database(Readable):
    """Connections to the truth. Read through `read`; write only through `store.commit.writer`."""

    def __init__(self, url: URL, documents: object = None) -> None:
        """documents: where documents of old runs lie, which each connection leads to; see `store.documents`."""
        self.url = url
        self.documents = documents
        self.is_postgresql = url.get_backend_name() == "postgresql"
        # How often this process has renewed SQLite's statistics of the tables.
        self.statistics_renewals = 0
        self._statistics_version = 0
        if self.is_postgresql:
            self.engine = _postgresql_engine(url).execution_options(documents=documents)
            # The same connections. In SQLite, every transaction sees one state already.
            self._reading: Engine = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        else:
            self.engine = self._reading = _sqlite_engine(url).execution_options(documents=documents)
            self._reopen_outdated_connections()

    @classmethod
    def open(cls, database_url: str | None, sqlite_path: Path, documents: object = None) -> "Database":
        """The database at `database_url`, else the SQLite file. Raises DatabaseUrlInvalid.

        documents: as of the database.
        """
        if database_url is None:
            sqlite_path.parent.mkdir(parents=True, exist_ok=True)
            return cls(URL.create("sqlite+pysqlite", database=str(sqlite_path)), documents)
        try:
            url = make_url(database_url)
        except (ArgumentError, ValueError) as error:  # ValueError: of the port
            raise DatabaseUrlInvalid(f"database_url cannot be read: {error}.") from error
        if url.get_backend_name() != "postgresql":
            raise DatabaseUrlInvalid(
                f"database_url starts with {url.drivername}://; use postgresql://user:password@host/name, "
                "or leave it out for SQLite in the data directory."
            )
        return cls(url.set(drivername="postgresql+psycopg"), documents)

    @classmethod
    def at(cls, address: str) -> "Database":
        """The database that another process has open at this `address`."""
        return cls(make_url(address))

    @property
    def address(self) -> str:
        """The URL of the database, for other processes. It holds the password, if there is one."""
        return self.url.render_as_string(hide_password=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose statements all see one state of the database, and change nothing."""
        with self._reading.connect() as connection:
            yield connection

    def writing_connection(self, wait_s: float | None = None) -> Connection:
        """A connection for a writer: each of its transactions holds SQLite's write lock from the start.

        wait_s: how long PostgreSQL lets it wait for one lock; None: for ever.
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
        """Turns by which writers in several processes queue for one SQLite file; PostgreSQL needs none."""
        return NoTurns() if self.is_postgresql else Turns(Path(self.url.database or ""))

    @contextmanager
    def alone(self, lock: Lock) -> Iterator[bool]:
        """Whether this process holds the lock alone, until the block ends.

        Always true on SQLite, whose file only one process serves. A process that dies gives its lock back.
        """
        if not self.is_postgresql:
            yield True
            return
        # Outside of any transaction: an open transaction keeps PostgreSQL from vacuuming.
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = {"key": int(lock)}
            is_alone = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one()
            try:
                yield is_alone
            finally:
                if is_alone:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)

    def keep_statistics(self, connection: Connection) -> None:
        """Renew SQLite's statistics of tables that have grown; without them it takes an organization for a rare value.

        Call it now and then, between transactions; it takes milliseconds. PostgreSQL does this itself.
        """
        if self.is_postgresql:
            return
        driver: Any = connection.connection.driver_connection
        if driver.execute(_SQLITE_WOULD_ANALYZE).fetchall():
            driver.execute(_SQLITE_ANALYZE).close()
            self.statistics_renewals += 1
            self.renew_connections()

    def renew_connections(self) -> None:
        """Reopen every connection before its next use. Call it when the statistics have changed.

        A connection knows the statistics only as they were when it was opened.
        """
        self._statistics_version += 1

    def set_aside(self) -> Path:
        """Rename a SQLite file that is of no more use, and return its new path. A file already there is replaced.

        The next connection makes an empty file; connections in use keep the old one.
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

    def _reopen_outdated_connections(self) -> None:
        """From now on, open a connection again before it is used if it is older than the statistics."""

        def note(_connection: Any, record: ConnectionPoolEntry) -> None:
            record.info["statistics_version"] = self._statistics_version

        def check(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
            if record.info["statistics_version"] != self._statistics_version:
                raise DisconnectionError

        event.listen(self.engine, "connect", note)
        event.listen(self.engine, "checkout", check)


def _postgresql_engine(url: URL) -> Engine:
    # A host that is down does not answer, and the driver would wait for minutes.
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
        # Few connections are kept, and the one used last is taken first: each has a page cache of its own.
        pool_size=5,
        max_overflow=35,
        pool_use_lifo=True,
        # So that a connection learns the statistics that another process renewed; see `keep_statistics`.
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
