"""Turns for the processes that write to one SQLite file: the server, the process that records for it, and commands.

A process that finds the file locked looks again up to a tenth of a second later, and SQLite lets others go first in
between: while runs arrived as fast as they could be recorded, other writes waited for up to 0.9 s. A lock of the
kernel wakes the process that waits for it, and two such locks make a queue.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """The queue of one database file. For one thread at a time. A process that dies gives its turn back."""

    def __init__(self, database: Path) -> None:
        """database: the file that is written to. The two empty files that are locked lie beside it."""
        self._turn = _opened(database.with_name(f"{database.name}-turn"))
        # The process with the next turn holds it, so that the process with the last turn cannot have the next one too.
        self._next = _opened(database.with_name(f"{database.name}-next"))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A block that only one process is in at a time."""
        fcntl.flock(self._next, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._turn)
        os.close(self._next)


class NoTurns:
    """The queue of a database that several processes may write to at once: nobody waits."""

    @contextmanager
    def taken(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        pass


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
