"""Yield over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.yields.first_pass_yield import YieldAnswer, first_pass_yield
from runcard.api.analytics.query import GroupedQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


@router.get(
    "/yield",
    openapi_extra=operation(YieldAnswer, name="analytics-yield", parameters=query_parameters(GroupedQuery)),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[GroupedQuery, query(GroupedQuery)],
) -> Response:
    """First-pass, second-pass and final yield, and defects per million opportunities."""
    return JsonResponse(
        first_pass_yield(
            snapshot,
            selection_of(query),
            zone_of(query.time_zone),
            query.group_by,
        )
    )
