"""The log of failures: each kind is logged in full at first, then one line a minute says how often it happened.

A full disk or a missing database fails thousands of requests, and a traceback for each would fill the disk further.
"""

import logging
import threading
import traceback
from pathlib import Path

from runcard.domain.errors import Outage, RuncardError
from runcard.domain.text import shortened
from runcard.log_lines import MOST_TRACEBACK

_EVERY_S = 60.0
# If there are more kinds at the same time, the others are only counted.
_MOST_KINDS = 20
_OTHERS = "other failures"
# Characters of what a defect says of itself, which may quote a whole statement.
_MOST_SUMMARY = 500


class FailureLog:
    """Any thread may use it. subject: the beginning of each line. `close` logs the last counts."""

    def __init__(self, log: logging.Logger, subject: str, every_s: float = _EVERY_S) -> None:
        self._log = log
        self._subject = subject
        self._every_s = every_s
        self._is_closed = False
        self._lock = threading.Lock()
        # The kinds that were logged, and how often each has happened since.
        self._unlogged: dict[str, int] = {}
        self._timer: threading.Timer | None = None

    def tell(self, error: Exception) -> None:
        """Log a failure, or only count it where one of its kind was logged within the last minute."""
        kind = _kind_of(error)
        with self._lock:
            if kind not in self._unlogged and len(self._unlogged) >= _MOST_KINDS:
                kind = _OTHERS
            if kind in self._unlogged:
                self._unlogged[kind] += 1
                return
            self._unlogged[kind] = 0
            if self._timer is None:
                self._start_timer()
        if kind == _OTHERS:
            self._log.error("%s: %s", self._subject, kind)
        elif isinstance(error, RuncardError):
            self._log.error("%s: %s", self._subject, _full_text(error))
        else:
            self._tell_defect(error)

    def _tell_defect(self, error: Exception) -> None:
        traceback_text = shortened("".join(traceback.format_exception(error)).rstrip(), MOST_TRACEBACK)
        summary = shortened(f"{self._subject}: {type(error).__name__}: {error}", _MOST_SUMMARY)
        # What makes JSON lines takes the two apart.
        parts = {"summary": summary, "traceback": traceback_text}
        self._log.error("%s: %s", self._subject, traceback_text, extra=parts)

    def tell_counts(self) -> None:
        """Log how often each kind has happened since it was last logged.

        A kind that has not happened again is logged in full when it comes back.
        """
        with self._lock:
            counts = {kind: count for kind, count in self._unlogged.items() if count}
            self._unlogged = dict.fromkeys(counts, 0)
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
    """The kind of a failure: the first sentence of a Runcard error; the class and place of any other error."""
    if isinstance(error, RuncardError):
        return error.message.partition(". ")[0]
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"


def _full_text(error: RuncardError) -> str:
    if isinstance(error, Outage) and error.detail:
        return f"{_kind_of(error)} ({' '.join(error.detail.split())})"
    return error.message
