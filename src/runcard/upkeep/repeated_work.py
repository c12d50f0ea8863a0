"""A thread that works now and then, beside all that is recorded."""

import logging
import threading
from abc import ABC, abstractmethod

from runcard.domain.errors import Outage
from runcard.intake.arrived_files import Stores
from runcard.store.engine.database import DATABASE_ERRORS

_log = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE_S = 60.0


class RepeatedWork(ABC):
    """Works until it is closed, and again a minute after a database or a disk could not go on.

    name: of the thread. every_s: the pause after it worked. failing: what is said of a failure, before its reason.
    """

    def __init__(self, stores: Stores, *, name: str, every_s: float, failing: str) -> None:
        self._stores = stores
        self._every_s = every_s
        self._failing = failing
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it after the transaction that it is at; what is left is for the next one."""
        self._closing.set()
        self._thread.join()

    @abstractmethod
    def _work(self) -> None:
        """Do all that there is to do now. `_closing` says when to leave the rest."""

    def _loop(self) -> None:
        pause_s = 0.0
        while not self._closing.wait(pause_s):
            try:
                self._work()
                pause_s = self._every_s
            except (*DATABASE_ERRORS, Outage) as error:
                _log.warning("%s, and is tried again in a minute: %s", self._failing, error)
                pause_s = _PAUSE_AFTER_FAILURE_S
