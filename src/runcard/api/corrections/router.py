"""Runs and units are corrected with a reason. What was reported stays beside it. All of a request, or none."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.floor.at_once import distinct_ids
from runcard.domain.floor.reason import check_reason
from runcard.domain.runs.correction import RunCorrection
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import WithServices, json_body, to_manage
from runcard.ingest.corrections.runs import correct_runs, take_back_corrections
from runcard.ingest.corrections.units import UnitCorrection, correct_units
from runcard.store.units.serials import let_go

router = APIRouter()

WithManager = Annotated[UserActor, to_manage("correct runs and units")]


class RunCorrectionBody(RunCorrection, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """ids: 1 to 10 000 runs. reason: shown in the history. The rest: what is true of them; a field that is left out
    stays as it is.
    """

    ids: list[UUID]
    reason: str


class TakenBackBody(Struct, forbid_unknown_fields=True):
    """ids: 1 to 10 000 corrected runs. reason: shown in the history."""

    ids: list[UUID]
    reason: str


class UnitCorrectionBody(UnitCorrection, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """ids: 1 to 10 000 units; one with a serial_number. reason: shown in the history. The rest: what is true of them; a
    field that is left out stays as it is.
    """

    ids: list[UUID]
    reason: str


class LetGoBody(Struct, forbid_unknown_fields=True):
    """id: of the unit. serial_number: one that it had before. reason: shown in the history."""

    id: UUID
    serial_number: str
    reason: str


class CorrectedResponse(Struct):
    """ids: what was changed. What was so already is left out."""

    ids: Sequence[UUID]


@router.post(
    "/runs/correct", openapi_extra=operation(CorrectedResponse, RunCorrectionBody, name="run-correct")
)
def correct(
    actor: WithManager,
    services: WithServices,
    body: Annotated[RunCorrectionBody, json_body(RunCorrectionBody)],
) -> Response:
    """Correct runs. What was reported stays beside it. If one cannot be corrected, none is."""
    ids, reason = distinct_ids(body.ids), check_reason(body.reason)
    corrected = services.writer.write(actor, lambda tx: correct_runs(tx, actor, ids, body, reason))
    return JsonResponse(CorrectedResponse(corrected))


@router.post(
    "/runs/uncorrect", openapi_extra=operation(CorrectedResponse, TakenBackBody, name="run-uncorrect")
)
def uncorrect(
    actor: WithManager, services: WithServices, body: Annotated[TakenBackBody, json_body(TakenBackBody)]
) -> Response:
    """Give corrected runs back what was reported. If one is not corrected, none is changed."""
    ids, reason = distinct_ids(body.ids), check_reason(body.reason)
    services.writer.write(actor, lambda tx: take_back_corrections(tx, ids, reason))
    return JsonResponse(CorrectedResponse(ids))


@router.post(
    "/units/correct", openapi_extra=operation(CorrectedResponse, UnitCorrectionBody, name="unit-correct")
)
def correct_all_units(
    actor: WithManager,
    services: WithServices,
    body: Annotated[UnitCorrectionBody, json_body(UnitCorrectionBody)],
) -> Response:
    """Correct units. An old serial number still finds its unit. If one cannot be corrected, none is."""
    ids, reason = distinct_ids(body.ids), check_reason(body.reason)
    corrected = services.writer.write_catalog(actor, lambda tx: correct_units(tx, actor, ids, body, reason))
    return JsonResponse(CorrectedResponse(corrected))


@router.post("/units/let-go", openapi_extra=operation(CorrectedResponse, LetGoBody, name="unit-let-go"))
def let_serial_number_go(
    actor: WithManager, services: WithServices, body: Annotated[LetGoBody, json_body(LetGoBody)]
) -> Response:
    """Let an old serial number find its unit no more, so that another unit may get it."""
    reason = check_reason(body.reason)
    services.writer.write_catalog(actor, lambda tx: let_go(tx, body.id, body.serial_number, reason))
    return JsonResponse(CorrectedResponse([body.id]))
