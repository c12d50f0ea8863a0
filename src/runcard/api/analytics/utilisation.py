"""Utilisation of stations over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.questions.activity.utilisation import UtilisationAnswer, utilisation
from runcard.api.analytics.query import RunsQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


@router.get(
    "/utilisation",
    openapi_extra=operation(
        UtilisationAnswer, name="analytics-utilisation", parameters=query_parameters(RunsQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[RunsQuery, query(RunsQuery)],
) -> Response:
    """The share of the time in which each station was running something."""
    return JsonResponse(utilisation(snapshot, selection_of(query)))
