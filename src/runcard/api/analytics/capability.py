"""Capability over REST."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.analytics.groups import GroupBy, zone_of
from runcard.analytics.questions.values.capability import CapabilityAnswer, Within, capability
from runcard.api.analytics.query import MeasurementQuery, measured_of, selection_of
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithSnapshot

router = APIRouter()


class CapabilityQuery(MeasurementQuery, kw_only=True):
    """subgroup_by: sigma_within is pooled over these groups; left out: from moving ranges."""

    subgroup_by: GroupBy | None = None


@router.get(
    "/capability",
    openapi_extra=operation(
        CapabilityAnswer, name="analytics-capability", parameters=query_parameters(CapabilityQuery)
    ),
)
def ask(
    snapshot: WithSnapshot,
    query: Annotated[CapabilityQuery, query(CapabilityQuery)],
) -> Response:
    """Capability of a measurement by specification and group: Cp, Cpk, Pp, Ppk and the figures behind them."""
    return JsonResponse(
        capability(
            snapshot,
            selection_of(query),
            measured_of(query),
            zone_of(query.time_zone),
            query.group_by,
            Within(query.subgroup_by),
        )
    )
