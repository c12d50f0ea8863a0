"""Reading logs: lists of them, and one by its id."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from runcard.domain.errors import LogNotFound
from runcard.domain.ids import RunPart
from runcard.domain.runs.inside import LogLine, lines_of
from runcard.domain.runs.outcome import LOG_LEVELS, LogLevel
from runcard.store.contents.inside_runs import (
    Deadline,
    Found,
    Kind,
    ScannedRun,
    Wanted,
    find_inside,
    is_among,
    is_within,
    list_inside,
)
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed, Page
from runcard.store.lists.run_filter import RunFilter

LogSort = Literal["created_at", "level", "run_id", "outcome"]

FoundLog = Found[LogLine]

LOGS = Kind(RunPart.LOG, lines_of)


class LogFilter(Struct, frozen=True, kw_only=True):
    """Conditions that a line must keep, all of them; None asks for nothing. Bounds are inclusive.

    search: part of the message, in any case.
    """

    search: str | None = None
    levels: Collection[LogLevel] | None = None
    source_files: Collection[str] | None = None
    logged_after: datetime | None = None
    logged_before: datetime | None = None

    def keeps(self, line: LogLine) -> bool:
        log = line.log
        return (
            is_among(self.levels, log.level)
            and is_among(self.source_files, log.source_file)
            and is_within(self.logged_after, self.logged_before, log.timestamp)
            and (self.search is None or self.search.casefold() in log.message.casefold())
        )


LOG_ORDERS: Mapping[LogSort, Callable[[ScannedRun, LogLine], Any]] = {
    "created_at": lambda _run, line: line.log.timestamp,
    "level": lambda _run, line: LOG_LEVELS.index(line.log.level),
    "run_id": lambda run, _line: run.id.int,
    "outcome": lambda run, _line: run.outcome,
}


def list_logs(
    scope: Scope,
    runs: RunFilter,
    log_filter: LogFilter,
    order: LogSort,
    page: Page,
    deadline: Deadline,
    *,
    descending: bool,
) -> Listed[FoundLog]:
    """A page of what some runs logged in one of the LOG_ORDERS; see `store.contents.inside_runs.list_inside`.

    `created_at` is when a line was logged, and `outcome` that of its run; levels go by how severe they are.
    """
    asked = Wanted(runs, None, log_filter.keeps, LOG_ORDERS[order], descending)
    return list_inside(scope, LOGS, asked, page, deadline)


def get_log(scope: Scope, log_id: UUID) -> FoundLog:
    """The line with this id. Raises LogNotFound."""
    found = find_inside(scope, LOGS, log_id)
    if found is None:
        raise LogNotFound(log_id)
    return found
