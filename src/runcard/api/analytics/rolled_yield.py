"""Rolled throughput yield over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.questions.yields.rolled_yield import RolledYieldAnswer, rolled_yield
from runcard.api.analytics.query import RunsQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


@router.get(
    "/rolled-yield",
    openapi_extra=operation(
        RolledYieldAnswer, name="analytics-rolled-yield", parameters=query_parameters(RunsQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[RunsQuery, query(RunsQuery)],
) -> Response:
    """Rolled throughput yield of each part, with the yields on its procedures."""
    return JsonResponse(rolled_yield(snapshot, selection_of(query)))
