"""Lists of runs, found in the copy where no index of the truth leads to a page, and read from the truth.

Where the copy cannot tell, the truth makes the list.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.conditions import microseconds_between
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.columns import columns_of
from runcard.analytics.copy.engines.duckdb import Cursor
from runcard.analytics.lists.matching_runs import MatchingRuns, find_in_copy
from runcard.analytics.snapshot import Snapshot
from runcard.store.engine.scope import Scope
from runcard.store.lists.number_keys import Numbered, read_number_keys
from runcard.store.lists.pages import Listed, Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.matches import count_runs as count_runs_of_truth
from runcard.store.runs.records import RunRecord, RunSort, read_runs
from runcard.store.runs.records import list_runs as runs_of_truth


class _Order(NamedTuple):
    """What runs `r` are ordered by, and what is joined to them for that.

    numbered: by the number of that, which the copy does not have: `n` are the numbers of those that runs refer to.
    """

    key: str
    joins: str = ""
    numbered: Numbered | None = None


_ORDERS: Mapping[RunSort, _Order] = {
    "started_at": _Order("r.started_at"),
    "created_at": _Order("r.id"),
    "duration": _Order(microseconds_between("r.started_at", "r.ended_at")),
    "outcome": _Order("r.outcome"),
    "serial_number": _Order("u.serial_key", "JOIN units u ON u.id = r.unit"),
    "part_number": _Order("n.number_key", "JOIN numbers n ON n.id = r.part", "part"),
    "revision_number": _Order("n.number_key", "JOIN numbers n ON n.id = r.revision", "revision"),
}


def list_runs(
    copy: ColumnarCopy | None,
    scope: Scope,
    run_filter: RunFilter,
    order: RunSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[RunRecord]:
    """As `store.runs.records.list_runs`."""

    if not _has_index(run_filter, order):
        found = find_runs(copy, scope, run_filter, order, page, descending=descending)
        if found is not None:
            return found
    return runs_of_truth(scope, run_filter, order, page, descending=descending)


def count_runs(copy: ColumnarCopy | None, scope: Scope, run_filter: RunFilter, at_most: int) -> int | None:
    """Return how many runs a filter finds. Counting stops at `at_most`.

    None where the copy cannot tell and the truth would have to look at every run.
    """

    def count(cursor: Cursor, runs: MatchingRuns) -> int:
        conditions = runs.themselves()
        query = f"SELECT count(*) FROM (SELECT 1 FROM runs r WHERE {conditions.sql} LIMIT {at_most})"
        [(found,)] = cursor.execute(query, conditions.values).fetchall()
        return int(found)

    if _has_index(run_filter, "started_at") and run_filter.search_query is None and not run_filter.metadata:
        return count_runs_of_truth(scope, run_filter, at_most)
    return find_in_copy(copy, scope, run_filter, Page(at_most), count)


def latest_runs(snapshot: Snapshot, run_filter: RunFilter, count: int) -> Sequence[RunRecord]:
    """Those that started last, the latest first."""
    return list_runs(
        snapshot.copy, snapshot.scope, run_filter, "started_at", Page(count), descending=True
    ).rows


def find_runs(
    copy: ColumnarCopy | None,
    scope: Scope,
    run_filter: RunFilter,
    order: RunSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[RunRecord] | None:
    """The page as the copy finds it; None where it cannot tell."""

    def find(cursor: Cursor, runs: MatchingRuns) -> list[UUID]:
        return _find(cursor, scope, runs, _ORDERS[order], page, descending=descending)

    ids = find_in_copy(copy, scope, run_filter, page, find)
    if ids is None:
        return None
    return Listed(read_runs(scope, ids[: page.limit]), len(ids) > page.limit)


def _has_index(run_filter: RunFilter, order: RunSort) -> bool:
    """Whether the truth goes straight to the runs that are wanted, or along their order past few others."""
    if any(one is not None for one in (run_filter.ids, run_filter.serial_numbers, run_filter.execution_ids)):
        return True
    # What these name is looked up in the truth in any case.
    run_filter = replace(run_filter, search_query=None, metadata=())
    if order == "started_at":
        run_filter = replace(run_filter, started_after=None, started_before=None)
        if run_filter.procedure_ids is not None and len(run_filter.procedure_ids) == 1:
            run_filter = replace(run_filter, procedure_ids=None)
    return order in ("started_at", "created_at") and run_filter == RunFilter()


def _find(
    cursor: Cursor,
    scope: Scope,
    runs: MatchingRuns,
    order: _Order,
    page: Page,
    *,
    descending: bool,
) -> list[UUID]:
    """The ids of a page, and of one more where there are more."""
    conditions, way = runs.themselves(), "DESC" if descending else "ASC"
    if order.numbered is not None:
        query = f"SELECT DISTINCT r.{order.numbered} FROM runs r WHERE {conditions.sql}"
        ids = [one for (one,) in cursor.execute(query, conditions.values).fetchall()]
        numbers = read_number_keys(scope, order.numbered, ids)
        if not numbers:
            return []
        cursor.register("numbers", columns_of({"id": "UUID", "number_key": "VARCHAR"}, numbers))
    found = cursor.execute(
        f"SELECT r.id FROM runs r {order.joins} WHERE {conditions.sql} ORDER BY {order.key} {way}, r.id {way} "
        f"LIMIT {page.limit + 1} OFFSET {page.offset}",
        conditions.values,
    )
    return [run_id for (run_id,) in found.fetchall()]
