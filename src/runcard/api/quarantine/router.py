"""Files that could not be read or recorded: list them, read them, retry them, discard them."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from runcard.api.quarantine.shapes import (
    QuarantineDeleteResponse,
    QuarantinedFileBody,
    QuarantineListQuery,
    QuarantineListResponse,
    QuarantineRetryBody,
    QuarantineRetryResponse,
    file_body,
    retry_body,
)
from runcard.domain.actor import Actor, UserActor
from runcard.domain.errors import QuarantinedFileNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.transfers import saved_file
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import (
    Services,
    WithActor,
    WithClient,
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.intake.choices import ImportChoice
from runcard.intake.quarantine import choice_for_retry, discard, retry_as_brought
from runcard.store.files.attachments import get_attachment
from runcard.store.intake.quarantine import (
    QuarantinedFile,
    QuarantineFilter,
    get_quarantined,
    list_quarantined_page,
)

router = APIRouter()

# Importers whose name in a query differs from that in the record.
_IMPORTERS: Mapping[str, str | None] = {"UNKNOWN": None}


@router.get(
    "/files",
    openapi_extra=operation(
        QuarantineListResponse, name="quarantine-list", parameters=query_parameters(QuarantineListQuery)
    ),
)
def list_(
    scope: WithScope,
    query: Annotated[QuarantineListQuery, query(QuarantineListQuery)],
) -> Response:
    """The files in quarantine, the newest first."""
    importers = None if query.formats is None else [_IMPORTERS.get(name, name) for name in query.formats]
    quarantine_filter = QuarantineFilter(query.search_query, importers)
    page = page_of(scope.connection, query)
    listed = list_quarantined_page(scope, quarantine_filter, page)
    data = [file_body(file) for file in listed.rows]
    return JsonResponse(QuarantineListResponse(data, meta_of(page, listed)))


@router.get("/files/{id}", openapi_extra=operation(QuarantinedFileBody, name="quarantine-get"))
def get(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: WithActor,
    services: WithServices,
) -> Response:
    """A file, and why it was refused."""
    return JsonResponse(file_body(_get(services, actor, id)))


@router.get(
    "/files/{id}/content",
    openapi_extra={
        "operationId": "quarantine-download",
        "summary": "quarantine-download",
        "security": [{"ApiKey": []}],
        "responses": {"200": {"description": "Success", "content": {"application/octet-stream": {}}}},
    },
)
def download(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: WithActor,
    services: WithServices,
) -> Response:
    """The bytes of a file as they arrived."""
    file = _get(services, actor, id)
    with services.database.read_in(actor.organization_id) as scope:
        attachment = get_attachment(scope, file.attachment_id)
    return saved_file(services, attachment)


@router.post(
    "/files/{id}/retry",
    openapi_extra=operation(QuarantineRetryResponse, QuarantineRetryBody, name="quarantine-retry"),
)
def retry(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: WithRecordingActor,
    services: WithServices,
    client: WithClient,
    body: Annotated[QuarantineRetryBody, json_body(QuarantineRetryBody)],
) -> Response:
    """Retry a file after a fix. It is recorded as coming from whoever first brought it."""
    file = _get(services, actor, id)
    choice = ImportChoice(
        body.format,
        body.procedure_id,
        body.part_number,
        body.template_id,
        rehearses=body.dry_run,
        statement=body.statement,
        replaces=body.replace,
        skips_bad_rows=body.skip_bad_rows,
    )
    fate = retry_as_brought(services.stores, actor, client, file, choice_for_retry(file, choice))
    return JsonResponse(retry_body(fate))


@router.delete("/files/{id}", openapi_extra=operation(QuarantineDeleteResponse, name="quarantine-delete"))
def delete(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("discard files in quarantine")],
    services: WithServices,
) -> Response:
    """Discard a file. Runs that were recorded from it stay."""
    file = _get(services, actor, id)
    discard(services.stores, actor, file)
    return JsonResponse(QuarantineDeleteResponse(file.id))


def _get(services: Services, actor: Actor, file_id: str) -> QuarantinedFile:
    with services.database.read_in(actor.organization_id) as scope:
        return get_quarantined(scope, id_of(file_id, QuarantinedFileNotFound))
