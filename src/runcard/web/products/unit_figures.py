"""What the pages of parts, revisions and batches share: figures below a filter bar, and a list of their units."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args

from runcard.analytics.attempts import First
from runcard.analytics.snapshot import Snapshot
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import list_choices
from runcard.store.units.lists import UnitFilter
from runcard.web.charts.first_pass_yield import YieldQuestions
from runcard.web.frame.visit import Visit
from runcard.web.lists.filters import FigureQuery, FilterBar, attempts_field, filter_bar, selection_of, url_of
from runcard.web.lists.headings import Direction
from runcard.web.lists.pager import Cursor
from runcard.web.lists.table_files import TableFiles, files_of
from runcard.web.units.rows import Sorting, UnitList, UnitListQuery, UnitOrder, UnitsQuery, unit_list

_UNITS = 20


class UnitFiguresQuery(FigureQuery, kw_only=True):
    """The filter is for the figures; sort, order and cursor are for the units."""

    sort: UnitOrder = "created_at"
    order: Direction = "desc"
    cursor: Cursor | None = None


def questions(
    snapshot: Snapshot, visit: Visit, query: UnitFiguresQuery, **own: Sequence[str]
) -> YieldQuestions:
    """The yields of the runs that the query finds among those of the page's own record."""
    selection = selection_of(query, visit.zone, datetime.now(UTC))
    return YieldQuestions(snapshot, visit, selection).narrowed(**own)


def figures_bar(scope: Scope, here: str, query: UnitFiguresQuery, without: Sequence[str]) -> FilterBar:
    # The figures of these pages are yields, so only the choices of attempts that a yield knows are offered.
    of_yields = attempts_field(query, "first", get_args(First))
    choices = list_choices(scope)
    bar = filter_bar(here, query, choices, without, [of_yields])
    return bar._replace(kept=[pair for pair in bar.kept if pair[0] != "cursor"])


def own_units(scope: Scope, visit: Visit, here: str, query: UnitFiguresQuery, own: UnitFilter) -> UnitList:
    """The units of the page's own record, whatever the filter of its figures."""

    def url(**changes: object) -> str:
        return f"{url_of(here, query, **changes)}#units"

    sorting = Sorting(query.sort, query.order)
    units = unit_list(
        scope,
        UnitListQuery(own, sorting, query.cursor, visit.zone, _UNITS),
        url,
    )
    return units._replace(files=_files(query, own))


def _files(query: UnitFiguresQuery, own: UnitFilter) -> TableFiles:
    """The files of the list of all units, filtered to these units."""

    def only(numbers: Sequence[str] | None) -> str | None:
        return numbers[0] if numbers else None

    units = UnitsQuery(
        part=only(own.part_numbers),
        revision=only(own.revision_numbers),
        batch=only(own.batch_numbers),
        sort=query.sort,
        order=query.order,
    )
    return files_of("/units", units)
