"""The runs in the copy that a filter matches, for lists of runs and of what is inside them."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from runcard.analytics.conditions import Conditions, on_runs, procedure_numbers
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.engine import CopyCursor, CopyFailed
from runcard.store.commit.changes import last_seq
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.resolved_filter import resolve

_log = logging.getLogger(__name__)

T = TypeVar("T")


class MatchingRuns(NamedTuple):
    """Runs of these procedures, up to the newest one, that meet other conditions on `runs r`."""

    procedures: Sequence[int]
    newest: int
    others: Conditions

    def themselves(self) -> Conditions:
        """The conditions on runs `r`."""
        return self._on("r").and_of(self.others)

    def what_lies_inside(self) -> Conditions:
        """The conditions on rows `x` of what is inside runs."""
        rows = self._on("x")
        if not self.others.is_empty:
            rows.add(f"x.run IN (SELECT r.run FROM runs r WHERE {self.others.sql})", *self.others.values)
        return rows

    def _on(self, name: str) -> Conditions:
        found = Conditions()
        found.one_of(f"{name}.procedure", self.procedures, "INTEGER")
        found.add(f"{name}.run <= ?", self.newest)
        return found


def find_in_copy(
    copy: ColumnarCopy | None,
    scope: Scope,
    runs: RunFilter,
    page: Page,
    find: Callable[[CopyCursor, MatchingRuns], T],
) -> T | None:
    """What `find` finds for a page; None if there is no copy, it has not seen all changes in time, or it failed."""
    if copy is None:
        return None
    seen = last_seq(scope.connection)
    if not copy.is_fresh(seen):
        return None
    runs = with_merges(scope, runs)
    resolved = resolve(scope, runs)
    if resolved is None:
        return None
    # The copy may be ahead of the connection. Runs that the connection does not see yet must not be found.
    newest = min(seen, seen if page.snapshot is None else page.snapshot)

    def find_matching(cursor: CopyCursor) -> T:
        procedures = procedure_numbers(cursor, scope.organization_id, runs.procedure_ids)
        return find(cursor, MatchingRuns(procedures, newest, on_runs(runs, resolved)))

    return ask_copy(copy, find_matching)


def ask_copy(copy: ColumnarCopy, find: Callable[[CopyCursor], T]) -> T | None:
    """What `find` finds in one state of the copy; None if the copy failed."""
    try:
        with copy.transaction() as cursor:
            return find(cursor)
    except CopyFailed as error:
        _log.warning("The columnar copy failed, so the database answers: %s", error)
        if error.is_damaged:
            copy.distrust()
        return None
