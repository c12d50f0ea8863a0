"""What fails most, over REST."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.questions.yields.pareto import Failing, ParetoAnswer, ParetoKind, pareto
from runcard.api.analytics.query import RunsQuery, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class ParetoQuery(RunsQuery, kw_only=True):
    """exclude_retries: leave out attempts of phases that were repeated in the same run. top: how many rows."""

    kind: ParetoKind = "phases"
    exclude_retries: bool = True
    top: Annotated[int, Meta(ge=1, le=200)] = 20


@router.get(
    "/pareto",
    openapi_extra=operation(ParetoAnswer, name="analytics-pareto", parameters=query_parameters(ParetoQuery)),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[ParetoQuery, query(ParetoQuery)],
) -> Response:
    """The phases or measurements that fail most, each with its share of all failures."""
    failing = Failing(query.kind, query.exclude_retries, query.top)
    return JsonResponse(pareto(snapshot, selection_of(query), failing))
