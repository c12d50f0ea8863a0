"""Comparison of groups over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.values.compare import CompareAnswer, compare
from runcard.api.analytics.query import MeasurementQuery, measured_of, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


@router.get(
    "/compare",
    openapi_extra=operation(
        CompareAnswer, name="analytics-compare", parameters=query_parameters(MeasurementQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[MeasurementQuery, query(MeasurementQuery)],
) -> Response:
    """Comparison of a measurement between groups. Without `group_by`, the groups are stations."""
    return JsonResponse(
        compare(
            snapshot,
            selection_of(query),
            measured_of(query),
            zone_of(query.time_zone),
            query.group_by or "station",
        )
    )
