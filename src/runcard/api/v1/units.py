"""Units of the v1 API: adding sub-units, deleting."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.api.v1.bodies import AddSubUnitsBody, DeletedUnitBody, MessageBody, SubUnitBody, UpdateUnitBody
from runcard.api.v1.reports import serial_numbers_of
from runcard.auth.permissions import check_may_manage
from runcard.domain.actor import Actor
from runcard.domain.errors import Conflict, UnitNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.deleted import deleted_answer
from runcard.edge.requests.services import Services, WithActor, WithServices, json_body
from runcard.ingest.assembly import add_sub_units
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.units.rows import delete_unit, has_runs

router = APIRouter()


@router.patch("/units", openapi_extra=operation(MessageBody, UpdateUnitBody))
def update_unit(
    actor: WithActor, services: WithServices, body: Annotated[UpdateUnitBody, json_body(UpdateUnitBody)]
) -> Response:
    """Add sub-units to the unit that the body names."""
    return _add(services, actor, body.serial_number, body.sub_units or [])


@router.patch("/units/{serial_number:path}", openapi_extra=operation(MessageBody, AddSubUnitsBody))
def update_unit_by_path(
    serial_number: str,
    actor: WithActor,
    services: WithServices,
    body: Annotated[AddSubUnitsBody, json_body(AddSubUnitsBody)],
) -> Response:
    """Add sub-units to a unit. The rest of the path is its serial number."""
    return _add(services, actor, serial_number, body.sub_units or [])


@router.delete("/units/{serial_number:path}", openapi_extra=operation(DeletedUnitBody))
def remove_unit(serial_number: str, actor: WithActor, services: WithServices) -> Response:
    """Delete a unit that has no runs. Its sub-units stay."""
    check_may_manage(actor, "delete units")

    def apply(tx: Transaction) -> str:
        unit = tx.catalog.unit(actor.organization_id, serial_number)
        if unit is None:
            raise UnitNotFound(serial_number)
        if has_runs(tx.connection, unit.id):
            raise Conflict(f"Unit {unit.serial_number} has runs. Delete its runs first.")
        delete_unit(tx, unit.id, Deletion())
        return unit.serial_number

    deleted = services.writer.write_catalog(actor, apply)
    body = DeletedUnitBody(deleted, f"Unit {deleted} deleted.")
    return deleted_answer(services, actor.organization_id, body)


def _add(
    services: Services, actor: Actor, serial_number: str, sub_units: list[SubUnitBody | str]
) -> Response:
    serials = list(serial_numbers_of(sub_units))
    services.writer.write(actor, lambda tx: add_sub_units(tx, actor, serial_number, serials))
    return JsonResponse(MessageBody(f"Unit {serial_number.strip()} updated."))
