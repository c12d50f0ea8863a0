"""The log lines of runs: the filter and the orders of their list."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from runcard.domain.errors import LogNotFound
from runcard.domain.ids import RunPart
from runcard.domain.runs.inside import LogLine, lines_of
from runcard.domain.runs.outcome import LOG_LEVELS, LogLevel
from runcard.store.contents.inside_runs import (
    Found,
    Kind,
    ScannedRun,
    is_among,
    is_within,
)

LogSort = Literal["created_at", "level", "run_id", "outcome"]

FoundLog = Found[LogLine]


class LogFilter(Struct, frozen=True, kw_only=True):
    """Conditions that a line must all meet. None: no condition. Bounds are inclusive.

    search: part of the message, in any case.
    """

    search: str | None = None
    levels: Collection[LogLevel] | None = None
    source_files: Collection[str] | None = None
    logged_after: datetime | None = None
    logged_before: datetime | None = None

    @property
    def ids(self) -> None:
        """None: no list of logs is filtered by ids."""
        return

    def keeps(self, line: LogLine) -> bool:
        log = line.log
        return (
            is_among(self.levels, log.level)
            and is_among(self.source_files, log.source_file)
            and is_within(self.logged_after, self.logged_before, log.timestamp)
            and (self.search is None or self.search.casefold() in log.message.casefold())
        )


# `created_at` is when a line was logged, `outcome` is the outcome of its run. Levels are sorted by severity.
LOG_ORDERS: Mapping[LogSort, Callable[[ScannedRun, LogLine], Any]] = {
    "created_at": lambda _run, line: line.log.timestamp,
    "level": lambda _run, line: LOG_LEVELS.index(line.log.level),
    "run_id": lambda run, _line: run.id.int,
    "outcome": lambda run, _line: run.outcome,
}

LOGS = Kind(RunPart.LOG, lines_of, LOG_ORDERS, LogNotFound)
