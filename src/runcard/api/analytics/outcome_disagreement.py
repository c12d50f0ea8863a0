"""Outcome disagreement over REST."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.questions.values.outcome_disagreement import (
    OutcomeDisagreementAnswer,
    Shown,
    outcome_disagreement,
)
from runcard.api.analytics.query import RunsQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class OutcomeDisagreementQuery(RunsQuery, kw_only=True):
    """limit: of measurements. examples: limit of single values.

    exclude_retries: leave out attempts of phases that were repeated in the same run.
    """

    exclude_retries: bool = True
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    examples: Annotated[int, Meta(ge=0, le=200)] = 20


@router.get(
    "/outcome-disagreements",
    openapi_extra=operation(
        OutcomeDisagreementAnswer,
        name="analytics-outcome-disagreements",
        parameters=query_parameters(OutcomeDisagreementQuery),
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[OutcomeDisagreementQuery, query(OutcomeDisagreementQuery)],
) -> Response:
    """Measurements whose outcome, as the station reported it, contradicts their limits."""
    return JsonResponse(
        outcome_disagreement(
            snapshot,
            selection_of(query),
            Shown(query.limit, query.examples),
            only_final=query.exclude_retries,
        )
    )
