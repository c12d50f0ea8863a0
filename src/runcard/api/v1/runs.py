"""Runs of the v1 API: create, list by serial number, delete."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette import types as asgi
from starlette.responses import Response

from runcard.api.v1.bodies import CreateRunBody, DeletedRunBody, UsualRunBody
from runcard.api.v1.records import RecordedRun, RunRecordBody, RunsEnvelopeBody, run_body
from runcard.api.v1.reports import report_of
from runcard.auth.permissions import check_may_manage
from runcard.domain.actor import Actor, StationActor
from runcard.domain.errors import RunNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse, header_of, send_json
from runcard.edge.deleted import deleted_answer
from runcard.edge.files.uploads import download_url
from runcard.edge.requests.bodies import BodyDecoder, read_body
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithActor, WithScope, WithServices, services_of
from runcard.edge.requests.unknown_names import UnknownName, headers_of
from runcard.ingest.record_run import PreparedRun, prepare_run
from runcard.store.bin.deleting import Deletion
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import list_attachments
from runcard.store.runs.records import list_runs_of_unit, list_sub_units, read_documents
from runcard.store.runs.rows import delete_run

router = APIRouter()

_decoder = BodyDecoder(CreateRunBody, UsualRunBody)


class CreateRun:
    """POST /runs as a plain ASGI endpoint: the only route whose speed a production line notices.

    Errors come in the order of the contract: key, then body, then what the body refers to.
    """

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        services = services_of(scope)
        admission = await services.gate.admit(header_of(scope, b"authorization"))
        body = await read_body(receive, services.max_body_bytes)
        run, unknown = _prepare(body, header_of(scope, b"content-type") or "")
        del body  # only the packed document waits for the commit
        run_id = await services.recorder.record(admission, run)
        await send_json(send, 200, b'{"id":"%b"}' % str(run_id).encode(), *headers_of(unknown))


def _prepare(body: bytes, content_type: str) -> tuple[PreparedRun, Sequence[UnknownName]]:
    run, unknown = _decoder.decode(body, content_type)
    now = datetime.now(UTC)
    prepared = prepare_run(
        report_of(run, now), received_at=now, client=run.client, client_version=run.client_version
    )
    return prepared, unknown


@router.get("/runs", openapi_extra=operation(list[RunRecordBody] | RunsEnvelopeBody))
def list_runs(
    request: Request,
    actor: WithActor,
    services: WithServices,
    scope: WithScope,
    serial_number: Annotated[str, Query(min_length=1, max_length=255)],
    envelope: Literal["array", "object"] | None = None,
) -> Response:
    """All runs of a unit, the latest recorded first. A station sees only runs of procedures that it is linked to."""
    runs = _recorded_runs(scope, actor, serial_number)
    root = str(request.base_url)
    bodies = [run_body(run, lambda attachment: download_url(services, attachment, root)) for run in runs]
    if services.runs_as_object if envelope is None else envelope == "object":
        return JsonResponse(RunsEnvelopeBody(f"{len(bodies)} runs found.", bodies, bodies))
    return JsonResponse(bodies)


@router.delete("/runs/{run_id}", openapi_extra=operation(DeletedRunBody))
def remove_run(run_id: str, actor: WithActor, services: WithServices) -> Response:
    """Delete a run with everything inside it."""
    check_may_manage(actor, "delete runs")
    known_id = id_of(run_id, RunNotFound)
    deleted = services.writer.write(actor, lambda tx: delete_run(tx, known_id, Deletion()))
    if not deleted:
        raise RunNotFound(run_id)
    body = DeletedRunBody(run_id, f"Run {run_id} deleted.")
    return deleted_answer(services, actor.organization_id, body)


def _recorded_runs(scope: Scope, actor: Actor, serial_number: str) -> list[RecordedRun]:
    station_id = actor.station_id if isinstance(actor, StationActor) else None
    records = list_runs_of_unit(scope, serial_number, only_linked_to=station_id)
    ids = [record.id for record in records]
    documents = read_documents(scope, ids)
    attachments = list_attachments(scope, ids)
    sub_units = list_sub_units(scope, ids)
    return [
        RecordedRun(
            record,
            documents[record.id],
            list(attachments.get(record.id, ())),
            list(sub_units.get(record.id, ())),
        )
        for record in records
    ]
