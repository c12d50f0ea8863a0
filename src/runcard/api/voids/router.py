"""Runs are voided with a reason, and can count again. All runs of a request, or none."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.floor.at_once import distinct_ids
from runcard.domain.floor.reason import check_reason
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import WithServices, json_body, to_manage
from runcard.store.runs.voids import end_voids, void_runs

router = APIRouter()

WithManager = Annotated[UserActor, to_manage("void runs")]


class VoidBody(Struct, forbid_unknown_fields=True):
    """ids: 1 to 10 000 runs. reason: shown with the runs."""

    ids: list[UUID]
    reason: str


class EndVoidBody(Struct, forbid_unknown_fields=True):
    """ids: 1 to 10 000 voided runs. reason: shown in the history."""

    ids: list[UUID]
    reason: str | None = None


class VoidResponse(Struct):
    """ids: the runs that were changed."""

    ids: Sequence[UUID]


@router.post("/runs/void", openapi_extra=operation(VoidResponse, VoidBody, name="run-void"))
def void(
    actor: WithManager, services: WithServices, body: Annotated[VoidBody, json_body(VoidBody)]
) -> Response:
    """Void runs: they stay in the record, and no figure counts them. If one cannot be voided, none is."""
    ids, reason = distinct_ids(body.ids), check_reason(body.reason)
    services.writer.write(actor, lambda tx: void_runs(tx, actor, ids, reason))
    return JsonResponse(VoidResponse(ids))


@router.post("/runs/unvoid", openapi_extra=operation(VoidResponse, EndVoidBody, name="run-unvoid"))
def unvoid(
    actor: WithManager, services: WithServices, body: Annotated[EndVoidBody, json_body(EndVoidBody)]
) -> Response:
    """Let voided runs count again. If one is not voided, none is changed."""
    ids = distinct_ids(body.ids)
    reason = None if body.reason is None else check_reason(body.reason)
    services.writer.write(actor, lambda tx: end_voids(tx, ids, reason))
    return JsonResponse(VoidResponse(ids))
