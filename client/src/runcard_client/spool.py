"""Keep runs on the station's own disk until the server has them. A run that was added survives a power cut."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from runcard_client.errors import InvalidReport, SpoolUnusable
from runcard_client.exclusive import exclusive
from runcard_client.report import FileReport

_BUSY_TIMEOUT_S = 30.0
_VERSION = 1
_SCHEMA = """
CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    ref TEXT NOT NULL UNIQUE,
    procedure TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    body BLOB NOT NULL,
    added_at TEXT NOT NULL,
    attempt_count INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    parked_at TEXT,
    run_id TEXT
);
CREATE INDEX runs_waiting ON runs (seq) WHERE parked_at IS NULL;
CREATE TABLE files (
    run_seq INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content BLOB NOT NULL,
    upload_id TEXT,
    PRIMARY KEY (run_seq, position)
);
CREATE TABLE procedures (reference TEXT PRIMARY KEY, procedure_id TEXT NOT NULL);
"""
# Amended runs as they were before. The table is created when it is first needed, so that the version can stay the same.
_AMENDED = """
CREATE TABLE IF NOT EXISTS amended (
    run_seq INTEGER PRIMARY KEY REFERENCES runs (seq) ON DELETE CASCADE,
    procedure TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    body BLOB NOT NULL
)
"""


@dataclass(frozen=True)
class SpooledRun:
    """A run that is not completely sent yet.

    error: of the last attempt. run_id: the id on the server, where only files are left to send.
    """

    seq: int
    client_run_ref: str
    procedure: str
    serial_number: str
    added_at: str
    attempt_count: int
    error: str | None
    parked_at: str | None
    run_id: str | None


@dataclass(frozen=True)
class SpoolCounts:
    """waiting: runs to be sent. parked: runs that the server refused, until somebody retries or discards them."""

    waiting: int
    parked: int


_COLUMNS = "seq, ref, procedure, serial_number, added_at, attempt_count, error, parked_at, run_id"


class Spool:
    """A SQLite file with runs. Several processes and threads may use it. Every method may raise SpoolUnusable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._exclusively():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._open()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def add(
        self, ref: str, procedure: str, serial_number: str, body: bytes, files: Sequence[FileReport]
    ) -> None:
        """Keep a run to be sent. It is on the disk when this method returns.

        The same run with the same ref is kept only once. Raises InvalidReport for another run with the ref of one that
        waits.
        """
        with self._transaction() as connection:
            row = (ref, procedure, serial_number, body, _now())
            added = connection.execute(
                "INSERT INTO runs (ref, procedure, serial_number, body, added_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (ref) DO NOTHING",
                row,
            )
            if not added.rowcount:
                _check_same(connection, ref, procedure, body)
                return
            connection.executemany(
                "INSERT INTO files (run_seq, position, name, content_type, content) VALUES (?, ?, ?, ?, ?)",
                [
                    (added.lastrowid, position, file.name, file.content_type, file.content)
                    for position, file in enumerate(files)
                ],
            )

    def first_waiting(self) -> SpooledRun | None:
        """The run to be sent next, which was added first; None where none waits."""
        runs = self._runs("WHERE parked_at IS NULL ORDER BY seq LIMIT 1")
        return runs[0] if runs else None

    def parked(self) -> list[SpooledRun]:
        """The runs that the server refused, in the order in which they were added."""
        return self._runs("WHERE parked_at IS NOT NULL ORDER BY seq")

    def counts(self) -> SpoolCounts:
        """How many runs wait, and how many are parked."""
        ((waiting, parked),) = self._read(
            "SELECT count(*) - count(parked_at), count(parked_at) FROM runs",
        )
        return SpoolCounts(waiting, parked)

    def body(self, seq: int) -> bytes:
        """The body of a run, as it was added or amended."""
        ((body,),) = self._read("SELECT body FROM runs WHERE seq = ?", seq)
        return bytes(body)

    def note_failure(self, seq: int, error: str) -> None:
        """Note a failed attempt. The run keeps waiting."""
        self._write("UPDATE runs SET attempt_count = attempt_count + 1, error = ? WHERE seq = ?", error, seq)

    def park(self, seq: int, error: str) -> None:
        """Park a run that the server refused, so that the next one can be sent."""
        self._write(
            "UPDATE runs SET attempt_count = attempt_count + 1, error = ?, parked_at = ? WHERE seq = ?",
            error,
            _now(),
            seq,
        )

    def note_recorded(self, seq: int, run_id: str) -> None:
        """Note that the server has the run, but not yet its files."""
        self._write("UPDATE runs SET run_id = ? WHERE seq = ?", run_id, seq)

    def remove(self, seq: int) -> None:
        """Remove a run that the server has completely."""
        self._write("DELETE FROM runs WHERE seq = ?", seq)

    def retry(self, ref: str | None = None) -> int:
        """Let a parked run wait again in its old place, or all where ref is None. Return how many."""
        return self._write(
            "UPDATE runs SET parked_at = NULL WHERE parked_at IS NOT NULL AND (?1 IS NULL OR ref = ?1)", ref
        )

    def discard(self, ref: str) -> int:
        """Forget a parked run for good. Return how many runs that were: 0 or 1."""
        return self._write("DELETE FROM runs WHERE parked_at IS NOT NULL AND ref = ?", ref)

    def amend(self, ref: str, procedure: str, serial_number: str, body: bytes) -> bool:
        """Let a parked run wait again with another body. Its original is kept until the run is sent.

        Return False where no such run is parked, or where the server has recorded it and only files are left.
        """
        with self._transaction() as connection:
            connection.execute(_AMENDED)
            parked = "ref = ? AND parked_at IS NOT NULL AND run_id IS NULL"
            connection.execute(
                "INSERT OR IGNORE INTO amended SELECT seq, procedure, serial_number, body FROM runs"  # noqa: S608 -- of this module
                f" WHERE {parked}",
                (ref,),
            )
            changed = connection.execute(
                "UPDATE runs SET procedure = ?, serial_number = ?, body = ?, parked_at = NULL"  # noqa: S608 -- likewise
                f" WHERE {parked}",
                (procedure, serial_number, body, ref),
            )
            return bool(changed.rowcount)

    def original(self, seq: int) -> tuple[str, str, bytes] | None:
        """Procedure, serial number and body of a run before it was amended; None: it was never amended."""
        with self._exclusively():
            return _original(self._connection, seq)

    def files(self, seq: int) -> list[tuple[int, str | None]]:
        """The positions of a run's files, in order, each with the id of its upload; None: not uploaded yet."""
        return [
            (position, upload_id)
            for position, upload_id in self._read(
                "SELECT position, upload_id FROM files WHERE run_seq = ? ORDER BY position", seq
            )
        ]

    def file(self, seq: int, position: int) -> FileReport:
        ((name, content, content_type),) = self._read(
            "SELECT name, content, content_type FROM files WHERE run_seq = ? AND position = ?", seq, position
        )
        return FileReport(name, bytes(content), content_type)

    def note_uploaded(self, seq: int, position: int, upload_id: str) -> None:
        self._write(
            "UPDATE files SET upload_id = ? WHERE run_seq = ? AND position = ?", upload_id, seq, position
        )

    def procedure_id(self, reference: str) -> str | None:
        """The id that the server last gave for this reference; None where it is not known."""
        rows = self._read("SELECT procedure_id FROM procedures WHERE reference = ?", reference)
        return str(rows[0][0]) if rows else None

    def note_procedure(self, reference: str, procedure_id: str | None) -> None:
        """Remember the procedure id of a reference; None: forget the reference."""
        if procedure_id is None:
            self._write("DELETE FROM procedures WHERE reference = ?", reference)
        else:
            self._write("REPLACE INTO procedures VALUES (?, ?)", reference, procedure_id)

    @contextmanager
    def sending(self, timeout_s: float = 0.0) -> Iterator[bool]:
        """A block that alone may send from this spool, so that order is kept; it gets False if another one sends."""
        with exclusive(self._lock_path, timeout_s) as taken:
            yield taken

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(self.path.name + "-sender")

    def _open(self) -> None:
        self._connection.execute("PRAGMA synchronous = FULL")
        # For macOS, where a disk may hold back writes without it; elsewhere it does nothing.
        self._connection.execute("PRAGMA fullfsync = ON")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if self._version() == 0:
            # The lock is free, because nobody sends from a new spool. Only one process at a time may switch WAL on.
            with exclusive(self._lock_path, _BUSY_TIMEOUT_S):
                self._connection.execute("PRAGMA journal_mode = WAL")
                if self._version() == 0:
                    self._connection.executescript(
                        f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
                    )
        if self._version() != _VERSION:
            raise SpoolUnusable(
                f"{self.path} has version {self._version()}, but this client knows only version {_VERSION};"
                " use the version of runcard-client that made it"
            )

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    def _runs(self, condition: str) -> list[SpooledRun]:
        statement = f"SELECT {_COLUMNS} FROM runs {condition}"  # noqa: S608 -- made of texts of this module
        return [SpooledRun(*row) for row in self._read(statement)]

    def _read(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._exclusively():
            return self._connection.execute(statement, values).fetchall()

    def _write(self, statement: str, *values: object) -> int:
        with self._exclusively():
            return self._connection.execute(statement, values).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._exclusively():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """A block for one thread at a time, whose errors become SpoolUnusable and name the file."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, OSError) as error:
                raise SpoolUnusable(
                    f"the spool {self.path} cannot be used: {error};"
                    " check that its disk is there, has room, and can be written to"
                ) from error


def _check_same(connection: sqlite3.Connection, ref: str, procedure: str, body: bytes) -> None:
    seq, *known = connection.execute("SELECT seq, procedure, body FROM runs WHERE ref = ?", (ref,)).fetchone()
    original = _original(connection, seq)
    if [procedure, body] not in ([known] if original is None else [known, [original[0], original[2]]]):
        raise InvalidReport(
            f"client_run_ref {ref!r:.80} names another run that waits to be sent; give each run its own client_run_ref"
        )


def _original(connection: sqlite3.Connection, seq: int) -> tuple[str, str, bytes] | None:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'amended'").fetchone():
        return None
    row: tuple[str, str, bytes] | None = connection.execute(
        "SELECT procedure, serial_number, body FROM amended WHERE run_seq = ?", (seq,)
    ).fetchone()
    return row


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
