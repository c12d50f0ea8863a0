"""Uploads and imports of the v1 API: initialize, PUT to the signed link, then attach to a run or import as a run."""

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.api.v1.bodies import (
    EmptyBody,
    IdBody,
    ImportBody,
    InitializeUploadBody,
    SyncUploadBody,
    UploadSlotBody,
)
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.uploads import initialize_upload, taken_in
from runcard.edge.requests.services import (
    WithActor,
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
)
from runcard.ingest.attach_file import attach_file
from runcard.ingest.record_run import RunClient
from runcard.intake.arrived_files import Upload
from runcard.intake.parsing.opened_file import Reading
from runcard.intake.report_files import record_upload
from runcard.store.files.attachments import get_attachment

router = APIRouter()


@router.post("/uploads/initialize", openapi_extra=operation(UploadSlotBody, InitializeUploadBody))
def initialize(
    request: Request,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[InitializeUploadBody, json_body(InitializeUploadBody)],
) -> Response:
    """Announce a file and learn where to PUT its bytes."""
    slot = initialize_upload(
        services,
        actor,
        str(request.base_url),
        body.name,
        content_type=body.mime_type,
        size_bytes=body.size_bytes,
    )
    return JsonResponse(UploadSlotBody(str(slot.id), slot.url))


@router.post("/uploads/sync", openapi_extra=operation(EmptyBody, SyncUploadBody))
def sync(
    actor: WithActor,
    services: WithServices,
    scope: WithScope,
    body: Annotated[SyncUploadBody, json_body(SyncUploadBody)],
) -> Response:
    """Make an uploaded file an attachment of a run."""
    taken_in(services, get_attachment(scope, body.upload_id))
    services.writer.write(actor, lambda tx: attach_file(tx, actor, body.upload_id, body.run_id))
    return JsonResponse(EmptyBody())


@router.post("/import", openapi_extra=operation(IdBody, ImportBody))
def import_report(
    actor: WithActor,
    services: WithServices,
    scope: WithScope,
    body: Annotated[ImportBody, json_body(ImportBody)],
) -> Response:
    """Record the run in an uploaded report file."""
    upload = Upload(taken_in(services, get_attachment(scope, body.upload_id)))
    reading = Reading(body.importer, RunClient(body.client, body.client_version))
    imported, _ = record_upload(services.stores, actor, upload, reading)
    return JsonResponse(IdBody(str(imported.run_ids[0])))
