"""The list of batches."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.analytics.asking import Snapshot
from runcard.edge.deps import WithParts
from runcard.store.batch_records import BatchFilter, list_batches
from runcard.store.run_filter import RunFilter
from runcard.store.unit_members import count_units
from runcard.web.facts import creator_name
from runcard.web.filters import FilterBar, page_query, url_of
from runcard.web.formats import Moment, count_text, moment_of
from runcard.web.headings import Column, Direction, Heading, headings
from runcard.web.pager import Cursor, Pager, list_page, pager
from runcard.web.render import render
from runcard.web.search_bar import search_bar
from runcard.web.urls import batch_url
from runcard.web.visit import WithVisit
from runcard.web.yields import YieldCell, yield_cells

router = APIRouter()

_HERE = "/batches"
_COLUMNS = [
    Column("Batch", "number"),
    Column("Units", is_number=True),
    Column("First-pass yield", is_number=True),
    Column("Recorded by"),
    Column("Created", "created_at"),
]


class BatchesQuery(Struct, kw_only=True):
    """search: part of the number."""

    search: str | None = None
    sort: Literal["number", "created_at"] = "created_at"
    order: Direction = "desc"
    cursor: Cursor | None = None


class BatchLine(NamedTuple):
    """first_pass: over all time; None where nothing is known of it."""

    url: str
    number: str
    units: str
    first_pass: YieldCell | None
    recorder: str
    created_at: Moment


class BatchesPage(NamedTuple):
    filters: FilterBar
    headings: Sequence[Heading]
    batches: Sequence[BatchLine]
    pager: Pager
    is_filtered: bool


@router.get(_HERE)
def show_batches(
    parts: WithParts, visit: WithVisit, asked: Annotated[BatchesQuery, page_query(BatchesQuery)]
) -> Response:
    home = visit.actor.organization_id
    with parts.database.read() as connection, Snapshot(parts.copy, connection, home) as snapshot:
        at = list_page(connection, asked.cursor)
        listed = list_batches(
            connection, home, BatchFilter(asked.search), asked.sort, at, descending=asked.order == "desc"
        )
        units = count_units(connection, home, "batch", [batch.id for batch in listed.rows])
        numbers = [batch.number for batch in listed.rows]
        first_pass = yield_cells(snapshot, visit, RunFilter(batch_numbers=numbers), "batch")
    page = BatchesPage(
        search_bar(_HERE, "Number contains", asked.search, _kept(asked)),
        headings(
            _COLUMNS,
            asked.sort,
            asked.order,
            lambda sort, order: url_of(_HERE, asked, sort=sort, order=order, cursor=None),
        ),
        [
            BatchLine(
                batch_url(batch.number),
                batch.number,
                count_text(units.get(batch.id, 0)),
                first_pass.get(batch.id),
                creator_name(batch.created_by),
                moment_of(batch.created_at, visit.zone),
            )
            for batch in listed.rows
        ],
        pager(at, listed, lambda cursor: url_of(_HERE, asked, cursor=cursor)),
        is_filtered=asked.search is not None,
    )
    return render("batches.html", page, visit)


def _kept(asked: BatchesQuery) -> Sequence[tuple[str, str]]:
    values = (("sort", asked.sort, "created_at"), ("order", asked.order, "desc"))
    return [(name, value) for name, value, usual in values if value != usual]
