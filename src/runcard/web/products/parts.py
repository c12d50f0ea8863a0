"""The list of parts."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.analytics.questions.yields.first_pass_yield import YieldRow
from runcard.analytics.snapshot import Snapshot
from runcard.edge.requests.services import WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed, Page
from runcard.store.lists.part_numbers import list_former_part_numbers
from runcard.store.lists.run_filter import RunFilter
from runcard.store.products.parts import PartFilter, PartRecord, RevisionRow, list_parts, list_revisions
from runcard.store.units.members import count_units
from runcard.web.charts.first_pass_yield import YieldCell, yield_cells, yield_rows
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.frame.render import render
from runcard.web.frame.urls import part_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import FilterBar, choice_field, hidden_fields, page_query, text_field, url_of
from runcard.web.lists.headings import Direction, Heading, SortColumn, headings
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of

router = APIRouter()

_HERE = "/parts"
_COLUMNS = [
    SortColumn("Part", "number"),
    SortColumn("Name", "name"),
    SortColumn("Revisions"),
    SortColumn("Units", is_number=True),
    SortColumn("First-pass yield", is_number=True),
    SortColumn("Created", "created_at"),
]
_SHEET = [
    SheetColumn("Part"),
    SheetColumn("Name"),
    SheetColumn("Revisions"),
    SheetColumn("Units", "number"),
    SheetColumn("First-pass yield", "ratio"),
    SheetColumn("First runs", "number"),
    SheetColumn("Created", "moment"),
]


State = Literal["archived"]
_STATES = {"": "In use", "archived": "Archived"}


class PartsQuery(Struct, kw_only=True):
    """search: part of the part's number, a former one or the name, or of a revision's number. state: None: in use."""

    search: str | None = None
    state: State | None = None
    sort: Literal["number", "name", "created_at"] = "number"
    order: Direction = "asc"
    cursor: Cursor | None = None


class PartLine(NamedTuple):
    """formerly: its former numbers. first_pass: over all time; None if it is not known."""

    url: str
    number: str
    formerly: str
    name: str
    revisions: str
    units: str
    first_pass: YieldCell | None
    created_at: Moment


class PartsPage(NamedTuple):
    filters: FilterBar
    headings: Sequence[Heading]
    parts: Sequence[PartLine]
    pager: Pager
    files: TableFiles
    is_filtered: bool
    voided: int


@router.get(_HERE)
def show_parts(
    services: WithServices, visit: WithVisit, query: Annotated[PartsQuery, page_query(PartsQuery)]
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        at = list_page(scope.connection, query.cursor)
        listed = _listed(scope, query, at)
        ids = [part.id for part in listed.rows]
        revisions = list_revisions(scope, ids)
        former = list_former_part_numbers(scope, ids)
        units = count_units(scope, "part", ids)
        numbers = [part.number for part in listed.rows]
        first_pass = yield_cells(snapshot, visit, RunFilter(part_numbers=numbers), "part")
    page = PartsPage(
        _filters(query),
        headings(
            _COLUMNS,
            query.sort,
            query.order,
            lambda sort, order: url_of(_HERE, query, sort=sort, order=order, cursor=None),
        ),
        [
            PartLine(
                part_url(part.number),
                part.number,
                ", ".join(former.get(part.id, ())),
                _name(part),
                _numbers(revisions.get(part.id, ())),
                count_text(units.get(part.id, 0)),
                first_pass.get(part.id),
                moment_of(part.created_at, visit.zone),
            )
            for part in listed.rows
        ],
        pager(at, listed, lambda cursor: url_of(_HERE, query, cursor=cursor)),
        files=files_of(_HERE, query, "cursor"),
        is_filtered=query.search is not None or query.state is not None,
        voided=snapshot.voided,
    )
    return render("products/parts.html", page, visit)


@file_route(router, _HERE, PartsQuery, "Parts", _SHEET)
def list_all_parts(ask: FileAsk[PartsQuery]) -> Rows:
    """All parts that the filter finds, in the order of the page."""

    def cells(scope: Scope, some: Sequence[PartRecord]) -> Sequence[Sequence[Cell]]:
        ids = [part.id for part in some]
        revisions = list_revisions(scope, ids)
        units = count_units(scope, "part", ids)
        runs = RunFilter(part_numbers=[part.number for part in some])
        with Snapshot(ask.services.copy, scope) as snapshot:
            yields = yield_rows(snapshot, ask.visit, runs, "part")
        return [
            _cells(one, revisions.get(one.id, ()), units.get(one.id, 0), yields.get(one.id)) for one in some
        ]

    return ask.whole_list(lambda scope, page: _listed(scope, ask.query, page), cells)


def _filters(query: PartsQuery) -> FilterBar:
    fields = [
        text_field("search", "Number or name contains", query.search),
        choice_field("state", "State", query.state, list(_STATES.items())),
    ]
    return FilterBar(_HERE, fields, hidden_fields(query, "sort", "order"))


def _listed(scope: Scope, query: PartsQuery, page: Page) -> Listed[PartRecord]:
    part_filter = PartFilter(query.search, archived=query.state == "archived")
    return list_parts(scope, part_filter, query.sort, page, descending=query.order == "desc")


def _cells(
    part: PartRecord, revisions: Sequence[RevisionRow], units: int, first_pass: YieldRow | None
) -> Sequence[Cell]:
    return [
        part.number,
        _name(part),
        _numbers(revisions),
        units,
        None if first_pass is None else first_pass.first_pass.ratio,
        None if first_pass is None else first_pass.units,
        part.created_at,
    ]


def _name(part: PartRecord) -> str:
    return "" if part.name == part.number else part.name


def _numbers(revisions: Sequence[RevisionRow]) -> str:
    return ", ".join(one.number for one in revisions)
