"""The list of runs as a file, with the filter, order and columns of the page."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Sheet, refuse_too_many
from runcard.store.notes.on_runs import with_notes
from runcard.store.runs.matches import PackedIds, find_run_ids
from runcard.store.runs.records import RunRecord, read_runs, with_metadata
from runcard.web.frame.render import SAFETY_HEADERS
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query
from runcard.web.lists.run_columns import RunColumn, columns_of
from runcard.web.lists.run_query import RunsPageQuery, list_filter_of
from runcard.web.lists.table_files import WithFormat, table_file
from runcard.web.runs.list_files import Chunks, csv_pieces, parquet_pieces, sheet_columns, sheet_rows

router = APIRouter()

_RUNS_AT_ONCE = 1000

WithQuery = Annotated[RunsPageQuery, page_query(RunsPageQuery)]


@router.get("/runs.csv")
def export_csv(services: WithServices, visit: WithVisit, query: WithQuery) -> Response:
    return _file(services, visit, query, csv_pieces, "runs.csv", "text/csv; charset=utf-8")


@router.get("/runs.parquet")
def export_parquet(services: WithServices, visit: WithVisit, query: WithQuery) -> Response:
    return _file(services, visit, query, parquet_pieces, "runs.parquet", "application/vnd.apache.parquet")


@router.get("/runs.{file_format}")
def export_sheet(
    services: WithServices, visit: WithVisit, file_format: WithFormat, query: WithQuery
) -> Response:
    ids = _found(services, visit, query)
    if file_format == "xlsx":
        refuse_too_many(len(ids))
    columns = columns_of(query.columns, query.noted or ())
    rows = sheet_rows(columns, _chunks(services, visit, query, ids))
    return table_file(Sheet("Runs", sheet_columns(columns), rows, visit.zone), file_format)


def _file(
    services: Services,
    visit: Visit,
    query: RunsPageQuery,
    pieces: Callable[[Sequence[RunColumn], Chunks], Iterator[bytes]],
    name: str,
    media_type: str,
) -> Response:
    ids = _found(services, visit, query)
    return StreamingResponse(
        pieces(columns_of(query.columns, query.noted or ()), _chunks(services, visit, query, ids)),
        media_type=media_type,
        headers={
            **SAFETY_HEADERS,
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )


def _found(services: Services, visit: Visit, query: RunsPageQuery) -> PackedIds:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        run_filter = list_filter_of(scope, query, visit, datetime.now(UTC))
        return find_run_ids(scope, run_filter, query.sort, descending=query.is_descending)


def _chunks(
    services: Services, visit: Visit, query: RunsPageQuery, ids: PackedIds
) -> Iterator[Sequence[RunRecord]]:
    """The runs, a thousand at a time: no transaction stays open while a slow reader downloads them."""
    organization_id = visit.actor.organization_id
    for chunk in ids.in_chunks(_RUNS_AT_ONCE):
        with services.database.read_in(organization_id) as scope:
            runs = read_runs(scope, chunk)
            if query.noted:
                runs = with_metadata(scope, runs)
            if {"tags", "cause"} & set(query.columns or ()):
                runs = with_notes(scope, runs)
        yield runs
