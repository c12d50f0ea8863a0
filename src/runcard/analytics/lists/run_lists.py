"""Lists of runs, found in the copy if no index of the database leads to a page, and read from the database.

If the copy cannot answer, the database makes the list.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.conditions import microseconds_between
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.columns import columns_of
from runcard.analytics.copy.engines.engine import CopyCursor
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
    """The order of runs `r`, and the joins that it needs.

    numbered: runs are ordered by the number of this record, which the copy lacks; `n` are the numbers, by id.
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
    """A page of runs, as `store.runs.records.list_runs` returns it."""

    if not _has_index(run_filter, order):
        found = find_runs(copy, scope, run_filter, order, page, descending=descending)
        if found is not None:
            return found
    return runs_of_truth(scope, run_filter, order, page, descending=descending)


def count_runs(copy: ColumnarCopy | None, scope: Scope, run_filter: RunFilter, at_most: int) -> int | None:
    """How many runs a filter matches, at most `at_most`.

    None if the copy cannot answer and the database would have to read every run.
    """

    def count(cursor: CopyCursor, runs: MatchingRuns) -> int:
        conditions = runs.themselves()
        query = f"SELECT count(*) FROM (SELECT 1 FROM runs r WHERE {conditions.sql} LIMIT {at_most})"
        [(found,)] = cursor.execute(query, conditions.values).fetchall()
        return int(found)

    is_looked_up = run_filter.is_noted or run_filter.search_query is not None or run_filter.metadata
    if _has_index(run_filter, "started_at") and not is_looked_up:
        return count_runs_of_truth(scope, run_filter, at_most)
    return find_in_copy(copy, scope, run_filter, Page(at_most), count)


def latest_runs(snapshot: Snapshot, run_filter: RunFilter, count: int) -> Sequence[RunRecord]:
    """The runs that started last, latest first."""
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
    """The page as the copy finds it; None if it cannot answer."""

    def find(cursor: CopyCursor, runs: MatchingRuns) -> list[UUID]:
        return _find(cursor, scope, runs, _ORDERS[order], page, descending=descending)

    ids = find_in_copy(copy, scope, run_filter, page, find)
    if ids is None:
        return None
    return Listed(read_runs(scope, ids[: page.limit]), len(ids) > page.limit)


def _has_index(run_filter: RunFilter, order: RunSort) -> bool:
    """Whether an index of the database leads to the runs of a filter, or along the order past few others."""
    if any(one is not None for one in (run_filter.ids, run_filter.serial_numbers, run_filter.execution_ids)):
        return True
    # The database looks these up in any case.
    run_filter = replace(run_filter, search_query=None, metadata=(), tags=None, causes=None)
    if order == "started_at":
        run_filter = replace(run_filter, started_after=None, started_before=None)
        if run_filter.procedure_ids is not None and len(run_filter.procedure_ids) == 1:
            run_filter = replace(run_filter, procedure_ids=None)
    return order in ("started_at", "created_at") and run_filter == RunFilter()


def _find(
    cursor: CopyCursor,
    scope: Scope,
    runs: MatchingRuns,
    order: _Order,
    page: Page,
    *,
    descending: bool,
) -> list[UUID]:
    """The ids of a page, and one more id if more runs follow."""
    conditions, way = runs.themselves(), "DESC" if descending else "ASC"
    if order.numbered is not None:
        query = f"SELECT DISTINCT r.{order.numbered} FROM runs r WHERE {conditions.sql}"
        ids = [id_ for (id_,) in cursor.execute(query, conditions.values).fetchall()]
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
