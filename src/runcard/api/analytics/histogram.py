"""Histograms over REST."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.values.distributions import MAX_BINS
from runcard.analytics.questions.values.histogram import HistogramAnswer, histogram
from runcard.api.analytics.query import MeasurementQuery, measured_of, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class HistogramQuery(MeasurementQuery, kw_only=True):
    """bins: how many; left out: as many as suit the values."""

    bins: Annotated[int, Meta(ge=1, le=MAX_BINS)] | None = None


@router.get(
    "/histogram",
    openapi_extra=operation(
        HistogramAnswer, name="analytics-histogram", parameters=query_parameters(HistogramQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[HistogramQuery, query(HistogramQuery)],
) -> Response:
    """How the values of a measurement are distributed: bins, percentiles, quartiles, and bars of texts."""
    return JsonResponse(
        histogram(
            snapshot,
            selection_of(query),
            measured_of(query),
            zone_of(query.time_zone),
            query.group_by,
            query.bins,
        )
    )
