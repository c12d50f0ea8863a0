"""Capability of all measurements of a procedure, over REST."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.questions.values.capabilities import MAX_ROWS, CapabilitiesAnswer, capabilities
from runcard.api.analytics.query import RunsQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class CapabilitiesQuery(RunsQuery, kw_only=True):
    """limit: of rows. exclude_retries: leave out attempts of phases that were repeated in the same run."""

    procedure_id: UUID
    exclude_retries: bool = True
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 200


@router.get(
    "/capabilities",
    openapi_extra=operation(
        CapabilitiesAnswer, name="analytics-capabilities", parameters=query_parameters(CapabilitiesQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[CapabilitiesQuery, query(CapabilitiesQuery)],
) -> Response:
    """Cp, Cpk, Pp and Ppk of all measurements of a procedure, the lowest Ppk first."""
    return JsonResponse(
        capabilities(
            snapshot,
            selection_of(query),
            query.procedure_id,
            query.limit,
            only_final=query.exclude_retries,
        )
    )
