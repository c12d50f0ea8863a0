"""Throughput over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.activity.throughput import ThroughputAnswer, throughput
from runcard.api.analytics.query import GroupedQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


@router.get(
    "/throughput",
    openapi_extra=operation(
        ThroughputAnswer, name="analytics-throughput", parameters=query_parameters(GroupedQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[GroupedQuery, query(GroupedQuery)],
) -> Response:
    """Numbers of runs and units, by outcome."""
    return JsonResponse(
        throughput(
            snapshot,
            selection_of(query),
            zone_of(query.time_zone),
            query.group_by,
        )
    )
