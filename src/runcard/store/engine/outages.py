"""Errors of a database or a disk that cannot go on, as one of three outages: unavailable, full or read-only.

Only this module knows the error codes of drivers and of the operating system.
"""

import errno
import re
import sqlite3
from collections.abc import Callable, Mapping

import psycopg
from obstore.exceptions import BaseError
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from runcard.domain.errors import DatabaseUnavailable, Outage, StorageFull, StorageReadOnly

# Makes an outage from the words of the driver.
_Kind = Callable[[str], Outage]

# Primary result codes of SQLite (sqlite.org/rescode.html); the lowest eight bits of an extended one.
_SQLITE: Mapping[int, _Kind] = {
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_READONLY: StorageReadOnly,
    sqlite3.SQLITE_IOERR: DatabaseUnavailable,
    sqlite3.SQLITE_CANTOPEN: DatabaseUnavailable,
    sqlite3.SQLITE_BUSY: DatabaseUnavailable,
    sqlite3.SQLITE_LOCKED: DatabaseUnavailable,
}
# Only the file of an installation that has moved to PostgreSQL has triggers that refuse (`store.moving.journal`).
_SQLITE_MOVED = sqlite3.SQLITE_CONSTRAINT_TRIGGER
# SQLite says FULL when the disk is full, and this when a quota or a file-size limit is reached.
_SQLITE_WRITE_FAILED = sqlite3.SQLITE_IOERR_WRITE

# Codes of PostgreSQL, or their first characters (Appendix A of its manual). Longer ones come first.
_POSTGRESQL: Mapping[str, _Kind] = {
    "53100": StorageFull,  # disk_full
    "25006": StorageReadOnly,  # read_only_sql_transaction
    "57P": DatabaseUnavailable,  # shutting down, starting, or gone after a crash
    "08": DatabaseUnavailable,  # connection exceptions
    "53": DatabaseUnavailable,  # out of memory or of connections
    "58": DatabaseUnavailable,  # an error of its operating system, for example of the disk
    "40001": DatabaseUnavailable,  # a replica ended a query that kept it from following the database
}

_SYSTEM: Mapping[int, _Kind] = {
    errno.ENOSPC: StorageFull,
    errno.EDQUOT: StorageFull,
    errno.EFBIG: StorageFull,
    errno.EROFS: StorageReadOnly,
}
# How obstore quotes the error number of the operating system.
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def outage_of(error: BaseException) -> Outage | None:
    """The outage behind an error: neither database nor disk can do anything now. None for every other error."""
    driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    kind = _kind_of(driver)
    if kind is None and isinstance(error, NoConnectionLeft | PendingRollbackError):
        kind = DatabaseUnavailable
    return None if kind is None else kind(f"{type(driver).__name__}: {driver}")


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that its file is damaged, or is no SQLite file."""
    driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(driver, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _kind_of(error: BaseException) -> _Kind | None:
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(getattr(error, "sqlite_errorcode", None))
    if isinstance(error, psycopg.Error):
        return _of_postgresql(error)
    if isinstance(error, BaseError):
        code = _OS_ERROR.search(str(error))
        return None if code is None else _SYSTEM.get(int(code[1]))
    if isinstance(error, OSError) and error.errno is not None:
        return _SYSTEM.get(error.errno)
    return None


def _of_sqlite(code: int | None) -> _Kind | None:
    if code is None:
        return None
    if code == _SQLITE_MOVED:
        return DatabaseUnavailable
    return StorageFull if code == _SQLITE_WRITE_FAILED else _SQLITE.get(code & 0xFF)


def _of_postgresql(error: psycopg.Error) -> _Kind | None:
    if error.sqlstate is None:
        # Without a code the error is not the server's: the connection could not be made, or was lost.
        is_away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return DatabaseUnavailable if is_away else None
    return next((kind for code, kind in _POSTGRESQL.items() if error.sqlstate.startswith(code)), None)
