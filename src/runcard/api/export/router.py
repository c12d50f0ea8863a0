"""Runs and measurements as files of several formats, filtered like the lists."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from runcard.analytics.groups import zone_of
from runcard.domain.runs.measurement import ValueKind
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.run_filters import RunFilterQuery
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


class ExportRunsQuery(RunFilterQuery, kw_only=True):
    """time_zone: of the times in a file for spreadsheets."""

    format: ExportFormat = "csv"
    time_zone: str = "UTC"


class ExportMeasurementsQuery(ExportRunsQuery, kw_only=True):
    """ids, outcomes, times and durations: of the runs."""

    phase_names: list[str] | None = None
    measurement_names: list[str] | None = None
    measurement_outcomes: list[MeasurementOutcome] | None = None
    measurement_types: list[ValueKind] | None = None
    value_min: float | None = None
    value_max: float | None = None
    value_bool: bool | None = None
    value_strings: list[str] | None = None
    exclude_retries: bool = False


def _described(name: str, query_type: type[Struct]) -> dict[str, Any]:
    encodings = [encoding_of(format_name, ZoneInfo("UTC")) for format_name in _FORMATS]
    content: dict[str, Any] = {encoding.content_type.partition(";")[0]: {} for encoding in encodings}
    return {
        "operationId": name,
        "summary": name,
        "security": [{"ApiKey": []}],
        "parameters": query_parameters(query_type),
        "responses": {"200": {"description": "Success", "content": content}},
    }


@router.get("/runs", openapi_extra=_described("export-runs", ExportRunsQuery))
def runs(
    actor: WithActor, services: WithServices, query: Annotated[ExportRunsQuery, query(ExportRunsQuery)]
) -> Response:
    """All runs that the filters leave, in the order of their recording."""
    found = export_runs(services.database, actor.organization_id, query.run_filter())
    return _streamed("runs", query, ExportedRun, found)


@router.get("/measurements", openapi_extra=_described("export-measurements", ExportMeasurementsQuery))
def measurements(
    actor: WithActor,
    services: WithServices,
    query: Annotated[ExportMeasurementsQuery, query(ExportMeasurementsQuery)],
) -> Response:
    """All measurements that the filters leave, run by run in the order of their recording."""
    run_filter = query.run_filter()
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
    found = export_measurements(services.database, actor.organization_id, run_filter, inside)
    return _streamed("measurements", query, ExportedMeasurement, found)


def _streamed(
    name: str, query: ExportRunsQuery, kind: type[Struct], pages: Iterable[Sequence[Struct]]
) -> Response:
    encoding = encoding_of(query.format, zone_of(query.time_zone))
    pieces = encoding.encode(kind, pages)
    # An error in the query shows at the first rows, before the answer begins. Too many rows for Excel show only when
    # its file is whole; until then the pieces are empty.
    first = next((piece for piece in pieces if piece), b"")
    return StreamingResponse(
        chain([first], pieces),
        media_type=encoding.content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{query.format}"'},
    )
