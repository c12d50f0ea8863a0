"""Control charts over REST."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.values.control_chart import (
    MAX_LAST,
    MAX_SUBGROUP_SIZE,
    ChartSettings,
    ControlChartAnswer,
    control_chart,
)
from runcard.analytics.statistics.control_limits import ChartKind
from runcard.api.analytics.query import MeasurementQuery, measured_of, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class ControlChartQuery(MeasurementQuery, kw_only=True):
    """last: how many values the chart shows. subgroup_size: how many values of one group and segment make a point; left
    out: all values of a group, or five without groups.
    """

    chart: ChartKind = "i_mr"
    last: Annotated[int, Meta(ge=1, le=MAX_LAST)] = 500
    subgroup_size: Annotated[int, Meta(ge=2, le=MAX_SUBGROUP_SIZE)] | None = None


@router.get(
    "/control-chart",
    openapi_extra=operation(
        ControlChartAnswer, name="analytics-control-chart", parameters=query_parameters(ControlChartQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[ControlChartQuery, query(ControlChartQuery)],
) -> Response:
    """The newest values of a measurement with control limits, and the run rules that they break."""
    return JsonResponse(
        control_chart(
            snapshot,
            selection_of(query),
            measured_of(query),
            ChartSettings(query.chart, query.last, query.subgroup_size),
            zone_of(query.time_zone),
            query.group_by,
        )
    )
