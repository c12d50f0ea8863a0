"""DuckDB in a single file, which one process owns."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa

from runcard.analytics.copy.engines.engine import Batch, CopyFailed, LastSeen
from runcard.analytics.copy.schema import INSIDE_RUNS, INTO, RECENT, SCHEMA_VERSION, SORTED, statements
from runcard.analytics.copy.standing import Standing

_log = logging.getLogger(__name__)

_MIB = 1024 * 1024
# Sorting this many takes about a second, and a few hundred bytes each. Fewer would scatter each measurement more.
ENOUGH_ROWS = 2_000_000
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

# Functions that DuckDB has by another name; see `clickhouse_sql`.
_MACROS = (
    "CREATE OR REPLACE MACRO uuid_text(id) AS id::VARCHAR",
    "CREATE OR REPLACE MACRO whole(number) AS CAST(number AS BIGINT)",
)

# Errors that mean damage or may come from it. A query that is too large or wrong raises others.
_DAMAGE = (duckdb.FatalException, duckdb.InternalException, duckdb.IOException, duckdb.SerializationException)


class CopyLocked(Exception):
    """Another process owns the file."""


class DuckDb:
    """The columnar copy in a file. A file that is missing, damaged or of another version is begun anew."""

    def __init__(self, path: Path, memory_bytes: int = _MEMORY_BYTES, enough_rows: int = ENOUGH_ROWS) -> None:
        """Open the file. enough_rows: number of recent measurements from which they are moved to the sorted ones.

        Raises CopyLocked, or CopyFailed if the file can be neither used nor begun anew.
        """
        self.path = path
        self._enough_rows = enough_rows
        self._memory_bytes = memory_bytes
        self._connection = self._open()

    is_shared = False

    @property
    def place(self) -> str:
        return str(self.path)

    @contextmanager
    def transaction(self) -> Iterator["DuckDbCursor"]:
        """A cursor that sees one state of the copy. Its changes are kept if the block ends without an error.

        Raises CopyFailed.
        """
        with self.failing(), self._connection.cursor() as connection:
            connection.execute("SET enable_progress_bar = false")  # each cursor has its own setting
            connection.begin()
            yield DuckDbCursor(connection)
            connection.commit()  # without it, closing the cursor rolls back

    @contextmanager
    def failing(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise CopyFailed(error, is_damaged=isinstance(error, _DAMAGE)) from error

    def last_seen(self) -> LastSeen:
        with self.transaction() as cursor:
            [state] = cursor.execute("SELECT seq, entity, changed_at FROM copy_state").fetchall()
        return LastSeen(*state)

    def make_ready(self) -> None:
        """Nothing is left to do: the file was made as it was opened, and a batch is a transaction."""

    @contextmanager
    def batch(self, last: LastSeen) -> Iterator[Batch]:
        with self.transaction() as cursor:
            yield _DuckDbBatch(cursor)
            compact(cursor, self._enough_rows)
            cursor.execute("UPDATE copy_state SET seq = ?, entity = ?, changed_at = ?", [*last])

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

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = self._open_file()
        for macro in _MACROS:
            connection.execute(macro)
        return connection

    def _open_file(self) -> duckdb.DuckDBPyConnection:
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
            raise CopyFailed(error, is_damaged=isinstance(error, _DAMAGE)) from error


class DuckDbCursor:
    """Queries and changes in one transaction."""

    has_log_blocks = True

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def execute(self, sql: str, values: Any = None) -> "DuckDbCursor":
        self.connection.execute(sql, values)
        return self

    def fetchall(self) -> list[Any]:
        return self.connection.fetchall()

    def fetchnumpy(self) -> dict[str, Any]:
        return self.connection.fetchnumpy()

    def keep(self, name: str, query: str, values: Any = None) -> int:
        [(count,)] = self.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", values).fetchall()
        return int(count)

    def register(self, name: str, table: pa.Table) -> None:
        self.connection.register(name, table)

    def unregister(self, name: str) -> None:
        self.connection.unregister(name)


class _DuckDbBatch:
    """Changes in the transaction of a cursor."""

    def __init__(self, cursor: DuckDbCursor) -> None:
        self.cursor = cursor

    def insert(self, table: str, rows: pa.Table) -> None:
        self.cursor.register("fresh_rows", rows)
        self.cursor.execute(f"INSERT INTO {INTO.get(table, table)} SELECT * FROM fresh_rows")
        self.cursor.unregister("fresh_rows")

    def remove_runs(self, numbers: Collection[int]) -> None:
        for table in ("runs", *INSIDE_RUNS):
            self._delete(table, "run", [*numbers])

    def remove_units(self, unit_ids: Sequence[UUID]) -> None:
        self._delete("units", "id", unit_ids)

    def restand(self, rows: pa.Table) -> None:
        changes = ", ".join(f"{name} = changed.{name}" for name in Standing._fields)
        self.cursor.register("changed", rows)
        self.cursor.execute(f"UPDATE runs SET {changes} FROM changed WHERE runs.run = changed.run")
        self.cursor.unregister("changed")

    def _delete(self, table: str, column: str, values: Sequence[Any]) -> None:
        marks = ", ".join("?" for _ in values)
        self.cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", values)


def compact(cursor: DuckDbCursor, enough_rows: int) -> None:
    """Move the recent measurements to the sorted ones if there are enough, in the transaction of the cursor.

    So the values of one measurement lie close together.
    """
    [(count,)] = cursor.execute(f"SELECT count(*) FROM {RECENT}").fetchall()
    if count >= enough_rows:
        cursor.execute(
            f"INSERT INTO {SORTED} SELECT * FROM {RECENT} ORDER BY spec, started_at, run, position"
        )
        cursor.execute(f"DELETE FROM {RECENT}")


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


def _connect(path: Path, memory_bytes: int) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(path, config={**_SETTINGS, "memory_limit": f"{memory_bytes // _MIB}MiB"})


def _make(path: Path, memory_bytes: int) -> duckdb.DuckDBPyConnection:
    """Replace the file by an empty copy, and open it."""
    _delete(path)
    connection = _connect(path, memory_bytes)
    connection.begin()
    for statement in statements():
        connection.execute(statement)
    connection.commit()
    return connection


def _is_of_this_version(connection: duckdb.DuckDBPyConnection) -> bool:
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
