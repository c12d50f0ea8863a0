"""A thread that keeps the columnar copy up to date, with pauses that leave the machine to the stations."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.engine import CopyAway, CopyFailed
from runcard.analytics.copy.projector import AnotherHistory, Projector
from runcard.domain.errors import FiguresUnavailable
from runcard.failure_log import FailureLog
from runcard.store.commit.changes import last_seq
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock
from runcard.store.engine.outages import outage_of

_log = logging.getLogger(__name__)

# The pause between two checks for new changes.
_POLL_S = 0.2
# It rests this many times as long as it worked. While runs are recorded, they get four fifths of the time.
_REST_RATIO_WHILE_RECORDING = 4.0
_REST_RATIO = 0.25
# The pause after a failure, which may need a moment to pass.
_PAUSE_S = 1.0
# The pause between two looks at a copy that another process writes.
_LOOK_S = 0.1


class Worker:
    """Brings the changes of the database into the columnar copy until it is closed."""

    def __init__(self, database: Database, copy: ColumnarCopy) -> None:
        self._database = database
        self._copy = copy
        self._projector = Projector(database, copy.engine)
        self._failures = FailureLog(_log, "the columnar copy was not brought up to date")
        self._newest = 0
        self._thread = threading.Thread(target=self._loop, name="runcard-worker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread after its current step, and close the copy."""
        self._copy.close()
        self._thread.join()
        self._failures.close()
        self._copy.engine.close()

    def _loop(self) -> None:
        while not self._copy.is_closed:
            try:
                with self._turn() as is_mine:
                    while is_mine and not self._copy.is_closed:
                        if self._copy.is_damaged:
                            self._begin_anew()
                        self._follow()
                self._look_on()
            # No failure of the copy may end the server or stop this thread.
            except Exception as error:
                is_away = isinstance(error, CopyAway)
                self._failures.tell(FiguresUnavailable(str(error)) if is_away else outage_of(error) or error)
                if isinstance(error, AnotherHistory) or (isinstance(error, CopyFailed) and error.is_damaged):
                    self._copy.distrust()
                else:
                    self._copy.tell(None)
                self._copy.pause(_PAUSE_S)

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Whether this process is the one that writes the copy, until the block ends.

        Of a copy that servers share, one of them writes. Another takes over when it ends or dies.
        """
        if not self._copy.engine.is_shared:
            yield True
            return
        with self._database.alone(Lock.COLUMNS) as is_alone:
            yield is_alone

    def _look_on(self) -> None:
        """Tell how far the process that writes has come."""
        if not self._copy.is_closed:
            self._copy.tell(self._copy.engine.last_seen().seq)
            self._copy.rest(_LOOK_S)

    def _follow(self) -> None:
        """Take a step if something has changed or the copy's state is not known yet, then rest."""
        started = time.monotonic()
        with self._database.read() as connection:
            newest = last_seq(connection)
        if newest == self._copy.seen:
            self._copy.rest(_POLL_S)
            return
        ratio = _REST_RATIO if newest == self._newest else _REST_RATIO_WHILE_RECORDING
        self._newest = newest
        self._copy.tell(self._projector.step().seq)
        self._copy.rest((time.monotonic() - started) * ratio)

    def _begin_anew(self) -> None:
        _log.warning(
            "%s is damaged or belongs to another database, and is begun anew", self._copy.engine.place
        )
        self._copy.begin_anew()
        # One that remembers nothing of the copy before.
        self._projector = Projector(self._database, self._copy.engine)
