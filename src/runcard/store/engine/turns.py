"""Turns of the processes that write to one SQLite file: the server, the process that records for it, and commands.

SQLite has a process that finds the file locked look again after a while, up to a tenth of a second, and whoever comes
by then is first: while runs arrived as fast as they could be recorded, other writes waited for up to 0.9 s. Locks of
the kernel wake whoever waits for them, and two of them make a queue.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """For one thread at a time. A process that dies has had its turn."""

    def __init__(self, database: Path) -> None:
        """database: the file that is written to; beside it are two empty ones that are locked."""
        self._turn = _opened(database.with_name(f"{database.name}-turn"))
        # Held by the one that has the next turn, so that whoever had the last one cannot have that, too.
        self._next = _opened(database.with_name(f"{database.name}-next"))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A block in which no other process is."""
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
    """Where several may write at the same time."""

    @contextmanager
    def taken(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        pass


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
