"""Files of the v2 API: announce, finalize and delete them, alone or as part of a run or unit."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.api.v2.shapes import IdListResult, NameBody, UploadSlot
from runcard.domain.actor import UserActor
from runcard.domain.errors import AttachmentNotFound, RunNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.deleted import deleted_answer
from runcard.edge.files.uploads import download_url, initialize_upload, new_slot, settled
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.ingest.attach_file import announce_file_of_run, announce_file_of_unit
from runcard.ingest.reach import check_brought, check_reaches_unit
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.files.attachments import Attachment, get_attachment
from runcard.store.files.removal import delete_attachments

router = APIRouter()

WithName = Annotated[NameBody, json_body(NameBody)]


class AttachmentFinalizeResponse(Struct):
    url: str


class AttachmentDeleteQuery(Struct):
    ids: Annotated[list[str], Meta(min_length=1, max_length=1000)]


class UnitAttachmentDeleteResponse(Struct):
    ids: list[UUID]


@router.post("/attachments", openapi_extra=operation(UploadSlot, NameBody, name="attachment-initialize"))
def initialize(
    request: Request, actor: WithRecordingActor, services: WithServices, body: WithName
) -> Response:
    """Announce a file and learn where to PUT its bytes."""
    slot = initialize_upload(services, actor, str(request.base_url), body.name)
    return JsonResponse(UploadSlot(slot.id, slot.url))


@router.post(
    "/attachments/{id}/finalize",
    openapi_extra=operation(AttachmentFinalizeResponse, name="attachment-finalize"),
)
def finalize(
    id: str,  # noqa: A002 (as the contract names it)
    request: Request,
    _actor: WithRecordingActor,
    services: WithServices,
    scope: WithScope,
) -> Response:
    """Confirm that the bytes of a file have arrived, and learn where to get them."""
    announced = get_attachment(scope, id_of(id, AttachmentNotFound))
    (attachment,) = settled(services, [announced])
    if attachment.stored_at is None:
        raise AttachmentNotFound(id)
    return JsonResponse(AttachmentFinalizeResponse(download_url(services, attachment, str(request.base_url))))


@router.delete(
    "/attachments",
    openapi_extra=operation(
        IdListResult, name="attachment-delete", parameters=query_parameters(AttachmentDeleteQuery)
    ),
)
def delete(
    actor: Annotated[UserActor, to_manage("delete attachments")],
    services: WithServices,
    query: Annotated[AttachmentDeleteQuery, query(AttachmentDeleteQuery)],
) -> Response:
    """Delete files, whatever they are part of. If any is unknown, none is deleted."""
    ids = [id_of(text, AttachmentNotFound) for text in query.ids]
    deleted = services.writer.write(actor, lambda tx: delete_attachments(tx, ids, Deletion()))
    body = IdListResult([attachment.id for attachment in deleted])
    return deleted_answer(services, actor.organization_id, body)


@router.post(
    "/runs/{id}/attachments", openapi_extra=operation(UploadSlot, NameBody, name="run-createAttachment")
)
def create_of_run(
    id: str,  # noqa: A002 (as the contract names it)
    request: Request,
    actor: WithRecordingActor,
    services: WithServices,
    body: WithName,
) -> Response:
    """Announce a file that is part of a run from the start."""
    run_id = id_of(id, RunNotFound)
    slot = new_slot(services, actor.organization_id, str(request.base_url))
    services.writer.write(actor, lambda tx: announce_file_of_run(tx, actor, run_id, body.name, slot.id))
    return JsonResponse(UploadSlot(slot.id, slot.url))


@router.post(
    "/units/{serial_number:path}/attachments",
    openapi_extra=operation(UploadSlot, NameBody, name="unit-createAttachment"),
)
def create_of_unit(
    serial_number: str, request: Request, actor: WithRecordingActor, services: WithServices, body: WithName
) -> Response:
    """Announce a file that is part of a unit from the start."""
    slot = new_slot(services, actor.organization_id, str(request.base_url))
    services.writer.write(
        actor, lambda tx: announce_file_of_unit(tx, actor, serial_number, body.name, slot.id)
    )
    return JsonResponse(UploadSlot(slot.id, slot.url))


@router.delete(
    "/units/{serial_number:path}/attachments",
    openapi_extra=operation(
        UnitAttachmentDeleteResponse,
        name="unit-deleteAttachment",
        parameters=query_parameters(AttachmentDeleteQuery),
    ),
)
def delete_of_unit(
    serial_number: str,
    actor: WithRecordingActor,
    services: WithServices,
    query: Annotated[AttachmentDeleteQuery, query(AttachmentDeleteQuery)],
) -> Response:
    """Delete files of a unit. A station deletes only its own. If any is unknown or of another unit, none is deleted."""
    organization_id = actor.organization_id

    def apply(tx: Transaction) -> list[Attachment]:
        unit = tx.catalog.get_unit(organization_id, serial_number)
        check_reaches_unit(tx, actor, unit)
        ids = [id_of(text, AttachmentNotFound) for text in query.ids]
        check_brought(tx, actor, unit, ids)
        return list(delete_attachments(tx, ids, Deletion(), of_unit=unit.id))

    deleted = services.writer.write(actor, apply)
    body = UnitAttachmentDeleteResponse([attachment.id for attachment in deleted])
    return deleted_answer(services, organization_id, body)
