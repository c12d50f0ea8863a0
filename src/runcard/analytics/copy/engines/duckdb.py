"""DuckDB in a single file, which one process owns."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from runcard.analytics.copy.schema import SCHEMA_VERSION, statements

_log = logging.getLogger(__name__)

_MIB = 1024 * 1024
_MEMORY_BYTES = 400 * _MIB
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    # Whatever a query says, nothing is downloaded, and only the copy's own file is read and written.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "allowed_configs": ["enable_progress_bar"],
    "lock_configuration": True,
}

Cursor = duckdb.DuckDBPyConnection

# Errors that mean damage or may come from it. A query that is too large or wrong raises others.
_DAMAGE = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException, duckdb.SerializationException)


class CopyFailed(Exception):
    """A query or change of the copy failed; the message quotes DuckDB.

    is_damaged: it cannot be trusted any more.
    """

    def __init__(self, error: duckdb.Error | OSError) -> None:
        super().__init__(f"The columnar copy failed: {error}")
        self.is_damaged = isinstance(error, _DAMAGE)


@contextmanager
def failing_as_copy() -> Iterator[None]:
    """Turn errors of DuckDB inside the block into CopyFailed."""
    try:
        yield
    except duckdb.Error as error:
        raise CopyFailed(error) from error


class CopyLocked(Exception):
    """Another process owns the file."""


class DuckDb:
    """The columnar copy in a file. A file that is missing, damaged or of another version is begun anew."""

    def __init__(self, path: Path, memory_bytes: int = _MEMORY_BYTES) -> None:
        """Open the file. Raises CopyLocked, or CopyFailed if the file can be neither used nor begun anew."""
        self.path = path
        self._memory_bytes = memory_bytes
        self._connection = self._open()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """A cursor that sees one state of the copy. Its changes are kept if the block ends without an error.

        Raises CopyFailed.
        """
        with failing_as_copy(), self._connection.cursor() as cursor:
            cursor.execute("SET enable_progress_bar = false")  # each cursor has its own setting
            cursor.begin()
            yield cursor
            cursor.commit()  # without it, closing the cursor rolls back

    def begin_anew(self) -> None:
        """Delete the file and make an empty one. Raises CopyLocked or CopyFailed."""
        self.close()
        try:
            _delete(self.path)
        except OSError as error:
            raise CopyFailed(error) from error
        self._connection = self._open()

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> Cursor:
        try:
            found = _connect(self.path, self._memory_bytes)
            if _is_of_this_version(found):
                return found
            found.close()
            _log.info("The columnar copy %s is new or of another version, and is begun anew", self.path)
        except duckdb.Error as error:
            if _is_locked(error):
                raise CopyLocked(self.path) from error
            _log.warning("The columnar copy %s cannot be read, and is begun anew: %s", self.path, error)
        try:
            return _make(self.path, self._memory_bytes)
        except (duckdb.Error, OSError) as error:
            if _is_locked(error):
                raise CopyLocked(self.path) from error
            raise CopyFailed(error) from error


def look_at(path: Path) -> int | None:
    """The last change that the copy in a file has seen; None if there is no copy of this version. Changes nothing.

    Raises CopyLocked.
    """
    if not path.is_file():
        return None
    try:
        with duckdb.connect(path, read_only=True, config=_SETTINGS) as connection:
            [(version, seq)] = connection.execute("SELECT version, seq FROM copy_state").fetchall()
    except duckdb.Error as error:
        if _is_locked(error):
            raise CopyLocked(path) from error
        return None
    return int(seq) if version == SCHEMA_VERSION else None


def _connect(path: Path, memory_bytes: int) -> Cursor:
    return duckdb.connect(path, config={**_SETTINGS, "memory_limit": f"{memory_bytes // _MIB}MiB"})


def _make(path: Path, memory_bytes: int) -> Cursor:
    """Replace the file by an empty copy, and open it."""
    _delete(path)
    connection = _connect(path, memory_bytes)
    connection.begin()
    for statement in statements():
        connection.execute(statement)
    connection.commit()
    return connection


def _is_of_this_version(connection: Cursor) -> bool:
    """Whether the file is a copy of this version; False for a new file, which has no tables.

    If its tables are others or damaged, closes the file and raises duckdb.Error.
    """
    try:
        if not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall():
            return False
        return connection.execute("SELECT version FROM copy_state").fetchall() == [(SCHEMA_VERSION,)]
    except duckdb.Error:
        connection.close()
        raise


def _is_locked(error: Exception) -> bool:
    """Whether another process owns the file. DuckDB has no error class of its own for that."""
    return isinstance(error, duckdb.IOException) and "lock on file" in str(error)


def _delete(path: Path) -> None:
    for file in (path, path.with_name(f"{path.name}.wal")):
        file.unlink(missing_ok=True)
