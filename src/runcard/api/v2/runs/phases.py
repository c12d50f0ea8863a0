"""Phases of runs in the v2 API."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.lists.inside_lists import list_phases
from runcard.api.v2.runs.filters import OfRunsQuery
from runcard.api.v2.runs.measurement_shapes import MeasurementOut, measurement_out
from runcard.api.v2.shapes import IdName
from runcard.domain.errors import PhaseNotFound
from runcard.domain.floor.sample import SampleChoice, SampleClass
from runcard.domain.instant import format_duration
from runcard.domain.runs.outcome import PhaseOutcome, RunOutcome
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.bounds import duration_bound, moment_bound
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices
from runcard.store.contents.inside_runs import Deadline, Listing, get_inside
from runcard.store.contents.phases import PHASES, FoundPhase, PhaseFilter

router = APIRouter()

_MILLISECOND = timedelta(milliseconds=1)


class PhaseListQuery(OfRunsQuery, kw_only=True):
    """ids: of phases or of runs. started_*, durations and outcomes: of the phases."""

    procedure_id: UUID
    names: list[str] | None = None
    outcomes: list[PhaseOutcome] | None = None
    sequence_paths: list[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    exclude_retries: bool = True
    run_outcomes: list[RunOutcome] | None = None
    ids: list[UUID] | None = None
    duration_min: str | None = None
    duration_max: str | None = None
    operated_by_ids: list[UUID] | None = None
    operated_by_names: list[str] | None = None
    samples: list[SampleChoice] | None = None
    sort_by: Literal["started_at", "duration", "outcome", "serial_number", "phase_name"] = "started_at"
    sort_order: Literal["asc", "desc"] = "desc"


class PhaseListItem(Struct):
    id: UUID
    name: str
    outcome: PhaseOutcome
    started_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    retry_count: int
    sequence_path: str | None
    is_final_attempt: bool
    run_id: UUID
    run_outcome: RunOutcome
    serial_number: str | None
    sample: SampleClass | None


class PhaseListResponse(Struct):
    data: list[PhaseListItem]
    meta: PageMeta


class PhaseRun(Struct):
    id: UUID
    serial_number: str | None


class PhaseGetResponse(Struct):
    id: UUID
    name: str
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    duration: str
    retry_count: int
    sequence_path: str | None
    measurements: list[MeasurementOut]
    run: PhaseRun
    procedure: IdName
    docstring: str | None


@router.get(
    "/phases",
    openapi_extra=operation(
        PhaseListResponse, name="phase-list", parameters=query_parameters(PhaseListQuery)
    ),
)
def list_(
    services: WithServices,
    scope: WithScope,
    query: Annotated[PhaseListQuery, query(PhaseListQuery)],
) -> Response:
    """Filtered, sorted and paged phases of a procedure."""
    page = page_of(scope.connection, query)
    listing = Listing(
        query.sort_by, page, Deadline(services.list_timeout_s), descending=query.sort_order == "desc"
    )
    runs = replace(
        query.run_filter(),
        procedure_ids=[query.procedure_id],
        outcomes=query.run_outcomes,
        operated_by_ids=query.operated_by_ids,
        operated_by_names=query.operated_by_names,
        samples=query.samples,
    )
    phase_filter = PhaseFilter(
        ids=query.ids,
        names=query.names,
        sequence_paths=query.sequence_paths,
        outcomes=query.outcomes,
        started_after=moment_bound("started_after", query.started_after),
        started_before=moment_bound("started_before", query.started_before),
        duration_min=duration_bound("duration_min", query.duration_min),
        duration_max=duration_bound("duration_max", query.duration_max),
        only_final=query.exclude_retries,
    )
    listed = list_phases(
        services.copy,
        scope,
        runs,
        phase_filter,
        listing,
    )
    return JsonResponse(PhaseListResponse([_item(found) for found in listed.rows], meta_of(page, listed)))


@router.get("/phases/{id}", openapi_extra=operation(PhaseGetResponse, name="phase-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    scope: WithScope,
) -> Response:
    """A phase with its measurements."""
    found = get_inside(scope, PHASES, id_of(id, PhaseNotFound))
    attempt, run = found.item, found.run
    phase = attempt.phase
    return JsonResponse(
        PhaseGetResponse(
            found.id,
            phase.name,
            phase.outcome,
            phase.started_at,
            phase.ended_at,
            format_duration(phase.ended_at - phase.started_at),
            phase.retry_count,
            phase.sequence_path,
            [
                measurement_out(run.id, position, measurement)
                for position, measurement in enumerate(phase.measurements, attempt.measured_before)
            ],
            PhaseRun(run.id, run.unit.serial_number),
            IdName(run.procedure.id, run.procedure.name),
            phase.docstring,
        )
    )


def _item(found: FoundPhase) -> PhaseListItem:
    phase, run = found.item.phase, found.run
    return PhaseListItem(
        found.id,
        phase.name,
        phase.outcome,
        phase.started_at,
        phase.ended_at,
        round((phase.ended_at - phase.started_at) / _MILLISECOND),
        phase.retry_count,
        phase.sequence_path,
        found.item.is_final,
        run.id,
        run.outcome,
        run.unit.serial_number,
        run.unit.sample,
    )
