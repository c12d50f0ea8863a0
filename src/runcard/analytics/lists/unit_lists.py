"""Lists of units, found in the copy and read from the database: all units by their last run, or a few by their runs.

If the copy cannot answer, and for other filters, the database makes the list.
"""

from collections.abc import Mapping, Set
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.conditions import Conditions
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.columns import columns_of
from runcard.analytics.copy.engines.engine import CopyCursor
from runcard.analytics.lists.matching_runs import MatchingRuns, ask_copy, find_in_copy
from runcard.store.commit.changes import last_seq
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed, Page, created_since
from runcard.store.lists.run_filter import RunFilter
from runcard.store.procedures.rows import rank_by_name
from runcard.store.units.lists import UnitFilter, UnitSort, read_listed_units
from runcard.store.units.lists import list_units as units_of_truth
from runcard.store.units.records import UnitRecord

# The order of units by their last run, and the joins that it needs. `p`: the places of procedures by name.
_ORDERS: Mapping[UnitSort, tuple[str, str]] = {
    "last_run_at": ("max(r.started_at)", ""),
    "last_run_procedure": (
        "arg_max(p.place, (r.started_at, r.id))",
        "JOIN places p ON p.procedure = r.procedure",
    ),
}
# The most units that are newer than a page's state: the database leaves out more of them faster.
_MAX_NEWER = 10_000
# The most units that have such runs: of more, the database finds a page as fast by reading one unit after the other.
MAX_WITH_RUN = 2_000


def list_units(
    copy: ColumnarCopy | None,
    scope: Scope,
    unit_filter: UnitFilter,
    order: UnitSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[UnitRecord]:
    """A page of units, as `store.units.lists.list_units` returns it."""
    if order in _ORDERS and unit_filter.is_empty:
        found = find_units(copy, scope, order, page, descending=descending)
        if found is not None:
            return found
    unit_filter = by_ids(copy, scope, unit_filter)
    return units_of_truth(scope, unit_filter, order, page, descending=descending)


def by_ids(copy: ColumnarCopy | None, scope: Scope, unit_filter: UnitFilter) -> UnitFilter:
    """The filter with the ids of units in place of the conditions on their runs, if the copy finds few such units."""
    for field in ("with_run", "with_newest_run"):
        runs: RunFilter | None = getattr(unit_filter, field)
        if runs is None:
            continue
        found = _units_with(copy, scope, runs, is_newest=field == "with_newest_run")
        if found is not None:
            ids = found if unit_filter.ids is None else found & set(unit_filter.ids)
            unit_filter = replace(unit_filter, ids=sorted(ids), **{field: None})
    return unit_filter


def _units_with(
    copy: ColumnarCopy | None,
    scope: Scope,
    runs: RunFilter,
    *,
    is_newest: bool,
) -> Set[UUID] | None:
    """The units with a matching run, or whose newest run matches; None if they are many or the copy cannot answer."""

    def find(cursor: CopyCursor, matching: MatchingRuns) -> Set[UUID]:
        conditions = matching.themselves()
        if is_newest:
            later = "l.unit = r.unit AND (l.started_at, l.id) > (r.started_at, r.id) AND l.run <= ?"
            conditions.add(f"NOT EXISTS (SELECT 1 FROM runs l WHERE {later})", matching.newest)
        query = f"SELECT DISTINCT r.unit FROM runs r WHERE {conditions.sql} LIMIT {MAX_WITH_RUN + 1}"
        return {unit_id for (unit_id,) in cursor.execute(query, conditions.values).fetchall()}

    found = find_in_copy(copy, scope, runs, Page(1), find)
    return None if found is None or len(found) > MAX_WITH_RUN else found


def find_units(
    copy: ColumnarCopy | None,
    scope: Scope,
    order: UnitSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[UnitRecord] | None:
    """A page of all units by their last runs, as the copy finds it; None if it cannot answer."""
    seen = last_seq(scope.connection)
    if copy is None or not copy.is_fresh(seen):
        return None
    newer = created_since(scope.connection, page, "unit_created")
    if len(newer) > _MAX_NEWER:
        return None

    def find(cursor: CopyCursor) -> list[UUID] | None:
        # The copy does not know when a unit was created. So if it is ahead of the connection, it cannot leave out the
        # newer units.
        if cursor.execute("SELECT seq FROM copy_state").fetchall() != [(seen,)]:
            return None
        if order == "last_run_procedure":
            _register_places(cursor, scope)
        units = Conditions()
        units.add("u.organization = ?", scope.organization_id)
        if newer:
            units.add(f"u.id NOT IN ({', '.join('?' for _ in newer)})", *newer)
        return _find(cursor, scope.organization_id, units, order, page, descending=descending)

    ids = ask_copy(copy, find)
    if ids is None:
        return None
    on_page = Listed(ids[: page.limit], len(ids) > page.limit)
    return read_listed_units(scope, on_page)


def _find(
    cursor: CopyCursor,
    organization_id: UUID,
    units: Conditions,
    order: UnitSort,
    page: Page,
    *,
    descending: bool,
) -> list[UUID]:
    """The ids of a page, and one more id if more units follow."""
    key, joins = _ORDERS[order]
    ordered = "n.key DESC NULLS LAST, u.id DESC" if descending else "n.key ASC NULLS FIRST, u.id ASC"
    found = cursor.execute(
        f"SELECT u.id FROM units u LEFT JOIN (SELECT r.unit, {key} AS key FROM runs r {joins} "
        f"WHERE r.organization = ? GROUP BY r.unit) n ON n.unit = u.id WHERE {units.sql} "
        f"ORDER BY {ordered} LIMIT {page.limit + 1} OFFSET {page.offset}",
        [organization_id, *units.values],
    )
    return [unit_id for (unit_id,) in found.fetchall()]


def _register_places(cursor: CopyCursor, scope: Scope) -> None:
    """Make the table `places`: the place of each procedure that has runs, by name. The copy has no names."""
    query = "SELECT id, procedure FROM procedures WHERE organization = ?"
    numbers = dict(cursor.execute(query, [scope.organization_id]).fetchall())
    ranked = rank_by_name(scope, numbers.keys())
    no_procedure = (0, 0)  # so that there is a row even if nothing has run yet
    rows = [no_procedure, *((numbers[procedure_id], place) for procedure_id, place in ranked)]
    cursor.register("places", columns_of({"procedure": "INTEGER", "place": "INTEGER"}, rows))
