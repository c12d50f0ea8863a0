"""The list of batches."""

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
from runcard.store.lists.choices import list_choices
from runcard.store.lists.pages import Listed, Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.products.batches import BatchFilter, BatchRecord, list_batches
from runcard.store.units.members import count_units
from runcard.web.charts.first_pass_yield import YieldCell, yield_cells, yield_rows
from runcard.web.frame.facts import creator_name
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.frame.render import render
from runcard.web.frame.urls import batch_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import FilterBar, hidden_fields, note_fields, page_query, url_of
from runcard.web.lists.headings import Direction, Heading, SortColumn, headings
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.search_bar import search_bar
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of
from runcard.web.notes.cells import NOTE_SHEET, NOTHING_NOTED, NotedCell, noted_cells

router = APIRouter()

_HERE = "/batches"
_COLUMNS = [
    SortColumn("Batch", "number"),
    SortColumn("Units", is_number=True),
    SortColumn("First-pass yield", is_number=True),
    SortColumn("Recorded by"),
    SortColumn("Created", "created_at"),
]
_SHEET = [
    SheetColumn("Batch"),
    SheetColumn("Units", "number"),
    SheetColumn("First-pass yield", "ratio"),
    SheetColumn("First runs", "number"),
    SheetColumn("Recorded by"),
    SheetColumn("Created", "moment"),
    *NOTE_SHEET,
]


class BatchesQuery(Struct, kw_only=True):
    """search: part of the number. tag: a name. cause: a code, which stands for its branch."""

    search: str | None = None
    tag: str | None = None
    cause: str | None = None
    sort: Literal["number", "created_at"] = "created_at"
    order: Direction = "desc"
    cursor: Cursor | None = None


class BatchLine(NamedTuple):
    """first_pass: over all time; None if it is not known."""

    url: str
    number: str
    units: str
    first_pass: YieldCell | None
    created_by: str
    created_at: Moment
    noted: NotedCell


class BatchesPage(NamedTuple):
    """nothing: why the list is empty, if the filter may be why."""

    filters: FilterBar
    headings: Sequence[Heading]
    batches: Sequence[BatchLine]
    pager: Pager
    files: TableFiles
    nothing: str
    voided: int


@router.get(_HERE)
def show_batches(
    services: WithServices, visit: WithVisit, query: Annotated[BatchesQuery, page_query(BatchesQuery)]
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        at = list_page(scope.connection, query.cursor)
        listed = _listed(scope, query, at)
        units = count_units(scope, "batch", [batch.id for batch in listed.rows])
        numbers = [batch.number for batch in listed.rows]
        first_pass = yield_cells(snapshot, visit, RunFilter(batch_numbers=numbers), "batch")
        noted = noted_cells(scope, "batch", [batch.id for batch in listed.rows])
        fields = note_fields(query.tag, query.cause, list_choices(scope))
    bar = search_bar(_HERE, "Number contains", query.search, hidden_fields(query, "sort", "order"))
    page = BatchesPage(
        bar._replace(fields=[*bar.fields, *fields]),
        headings(
            _COLUMNS,
            query.sort,
            query.order,
            lambda sort, order: url_of(_HERE, query, sort=sort, order=order, cursor=None),
        ),
        [
            BatchLine(
                batch_url(batch.number),
                batch.number,
                count_text(units.get(batch.id, 0)),
                first_pass.get(batch.id),
                creator_name(batch.created_by),
                moment_of(batch.created_at, visit.zone),
                noted.get(batch.id, NOTHING_NOTED),
            )
            for batch in listed.rows
        ],
        pager(at, listed, lambda cursor: url_of(_HERE, query, cursor=cursor)),
        files=files_of(_HERE, query, "cursor"),
        nothing=_nothing(query),
        voided=snapshot.voided,
    )
    return render("products/batches.html", page, visit)


@file_route(router, _HERE, BatchesQuery, "Batches", _SHEET)
def list_all_batches(ask: FileAsk[BatchesQuery]) -> Rows:
    """All batches that the filter finds, in the order of the page."""

    def cells(scope: Scope, batches: Sequence[BatchRecord]) -> Sequence[Sequence[Cell]]:
        units = count_units(scope, "batch", [batch.id for batch in batches])
        runs = RunFilter(batch_numbers=[batch.number for batch in batches])
        with Snapshot(ask.services.copy, scope) as snapshot:
            yields = yield_rows(snapshot, ask.visit, runs, "batch")
        noted = noted_cells(scope, "batch", [batch.id for batch in batches])
        return [
            [
                *_cells(batch, units.get(batch.id, 0), yields.get(batch.id)),
                *noted.get(batch.id, NOTHING_NOTED).cells,
            ]
            for batch in batches
        ]

    return ask.whole_list(lambda scope, page: _listed(scope, ask.query, page), cells)


def _listed(scope: Scope, query: BatchesQuery, page: Page) -> Listed[BatchRecord]:
    return list_batches(
        scope,
        BatchFilter(query.search, tags=_one(query.tag), causes=_one(query.cause)),
        query.sort,
        page,
        descending=query.order == "desc",
    )


def _nothing(query: BatchesQuery) -> str:
    """Why the list is empty; empty if the filter leaves nothing out."""
    if query.tag is not None or query.cause is not None:
        return "No batch matches these filters."
    return "" if query.search is None else "No batch has this in its number."


def _one(value: str | None) -> Sequence[str] | None:
    return None if value is None else [value]


def _cells(batch: BatchRecord, units: int, first_pass: YieldRow | None) -> Sequence[Cell]:
    return [
        batch.number,
        units,
        None if first_pass is None else first_pass.first_pass.ratio,
        None if first_pass is None else first_pass.units,
        creator_name(batch.created_by),
        batch.created_at,
    ]
