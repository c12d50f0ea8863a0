"""A lock for one process at a time. The operating system holds it, so it is released if the process is killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from runcard_client.errors import SpoolUnusable


@contextmanager
def exclusive(path: Path, timeout_s: float) -> Iterator[bool]:
    """A block that holds the lock on `path`; it gets False where it did not get the lock within `timeout_s`.

    `path` is an empty SQLite file: its locks work on every system, between threads as well as between processes. Raises
    SpoolUnusable.
    """
    try:
        with closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as connection:
            yield _taken(connection)
    except sqlite3.Error as error:
        raise SpoolUnusable(f"{path} cannot be locked: {error}") from error


def _taken(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False
    return True
