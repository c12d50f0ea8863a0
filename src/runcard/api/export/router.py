"""Runs and measurements as files of several formats, by the filters of the lists."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Annotated, Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from runcard.analytics.groups import zone_of
from runcard.domain.floor.deployment import Environment
from runcard.domain.runs.measurement import ValueKind
from runcard.domain.runs.outcome import MeasurementOutcome, RunOutcome
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.run_filters import SampleQuery, metadata_tests, run_filter
from runcard.edge.requests.services import WithActor, WithServices
from runcard.exports.formats import ExportFormat, encoding_of
from runcard.exports.rows import (
    ExportedMeasurement,
    ExportedRun,
    export_measurements,
    export_runs,
)
from runcard.store.contents.measurements import MeasurementFilter

router = APIRouter()

_FORMATS: Sequence[ExportFormat] = get_args(ExportFormat)


class ExportRunsQuery(Struct, kw_only=True):
    """time_zone: of the times in a file for spreadsheets."""

    format: ExportFormat = "csv"
    time_zone: str = "UTC"
    search_query: str | None = None
    ids: list[UUID] | None = None
    outcomes: list[RunOutcome] | None = None
    procedure_ids: list[UUID] | None = None
    procedure_versions: list[str] | None = None
    deployment_ids: list[UUID] | None = None
    environments: list[Environment] | None = None
    execution_ids: list[str] | None = None
    slot_keys: list[str] | None = None
    slot_names: list[str] | None = None
    serial_numbers: list[str] | None = None
    samples: list[SampleQuery] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    duration_min: str | None = None
    duration_max: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: list[UUID] | None = None
    created_by_station_ids: list[UUID] | None = None
    operated_by_ids: list[UUID] | None = None
    operated_by_names: list[str] | None = None
    metadata: str | None = None


class ExportMeasurementsQuery(ExportRunsQuery, kw_only=True):
    """Ids, outcomes, moments and durations are those of the runs."""

    phase_names: list[str] | None = None
    measurement_names: list[str] | None = None
    measurement_outcomes: list[MeasurementOutcome] | None = None
    measurement_types: list[ValueKind] | None = None
    value_min: float | None = None
    value_max: float | None = None
    value_bool: bool | None = None
    value_strings: list[str] | None = None
    exclude_retries: bool = False


def _described(name: str, asked: type[Struct]) -> dict[str, Any]:
    encodings = [encoding_of(one, ZoneInfo("UTC")) for one in _FORMATS]
    content: dict[str, Any] = {one.content_type.partition(";")[0]: {} for one in encodings}
    return {
        "operationId": name,
        "summary": name,
        "security": [{"ApiKey": []}],
        "parameters": query_parameters(asked),
        "responses": {"200": {"description": "Success", "content": content}},
    }


@router.get("/runs", openapi_extra=_described("export-runs", ExportRunsQuery))
def runs(
    actor: WithActor, services: WithServices, query: Annotated[ExportRunsQuery, query(ExportRunsQuery)]
) -> Response:
    """All runs that the filters leave, in the order of their recording."""
    wanted = run_filter(query, without=("metadata",), metadata=metadata_tests(query.metadata))
    found = export_runs(services.database, actor.organization_id, wanted)
    return _streamed("runs", query, ExportedRun, found)


@router.get("/measurements", openapi_extra=_described("export-measurements", ExportMeasurementsQuery))
def measurements(
    actor: WithActor,
    services: WithServices,
    query: Annotated[ExportMeasurementsQuery, query(ExportMeasurementsQuery)],
) -> Response:
    """All measurements that the filters leave, run by run in the order of their recording."""
    wanted = run_filter(query, without=("metadata",), metadata=metadata_tests(query.metadata))
    inside = MeasurementFilter(
        names=query.measurement_names,
        phase_names=query.phase_names,
        outcomes=query.measurement_outcomes,
        kinds=query.measurement_types,
        value_min=query.value_min,
        value_max=query.value_max,
        value_bool=query.value_bool,
        value_strings=query.value_strings,
        only_final=query.exclude_retries,
    )
    found = export_measurements(services.database, actor.organization_id, wanted, inside)
    return _streamed("measurements", query, ExportedMeasurement, found)


def _streamed(
    name: str, query: ExportRunsQuery, kind: type[Struct], pages: Iterable[Sequence[Struct]]
) -> Response:
    encoding = encoding_of(query.format, zone_of(query.time_zone))
    pieces = encoding.encode(kind, pages)
    # Whatever is wrong with what was asked shows at the first rows: before the answer has begun. That there are too
    # many for Excel shows when its file is whole, and until then there are empty pieces.
    first = next((piece for piece in pieces if piece), b"")
    return StreamingResponse(
        chain([first], pieces),
        media_type=encoding.content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{query.format}"'},
    )
