"""Turn records of Python's logging into lines of a run's log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

from runcard_client.report import LogLevel, LogReport
from runcard_client.sender import SENDER_THREAD

_LEVELS: tuple[tuple[int, LogLevel], ...] = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
)


class RunLogHandler(logging.Handler):
    """Hands each record on as a line of a log, except the records of the sending thread, which concern no run."""

    def __init__(self, add_log: Callable[[LogReport], None], level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._add_log = add_log

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == SENDER_THREAD:
            return
        try:
            self._add_log(log_report(record, self.format(record)))
        except (TypeError, ValueError):  # arguments that do not fit the message
            self.handleError(record)


def log_report(record: logging.LogRecord, message: str) -> LogReport:
    """The line of a run's log for a record."""
    logged_at = datetime.fromtimestamp(record.created, timezone.utc)
    return LogReport(level_of(record.levelno), logged_at, message, record.pathname, record.lineno)


def level_of(number: int) -> LogLevel:
    """The level of a number of Python's logging, rounded down: 25 is INFO."""
    return next((level for least, level in _LEVELS if number >= least), "DEBUG")


@contextmanager
def captured(
    logger: logging.Logger | str | None, level: int, add_log: Callable[[LogReport], None]
) -> Iterator[None]:
    """A block that captures the records of a logger and those below it, from this level up. logger: None: all."""
    watched = logger if isinstance(logger, logging.Logger) else logging.getLogger(logger)
    handler = RunLogHandler(add_log, level)
    before = watched.level
    if watched.getEffectiveLevel() > level:
        watched.setLevel(level)
    watched.addHandler(handler)
    try:
        yield
    finally:
        watched.removeHandler(handler)
        watched.setLevel(before)
