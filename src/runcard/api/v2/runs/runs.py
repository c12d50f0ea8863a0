"""Runs of the v2 API."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette import types as asgi
from starlette.responses import Response

from runcard.analytics.lists.run_lists import list_runs
from runcard.api.v2.runs.bodies import RunCreateBody, UsualRunCreateBody
from runcard.api.v2.runs.reports import report_of
from runcard.api.v2.runs.shapes import RunGetResponse, RunListResponse, WholeRun, run_item, whole_run
from runcard.api.v2.shapes import IdListResult, IdResult, MetadataChangeBody
from runcard.domain.actor import UserActor, check_may_record
from runcard.domain.errors import InvalidInput, RunNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse, header_of, send_json
from runcard.edge.deleted import deleted_answer
from runcard.edge.files.uploads import download_url, settled
from runcard.edge.requests.bodies import BodyDecoder, read_body
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import DEFAULT_LIMIT, Cursor, Limit, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.run_filters import RunFilterQuery
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    services_of,
    to_manage,
)
from runcard.edge.requests.unknown_names import headers_of
from runcard.ingest.attach_file import link_uploads
from runcard.ingest.reach import check_reaches_run
from runcard.ingest.record_run import prepare_run
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.files.attachments import list_attachments
from runcard.store.metadata import read_metadata
from runcard.store.runs.records import find_run, list_sub_units, read_documents
from runcard.store.runs.rows import delete_runs
from runcard.store.trail.metadata import change_metadata

router = APIRouter()

_decoder = BodyDecoder(RunCreateBody, UsualRunCreateBody)


class RunListQuery(RunFilterQuery, kw_only=True):
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None
    sort_by: Literal[
        "started_at", "created_at", "duration", "outcome", "serial_number", "part_number", "revision_number"
    ] = "started_at"
    sort_order: Literal["asc", "desc"] = "desc"
    include_metadata: bool = False
    include_sequences: bool = False


class RunCreateResponse(Struct):
    """ids: of all runs, if one request made several."""

    id: UUID
    ids: list[UUID] | UnsetType = UNSET


class RunUpdateBody(Struct):
    attachments: list[UUID] | None = None


class RunMetadataBody(Struct):
    metadata: MetadataChangeBody | None = None


class RunDeleteQuery(Struct):
    ids: Annotated[list[str], Meta(min_length=1, max_length=1000)]


class CreateRun:
    """POST /runs as a plain ASGI endpoint, as in v1: the route whose speed a production line notices."""

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        services = services_of(scope)
        admission = await services.gate.admit(header_of(scope, b"authorization"))
        check_may_record(admission.actor)
        body = await read_body(receive, services.max_body_bytes)
        decoded, unknown = _decoder.decode(body, header_of(scope, b"content-type") or "")
        report = report_of(decoded)
        if services.operators_by_email:
            _check_email(report.operator)
        run = prepare_run(
            report,
            client=header_of(scope, b"x-client-type"),
            client_version=header_of(scope, b"x-client-version"),
        )
        del body, decoded, report  # only the packed document waits for the commit
        run_id = await services.recorder.record(admission, run)
        await send_json(send, 200, b'{"id":"%b"}' % str(run_id).encode(), *headers_of(unknown))


create_run = CreateRun()


@router.get(
    "/runs",
    openapi_extra=operation(RunListResponse, name="run-list", parameters=query_parameters(RunListQuery)),
)
def list_(
    services: WithServices,
    scope: WithScope,
    query: Annotated[RunListQuery, query(RunListQuery)],
) -> Response:
    """Filtered, sorted and paged summaries of runs."""
    page = page_of(scope.connection, query)
    descending = query.sort_order == "desc"
    listed = list_runs(services.copy, scope, query.run_filter(), query.sort_by, page, descending=descending)
    ids = [record.id for record in listed.rows]
    metadata = read_metadata(scope, ids) if query.include_metadata else None
    documents = read_documents(scope, ids) if query.include_sequences else None
    data = [
        run_item(
            record,
            UNSET if metadata is None else metadata.get(record.id, {}),
            UNSET if documents is None else documents[record.id].sequences,
        )
        for record in listed.rows
    ]
    return JsonResponse(RunListResponse(data, meta_of(page, listed)))


@router.delete(
    "/runs",
    openapi_extra=operation(IdListResult, name="run-delete", parameters=query_parameters(RunDeleteQuery)),
)
def delete(
    actor: Annotated[UserActor, to_manage("delete runs")],
    services: WithServices,
    query: Annotated[RunDeleteQuery, query(RunDeleteQuery)],
) -> Response:
    """Delete runs with everything inside them. If any is unknown, none is deleted."""
    organization_id = actor.organization_id

    def apply(tx: Transaction) -> list[UUID]:
        ids = [id_of(text, RunNotFound) for text in dict.fromkeys(query.ids)]
        deleted = delete_runs(tx, ids, Deletion()).ids
        for run_id in ids:
            if run_id not in deleted:
                raise RunNotFound(run_id)
        return ids

    deleted = services.writer.write(actor, apply)
    return deleted_answer(services, organization_id, IdListResult(deleted))


@router.get("/runs/{id}", openapi_extra=operation(RunGetResponse, name="run-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    request: Request,
    services: WithServices,
    scope: WithScope,
) -> Response:
    """A run with its phases, measurements, logs, attachments and sub-units."""
    run_id = id_of(id, RunNotFound)
    record = find_run(scope, run_id)
    if record is None:
        raise RunNotFound(id)
    root = str(request.base_url)
    run = WholeRun(
        record,
        read_documents(scope, [run_id])[run_id],
        settled(services, list_attachments(scope, [run_id]).get(run_id, ())),
        list_sub_units(scope, [run_id]).get(run_id, ()),
        read_metadata(scope, [run_id]).get(run_id, {}),
    )
    return JsonResponse(whole_run(run, lambda attachment: download_url(services, attachment, root)))


@router.patch("/runs/{id}", openapi_extra=operation(IdResult, RunUpdateBody, name="run-update"))
def update(
    id: str,  # noqa: A002 (as the contract names it)
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[RunUpdateBody, json_body(RunUpdateBody)],
) -> Response:
    """Link uploads to a run, in addition to those already linked."""
    run_id = id_of(id, RunNotFound)
    services.writer.write(actor, lambda tx: link_uploads(tx, actor, body.attachments or [], run_id=run_id))
    return JsonResponse(IdResult(run_id))


@router.patch(
    "/runs/{id}/metadata", openapi_extra=operation(IdResult, RunMetadataBody, name="run-updateMetadata")
)
def update_metadata(
    id: str,  # noqa: A002 (as the contract names it)
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[RunMetadataBody, json_body(RunMetadataBody)],
) -> Response:
    """Merge metadata into a run. A null removes its key."""
    _organization_id, run_id = actor.organization_id, id_of(id, RunNotFound)

    def apply(tx: Transaction) -> None:
        check_reaches_run(tx, actor, run_id)
        if body.metadata:
            change_metadata(tx, "run", run_id, "metadata", body.metadata)

    services.writer.write(actor, apply)
    return JsonResponse(IdResult(run_id))


def _check_email(operator: str | None) -> None:
    if operator is not None and "@" not in operator:
        raise InvalidInput.at("operated_by", f"{operator!r} is not an e-mail; give the operator's e-mail")
