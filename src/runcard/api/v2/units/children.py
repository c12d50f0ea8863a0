"""Parents and children of units, in the v2 API."""

from typing import Annotated

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.api.v2.shapes import IdResult, Name60
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithRecordingActor, WithServices, json_body
from runcard.ingest.assembly import add_sub_units, remove_sub_unit

router = APIRouter()

_PATH = "/units/{serial_number:path}/children"


class UnitAddChildBody(Struct):
    child_serial_number: Name60


class UnitRemoveChildQuery(Struct):
    child_serial_number: str


@router.put(_PATH, openapi_extra=operation(IdResult, UnitAddChildBody, name="unit-addChild"))
def add(
    serial_number: str,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[UnitAddChildBody, json_body(UnitAddChildBody)],
) -> Response:
    """Make a unit part of another. It leaves the unit of which it was part before."""
    children = [body.child_serial_number]
    (child,) = services.writer.write(actor, lambda tx: add_sub_units(tx, actor, serial_number, children))
    return JsonResponse(IdResult(child.id))


@router.delete(
    _PATH,
    openapi_extra=operation(
        IdResult, name="unit-removeChild", parameters=query_parameters(UnitRemoveChildQuery)
    ),
)
def remove(
    serial_number: str,
    actor: WithRecordingActor,
    services: WithServices,
    query: Annotated[UnitRemoveChildQuery, query(UnitRemoveChildQuery)],
) -> Response:
    """Take a unit out of another."""
    child_id = services.writer.write(
        actor,
        lambda tx: remove_sub_unit(tx, actor, serial_number, query.child_serial_number),
    )
    return JsonResponse(IdResult(child_id))
