"""What fails in a server, as its log tells it: in full when it begins, then a line a minute with how often it happened.

A disk that is full or a database that is away fails thousands of requests, and a traceback for each would fill the
disk further.
"""

import logging
import threading
import traceback
from pathlib import Path

from runcard.domain.errors import Outage, RuncardError
from runcard.domain.text import shortened

_EVERY_S = 60.0
# Of more kinds at the same time, no more than how often they happened is told.
_MOST_KINDS = 20
_OTHERS = "other failures"
# Characters of a traceback; what a statement was given stands in it.
_MOST_TRACEBACK = 8_000


class FailureLog:
    """For any thread. subject: what failed, as each line begins. `close` tells what is left to tell."""

    def __init__(self, log: logging.Logger, subject: str, every_s: float = _EVERY_S) -> None:
        self._log = log
        self._subject = subject
        self._every_s = every_s
        self._is_closed = False
        self._lock = threading.Lock()
        # Kinds that were told, and how often each has happened since.
        self._untold: dict[str, int] = {}
        self._timer: threading.Timer | None = None

    def tell(self, error: Exception) -> None:
        """Tell of a failure, or count it where one of its kind was told within the minute."""
        kind = _kind_of(error)
        with self._lock:
            if kind not in self._untold and len(self._untold) >= _MOST_KINDS:
                kind = _OTHERS
            if kind in self._untold:
                self._untold[kind] += 1
                return
            self._untold[kind] = 0
            if self._timer is None:
                self._start_timer()
        self._log.error("%s: %s", self._subject, kind if kind == _OTHERS else _told(error))

    def tell_counts(self) -> None:
        """Tell how often each kind has happened since it was told last; one that has not is told in full again."""
        with self._lock:
            counts = {kind: count for kind, count in self._untold.items() if count}
            self._untold = dict.fromkeys(counts, 0)
            self._timer = None
            if counts:
                self._start_timer()
        for kind, count in counts.items():
            times = f"{count:,}".replace(",", " ")
            self._log.error("%s: %s: %s more in the last minute", self._subject, kind, times)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
        self.tell_counts()

    def _start_timer(self) -> None:
        if self._is_closed:
            return
        self._timer = threading.Timer(self._every_s, self.tell_counts)
        self._timer.daemon = True
        self._timer.start()


def _kind_of(error: Exception) -> str:
    """What failures have in common: for an outage what is wrong, for others their class and where they were raised."""
    if isinstance(error, RuncardError):
        return error.message.partition(". ")[0]
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _told(error: Exception) -> str:
    if isinstance(error, Outage) and error.detail:
        return f"{_kind_of(error)} ({' '.join(error.detail.split())})"
    if isinstance(error, RuncardError):
        return error.message
    return shortened("".join(traceback.format_exception(error)).rstrip(), _MOST_TRACEBACK)
