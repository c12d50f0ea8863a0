"""The notebook's own columnar copy: the copy of a server belongs to that server."""

import fcntl
import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.analytics.copy.engines.engine import CopyFailed
from runcard.analytics.copy.projector import AnotherHistory, Projector
from runcard.store.commit.changes import last_seq
from runcard.store.engine.database import Database

# Called with the number of changes taken in so far, and the number of all.
Progress = Callable[[int, int], None]


class PrivateCopy:
    """A copy in a file of the cache folder, where the next notebook finds it. If another notebook uses that file, or
    the folder cannot be used, the copy is in a temporary file.
    """

    def __init__(self, database: Database, cache_dir: Path) -> None:
        """Open the copy, or begin one. Raises CopyFailed if no file can be made for it."""
        self._database = database
        self._place = ExitStack()
        self.columns = ColumnarCopy(self._open(cache_dir, _file_name(database)), timeout_s=0)
        self._projector = Projector(database, self.columns.engine)

    def follow(self, progress: Progress | None = None) -> None:
        """Take in all changes so far. Raises CopyFailed and what the database raises."""
        with self._database.read() as connection:
            last = last_seq(connection)
        if self.columns.is_damaged:
            self._begin_anew()
        try:
            self._take_in(last, progress)
        except (AnotherHistory, CopyFailed) as error:
            if isinstance(error, CopyFailed) and not error.is_damaged:
                raise
            self._begin_anew()
            self._take_in(last, progress)

    def close(self) -> None:
        self.columns.close()
        self.columns.engine.close()
        self._place.close()

    def _take_in(self, last: int, progress: Progress | None) -> None:
        is_behind = True
        # The first step checks that the copy is of this history, even if there is nothing to take in.
        while is_behind:
            step = self._projector.step()
            self.columns.tell(step.seq)
            if progress is not None:
                progress(min(step.seq, last), last)
            is_behind = step.seq < last

    def _begin_anew(self) -> None:
        self.columns.begin_anew()
        self._projector = Projector(self._database, self.columns.engine)

    def _open(self, cache_dir: Path, name: str) -> DuckDb:
        try:
            # Readable by its owner only: it holds what is recorded.
            cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            # DuckDB keeps other processes out, but not another notebook in this process.
            lock = self._place.enter_context((cache_dir / f"{name}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return DuckDb(cache_dir / name)
        except (CopyFailed, OSError):
            folder = self._place.enter_context(TemporaryDirectory(prefix="runcard-"))
            return DuckDb(Path(folder) / name)


def _file_name(database: Database) -> str:
    """The name of the copy's file: the same for the same database, whatever the password."""
    url = database.url
    if not database.is_postgresql:
        url = url.set(database=str(Path(url.database or "").resolve()))
    return f"{hashlib.sha256(repr(url.set(password=None)).encode()).hexdigest()[:16]}.duckdb"
