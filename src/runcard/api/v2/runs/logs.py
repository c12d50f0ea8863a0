"""Log lines of runs, in the v2 API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.lists.inside_lists import list_logs
from runcard.api.v2.runs.filters import OfRunsQuery
from runcard.api.v2.shapes import CreatorRefEmail, IdName, UnitRef, creator_with_email, named
from runcard.domain.errors import LogNotFound
from runcard.domain.floor.sample import SampleChoice
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.outcome import LogLevel, RunOutcome
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.bounds import moment_bound
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices
from runcard.store.contents.inside_runs import Deadline, Listing, get_inside
from runcard.store.contents.logs import LOGS, FoundLog, LogFilter

router = APIRouter()


class LogListQuery(OfRunsQuery):
    """search_query: part of a message."""

    procedure_ids: list[UUID] | None = None
    search_query: str | None = None
    levels: list[LogLevel] | None = None
    timestamp_after: datetime | None = None
    timestamp_before: datetime | None = None
    source_files: list[str] | None = None
    run_ids: list[UUID] | None = None
    run_outcomes: list[RunOutcome] | None = None
    samples: list[SampleChoice] | None = None
    sort_by: Literal["created_at", "level", "run_id", "outcome"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"


class LogRun(Struct):
    id: UUID
    outcome: RunOutcome
    started_at: datetime


class LogGetResponse(Struct):
    """created_at: when the line was logged."""

    id: UUID
    level: LogLevel
    message: str
    created_at: datetime
    source_file: str | None
    line_number: int | None
    run: LogRun
    unit: UnitRef
    procedure: IdName
    created_by_user: CreatorRefEmail | None
    created_by_station: IdName | None


class LogListResponse(Struct):
    data: list[LogGetResponse]
    meta: PageMeta


@router.get(
    "/logs",
    openapi_extra=operation(LogListResponse, name="log-list", parameters=query_parameters(LogListQuery)),
)
def list_(
    services: WithServices,
    scope: WithScope,
    query: Annotated[LogListQuery, query(LogListQuery)],
) -> Response:
    """Filtered, sorted and paged log lines of runs."""
    page = page_of(scope.connection, query)
    listing = Listing(
        query.sort_by, page, Deadline(services.list_timeout_s), descending=query.sort_order == "desc"
    )
    runs = replace(
        query.run_filter(),
        procedure_ids=query.procedure_ids,
        ids=query.run_ids,
        outcomes=query.run_outcomes,
        samples=query.samples,
    )
    log_filter = LogFilter(
        search=query.search_query,
        levels=query.levels,
        source_files=query.source_files,
        logged_after=moment_bound("timestamp_after", query.timestamp_after),
        logged_before=moment_bound("timestamp_before", query.timestamp_before),
    )
    listed = list_logs(
        services.copy,
        scope,
        runs,
        log_filter,
        listing,
    )
    return JsonResponse(LogListResponse([_shown(line) for line in listed.rows], meta_of(page, listed)))


@router.get("/logs/{id}", openapi_extra=operation(LogGetResponse, name="log-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    scope: WithScope,
) -> Response:
    """A line that a run logged."""
    found = get_inside(scope, LOGS, id_of(id, LogNotFound))
    return JsonResponse(_shown(found))


def _shown(found: FoundLog) -> LogGetResponse:
    log, run = found.item.log, found.run
    return LogGetResponse(
        found.id,
        log.level,
        log.message,
        log.timestamp,
        log.source_file,
        log.line_number,
        LogRun(run.id, run.outcome, reported_times(run).started_at),
        UnitRef(run.unit.id, run.unit.serial_number),
        IdName(run.procedure.id, run.procedure.name),
        creator_with_email(run.created_by_user),
        named(run.created_by_station),
    )
