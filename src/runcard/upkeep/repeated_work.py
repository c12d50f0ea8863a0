"""A thread that does its work again and again, while runs are recorded."""

import logging
import threading
from abc import ABC, abstractmethod

from runcard.domain.errors import Outage
from runcard.intake.arrived_files import Stores
from runcard.store.engine.database import DATABASE_ERRORS

_log = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE_S = 60.0


class RepeatedWork(ABC):
    """Does its work again and again until it is closed. After a failure of the database or a disk it waits a minute.

    name: of the thread. every_s: the pause after its work. failing: the log line of a failure, before the reason.
    """

    def __init__(self, stores: Stores, *, name: str, every_s: float, failing: str) -> None:
        self._stores = stores
        self._every_s = every_s
        self._failing = failing
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread after its current transaction; the next start continues with the rest."""
        self._closing.set()
        self._thread.join()

    @abstractmethod
    def _work(self) -> None:
        """Do everything that is due now. Stop early when `_closing` is set."""

    def _loop(self) -> None:
        pause_s = 0.0
        while not self._closing.wait(pause_s):
            try:
                self._work()
                pause_s = self._every_s
            except (*DATABASE_ERRORS, Outage) as error:
                _log.warning("%s; next try in a minute: %s", self._failing, error)
                pause_s = _PAUSE_AFTER_FAILURE_S
