"""Correlation over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values.correlation import CorrelationAnswer, correlation
from runcard.api.analytics.query import RunsQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()

_Name = Annotated[str, Meta(min_length=1)]


class CorrelationQuery(RunsQuery, kw_only=True):
    """y_procedure_id: left out: the procedure of x. x_uom, y_uom: only values in this unit of measure, or in one that
    converts to it; an empty text: only values without one.
    """

    x_procedure_id: UUID
    x_measurement_name: _Name
    x_phase_name: str | None = None
    x_uom: str | None = None
    y_procedure_id: UUID | None = None
    y_measurement_name: _Name
    y_phase_name: str | None = None
    y_uom: str | None = None
    exclude_retries: bool = True


@router.get(
    "/correlation",
    openapi_extra=operation(
        CorrelationAnswer, name="analytics-correlation", parameters=query_parameters(CorrelationQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[CorrelationQuery, query(CorrelationQuery)],
) -> Response:
    """Correlation of two measurements of the same units, with the points to draw."""
    finals = query.exclude_retries
    x = MeasurementSelection(
        query.x_procedure_id, query.x_measurement_name, query.x_phase_name, finals, uom=query.x_uom
    )
    y_procedure_id = query.y_procedure_id or query.x_procedure_id
    y = MeasurementSelection(
        y_procedure_id, query.y_measurement_name, query.y_phase_name, finals, uom=query.y_uom
    )
    return JsonResponse(correlation(snapshot, selection_of(query), x, y))
