"""Durations of runs over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.activity.durations import DurationsAnswer, durations
from runcard.api.analytics.query import GroupedQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


@router.get(
    "/durations",
    openapi_extra=operation(
        DurationsAnswer, name="analytics-durations", parameters=query_parameters(GroupedQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[GroupedQuery, query(GroupedQuery)],
) -> Response:
    """How long runs took: mean, median, 95 % quantile, extremes."""
    return JsonResponse(
        durations(
            snapshot,
            selection_of(query),
            zone_of(query.time_zone),
            query.group_by,
        )
    )
