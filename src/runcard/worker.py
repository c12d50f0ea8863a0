"""A thread that brings the columnar copy up to what is committed, in bursts that leave the machine to the stations."""

import logging
import threading
import time

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import CopyFailed
from runcard.analytics.copy.projector import AnotherHistory, Projector
from runcard.failure_log import FailureLog
from runcard.store.commit.changes import last_seq
from runcard.store.engine.database import Database
from runcard.store.engine.outages import outage_of

_log = logging.getLogger(__name__)

# Between two looks at whether something has happened.
_POLL_S = 0.2
# Rests for so many times as long as it worked: while runs are recorded, these have four fifths of what both want.
_REST_RATIO_WHILE_RECORDING = 4.0
_REST_RATIO = 0.25
# After a failure: whatever it was may take a while to pass.
_PAUSE_S = 1.0


class Worker:
    """Follows the truth into the copy until it is closed."""

    def __init__(self, database: Database, copy: ColumnarCopy) -> None:
        self._database = database
        self._copy = copy
        self._projector = Projector(database, copy.engine)
        self._failures = FailureLog(_log, "the columnar copy was not brought up to date")
        self._newest = 0
        self._thread = threading.Thread(target=self._loop, name="runcard-worker", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it after the step that it is at, and the copy with it."""
        self._copy.close()
        self._thread.join()
        self._failures.close()
        self._copy.engine.close()

    def _loop(self) -> None:
        while not self._copy.is_closed:
            try:
                if self._copy.is_damaged:
                    self._begin_anew()
                self._follow()
            # Nothing that goes wrong with the copy may end the server, nor the following of what comes next.
            except Exception as error:
                self._failures.tell(outage_of(error) or error)
                if isinstance(error, AnotherHistory) or (isinstance(error, CopyFailed) and error.is_damaged):
                    self._copy.distrust()
                else:
                    self._copy.tell(None)
                self._copy.pause(_PAUSE_S)

    def _follow(self) -> None:
        """Take a step where something has happened or nothing is known yet, then rest."""
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
        _log.warning("%s is damaged or of another history, and is begun anew", self._copy.engine.path)
        self._copy.begin_anew()
        # One that remembers nothing of the copy before.
        self._projector = Projector(self._database, self._copy.engine)
