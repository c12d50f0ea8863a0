"""Measurements in the v2 API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import asdict, replace
from starlette.responses import Response

from runcard.analytics.lists.inside_lists import list_measurements
from runcard.api.v2.runs.filters import OfRunsQuery
from runcard.api.v2.runs.measurement_shapes import (
    MeasurementOut,
    ValidatorOut,
    measurement_out,
    validator_out,
)
from runcard.api.v2.shapes import IdName
from runcard.domain.errors import MeasurementNotFound
from runcard.domain.floor.sample import SampleClass
from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.measurement import ValueKind, shown_validators
from runcard.domain.runs.outcome import MeasurementOutcome, RunOutcome
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.bounds import QueryBounds, moment_bound
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices
from runcard.store.contents.inside_runs import Deadline, Listing, get_inside
from runcard.store.contents.measurements import (
    MEASUREMENTS,
    FoundMeasurement,
    MeasurementFilter,
)

router = APIRouter()


class MeasurementListQuery(OfRunsQuery, kw_only=True):
    """ids: of measurements or of runs. outcomes and durations: of the runs. started_*: of the phases."""

    procedure_id: UUID
    phase_name: str | None = None
    measurement_name: str | None = None
    phase_names: list[str] | None = None
    outcomes: list[RunOutcome] | None = None
    ids: list[UUID] | None = None
    duration_min: str | None = None
    duration_max: str | None = None
    operated_by_ids: list[UUID] | None = None
    operated_by_names: list[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    exclude_retries: bool = True
    value_min: float | None = None
    value_max: float | None = None
    value_bool: bool | None = None
    value_strings: list[str] | None = None
    measurement_outcomes: list[MeasurementOutcome] | None = None
    measurement_types: list[ValueKind] | None = None
    sort_by: Literal["started_at", "value", "outcome", "serial_number", "phase_name", "measurement_name"] = (
        "started_at"
    )
    sort_order: Literal["asc", "desc"] = "desc"


class MeasurementListItem(Struct):
    """measurement_type: which of the values is given; the others are null, and so is a number that is not finite."""

    id: UUID
    phase_name: str
    measurement_name: str
    started_at: datetime | None
    value: float | int | None
    bool_value: bool | None
    string_value: str | None
    units: str | None
    measurement_outcome: MeasurementOutcome
    run_id: UUID
    serial_number: str | None
    sample: SampleClass | None
    measurement_type: ValueKind
    retry_count: int
    is_final_attempt: bool
    validators: list[ValidatorOut] | None


class MeasurementListResponse(Struct):
    data: list[MeasurementListItem]
    meta: PageMeta


class MeasurementRun(Struct):
    id: UUID
    outcome: RunOutcome | None
    serial_number: str | None


class MeasurementGetResponse(MeasurementOut, kw_only=True):
    phase: IdName
    run: MeasurementRun
    procedure: IdName


@router.get(
    "/measurements",
    openapi_extra=operation(
        MeasurementListResponse, name="measurement-list", parameters=query_parameters(MeasurementListQuery)
    ),
)
def list_(
    services: WithServices,
    scope: WithScope,
    query: Annotated[MeasurementListQuery, query(MeasurementListQuery)],
) -> Response:
    """Filtered, sorted and paged measurements of a procedure."""
    page = page_of(scope.connection, query)
    listing = Listing(
        query.sort_by, page, Deadline(services.list_timeout_s), descending=query.sort_order == "desc"
    )
    bounds = QueryBounds()
    runs = replace(
        query.run_filter(),
        procedure_ids=[query.procedure_id],
        outcomes=query.outcomes,
        duration_min=bounds.duration("duration_min", query.duration_min),
        duration_max=bounds.duration("duration_max", query.duration_max),
        operated_by_ids=query.operated_by_ids,
        operated_by_names=query.operated_by_names,
    )
    bounds.check()
    listed = list_measurements(
        services.copy,
        scope,
        runs,
        _filter(query),
        listing,
    )
    items = [_item(found) for found in listed.rows]
    return JsonResponse(MeasurementListResponse(items, meta_of(page, listed)))


@router.get("/measurements/{id}", openapi_extra=operation(MeasurementGetResponse, name="measurement-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    scope: WithScope,
) -> Response:
    """A measurement with its validators, aggregations and series."""
    found = get_inside(scope, MEASUREMENTS, id_of(id, MeasurementNotFound))
    attempt, run = found.item.attempt, found.run
    shown = measurement_out(run.id, found.item.position, found.item.measurement)
    return JsonResponse(
        MeasurementGetResponse(
            **asdict(shown),
            phase=IdName(part_id(run.id, RunPart.PHASE, attempt.position), attempt.phase.name),
            run=MeasurementRun(run.id, run.outcome, run.unit.serial_number),
            procedure=IdName(run.procedure.id, run.procedure.name),
        )
    )


def _filter(query: MeasurementListQuery) -> MeasurementFilter:
    phase_names = query.phase_names
    if query.phase_name is not None:
        others_allow_it = phase_names is None or query.phase_name in phase_names
        phase_names = [query.phase_name] if others_allow_it else []
    return MeasurementFilter(
        ids=query.ids,
        names=None if query.measurement_name is None else [query.measurement_name],
        phase_names=phase_names,
        outcomes=query.measurement_outcomes,
        kinds=query.measurement_types,
        started_after=moment_bound("started_after", query.started_after),
        started_before=moment_bound("started_before", query.started_before),
        value_min=query.value_min,
        value_max=query.value_max,
        value_bool=query.value_bool,
        value_strings=query.value_strings,
        only_final=query.exclude_retries,
    )


def _item(found: FoundMeasurement) -> MeasurementListItem:
    measurement, attempt, run = found.item.measurement, found.item.attempt, found.run
    kind, value = measurement.kind, measurement.value
    return MeasurementListItem(
        found.id,
        attempt.phase.name,
        measurement.name,
        attempt.phase.started_at,
        found.item.number,
        value if kind == "boolean" else None,
        value if kind == "string" else None,
        measurement.uom,
        measurement.outcome,
        run.id,
        run.unit.serial_number,
        run.unit.sample,
        kind,
        attempt.phase.retry_count,
        attempt.is_final,
        [validator_out(validator) for validator in shown_validators(measurement)],
    )
