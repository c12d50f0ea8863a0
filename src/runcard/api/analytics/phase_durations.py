"""Durations of phases over REST."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.activity.phase_durations import (
    PhaseDurationsAnswer,
    TimedPhases,
    phase_durations,
)
from runcard.api.analytics.query import GroupedQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class PhaseDurationsQuery(GroupedQuery, kw_only=True):
    """exclude_retries: leave out attempts of phases that were repeated in the same run. top: how many phases."""

    exclude_retries: bool = True
    phase_name: str | None = None
    top: Annotated[int, Meta(ge=1, le=200)] = 20


@router.get(
    "/phase-durations",
    openapi_extra=operation(
        PhaseDurationsAnswer,
        name="analytics-phase-durations",
        parameters=query_parameters(PhaseDurationsQuery),
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[PhaseDurationsQuery, query(PhaseDurationsQuery)],
) -> Response:
    """How long phases took, those that took the most time first."""
    return JsonResponse(
        phase_durations(
            snapshot,
            selection_of(query),
            TimedPhases(query.exclude_retries, query.phase_name, query.top),
            zone_of(query.time_zone),
            query.group_by,
        )
    )
