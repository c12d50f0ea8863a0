"""One process at a time, kept by the operating system and so given back by a process that is killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from runcard_client.errors import SpoolUnusable


@contextmanager
def exclusive(path: Path, timeout_s: float) -> Iterator[bool]:
    """Whether this block has `path` for itself, after waiting for it that long.

    It is an empty SQLite file: its locks work the same on every system, between threads as between processes.
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
