"""Retests over REST."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.yields.retest import ManyAttempts, RetestAnswer, retest
from runcard.api.analytics.query import GroupedQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class RetestsQuery(GroupedQuery, kw_only=True):
    """limit, offset: the page of units that had more than `more_than` attempts."""

    more_than: Annotated[int, Meta(ge=1, le=1_000_000)] = 2
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=100_000)] = 0


@router.get(
    "/retests",
    openapi_extra=operation(
        RetestAnswer, name="analytics-retests", parameters=query_parameters(RetestsQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[RetestsQuery, query(RetestsQuery)],
) -> Response:
    """Attempts per unit, how many units passed after a retest, and at which stations."""
    return JsonResponse(
        retest(
            snapshot,
            selection_of(query),
            zone_of(query.time_zone),
            query.group_by,
            ManyAttempts(query.more_than, query.limit, query.offset),
        )
    )
