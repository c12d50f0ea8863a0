"""The list of units."""

from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from runcard.edge.requests.services import WithServices
from runcard.exports.spreadsheets import Rows
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import list_choices
from runcard.store.lists.pages import Listed, Page
from runcard.store.units.lists import UnitFilter, list_units
from runcard.store.units.records import UnitRecord
from runcard.web.frame.render import render
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import (
    Choice,
    Field,
    FilterBar,
    filter_bar,
    hidden_fields,
    page_query,
    run_filter_of,
    url_of,
)
from runcard.web.lists.search_bar import search_field
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of
from runcard.web.units.rows import (
    UNIT_SHEET,
    Sorting,
    UnitList,
    UnitListQuery,
    UnitsQuery,
    unit_cells,
    unit_list,
)

router = APIRouter()

_HERE = "/units"
_SAMPLES = {
    "": "All",
    "production": "Production",
    "golden": "Golden samples",
    "failing": "Failing samples",
    "ignored": "Ignored units",
}


class UnitsPage(NamedTuple):
    """is_filtered: the filter may leave out some units. bulk_url: where all of them are changed; empty for viewers."""

    filters: FilterBar
    list: UnitList
    files: TableFiles
    is_filtered: bool
    bulk_url: str


@router.get(_HERE)
def show_units(
    services: WithServices, visit: WithVisit, query: Annotated[UnitsQuery, page_query(UnitsQuery)]
) -> Response:
    unit_filter = unit_filter_of(query, visit.zone)
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        units = unit_list(
            scope,
            UnitListQuery(unit_filter, Sorting(query.sort, query.order), query.cursor, visit.zone),
            lambda **changes: url_of(_HERE, query, **changes),
        )
        choices = list_choices(scope)
    bar = filter_bar(_HERE, query, choices, without=("procedure", "station", "version", "sample"))
    page = UnitsPage(
        filters=FilterBar(
            _HERE,
            [search_field("Serial number contains", query.search), *bar.fields, _sample(query)],
            hidden_fields(query, "sort", "order"),
        ),
        list=units,
        files=files_of(_HERE, query, "cursor"),
        is_filtered=unit_filter != UnitFilter(),
        bulk_url="" if visit.actor.role == "viewer" else url_of("/bulk/units", query, cursor=None),
    )
    return render("units/units.html", page, visit)


@file_route(router, _HERE, UnitsQuery, "Units", UNIT_SHEET)
def list_all_units(ask: FileAsk[UnitsQuery]) -> Rows:
    """All units that the filter finds, in the order of the page."""
    query = ask.query
    unit_filter = unit_filter_of(query, ask.visit.zone)

    def list_page_of_units(scope: Scope, page: Page) -> Listed[UnitRecord]:
        return list_units(scope, unit_filter, query.sort, page, descending=query.order == "desc")

    return ask.whole_list(list_page_of_units, unit_cells)


def unit_filter_of(query: UnitsQuery, zone: ZoneInfo) -> UnitFilter:
    """The filter for the units of the list. Raises InvalidInput."""
    runs = run_filter_of(query, zone, datetime.now(UTC))
    return UnitFilter(
        search=query.search,
        part_numbers=runs.part_numbers,
        revision_numbers=runs.revision_numbers,
        batch_numbers=runs.batch_numbers,
        samples=runs.samples,
        tags=runs.tags,
        causes=runs.causes,
        created_after=runs.started_after,
        created_before=runs.started_before,
    )


def _sample(query: UnitsQuery) -> Field:
    chosen = query.sample or ""
    choices = [Choice(value, name, value == chosen) for value, name in _SAMPLES.items()]
    return Field("sample", "Unit class", chosen, choices, is_text=False)
