"""Deploy code to stations: upload an archive, then deploy it. Nothing is built here, so it is ready at once."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.actor import StationActor, UserActor
from runcard.domain.errors import Conflict, DeploymentNotFound, InvalidInput
from runcard.domain.floor.deployment import Environment, Mode, Provider, Status
from runcard.domain.instant import as_utc
from runcard.domain.runs.outcome import LogLevel
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.uploads import initialize_upload, taken_in
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithActor, WithScope, WithServices, json_body, to_manage
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import Attachment, get_attachment, hold_attachment
from runcard.store.files.blobs import Blobs
from runcard.store.lists.refs import Named
from runcard.store.procedures.rows import Procedure, get_procedure
from runcard.store.stations.deployments import (
    Commit,
    NewDeployment,
    Repository,
    create_deployment,
    get_deployment,
    list_log,
)
from runcard.store.stations.records import get_station_in_use, list_stations_for

router = APIRouter()

Deployer = Annotated[UserActor, to_manage("deploy")]

# PostgreSQL keeps no NUL.
_NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, Meta(max_length=255, pattern=_NO_NUL)]
SomeLine = Annotated[str, Meta(min_length=1, max_length=255, pattern=_NO_NUL)]
Paragraphs = Annotated[str, Meta(max_length=50_000, pattern=_NO_NUL)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{64}$")]
_LOG_LIMIT = 1000


class DeployUploadBody(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=1000)] = "deployment.tar.gz"
    size_bytes: Annotated[int, Meta(ge=0)] | None = None


class DeployUploadSlot(Struct):
    id: UUID
    upload_url: str


class DeployCommit(Struct):
    sha: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{7,64}$")]
    message: Paragraphs = ""
    author_username: Line = ""
    author_avatar_url: Annotated[str, Meta(max_length=2000, pattern=r"^https?://[^\s\x00]+$")] | None = None
    committed_at: datetime | None = None
    branch: Line | None = None


class DeployRepository(Struct):
    """full_name: with its owner, such as acme/board-tests."""

    full_name: SomeLine
    provider: Provider


class DeployBody(Struct, kw_only=True):
    """procedure_id: an id, or an identifier such as FVT1. sha256: of the archive; it is checked.

    station_ids: the stations to deploy to; left out: for production, all stations that may run the procedure, else
    none.
    """

    procedure_id: SomeLine
    upload_id: UUID
    sha256: Sha256 | None = None
    environment: Environment = "production"
    station_ids: list[UUID] | None = None
    commit: DeployCommit | None = None
    repository: DeployRepository | None = None
    deployment_mode: Mode = "sync"
    platform: Line | None = None
    language: Line | None = None
    runtime_version: Line | None = None


class DeployedTo(Struct):
    id: UUID
    name: str


class DeployResult(Struct):
    id: UUID
    status: Status
    environment: Environment
    artifact_sha256: str
    artifact_size_bytes: int
    stations: list[DeployedTo]


class LogQuery(Struct):
    """after_seq: only entries after this one."""

    after_seq: Annotated[int, Meta(ge=-1, lt=1 << 31)] = 0


class DeployLogEntry(Struct):
    seq: int
    level: LogLevel
    text: str
    created_at: datetime


class DeployLog(Struct):
    status: Status
    entries: list[DeployLogEntry]


class _Archive(NamedTuple):
    sha256: str
    size_bytes: int


@router.post(
    "/deployments/upload",
    openapi_extra=operation(DeployUploadSlot, DeployUploadBody, name="cli-deployUpload"),
)
def upload(
    request: Request,
    actor: Deployer,
    services: WithServices,
    body: Annotated[DeployUploadBody, json_body(DeployUploadBody)],
) -> Response:
    """Announce an archive and learn where to PUT its bytes."""
    slot = initialize_upload(services, actor, str(request.base_url), body.name, size_bytes=body.size_bytes)
    return JsonResponse(DeployUploadSlot(slot.id, slot.url))


@router.post("/deployments", openapi_extra=operation(DeployResult, DeployBody, name="cli-deploy"))
def create(
    actor: Deployer,
    services: WithServices,
    scope: WithScope,
    body: Annotated[DeployBody, json_body(DeployBody)],
) -> Response:
    """Deploy an uploaded archive: code of a procedure, for stations to pull."""
    procedure = get_procedure(scope, body.procedure_id)
    attachment = taken_in(services, get_attachment(scope, body.upload_id))
    archive = _read_archive(services.blobs, attachment)
    if body.sha256 is not None and body.sha256.lower() != archive.sha256:
        raise InvalidInput.at(
            "sha256",
            f"{body.sha256} is not the SHA-256 of the upload, which is {archive.sha256}; upload it again",
        )
    new = _new_deployment(body, procedure, archive)

    def apply(tx: Transaction) -> DeployResult:
        if hold_attachment(tx, attachment.id).blob_key != attachment.blob_key:
            raise Conflict(f"Upload {attachment.id} was replaced during the deployment. Deploy it again.")
        stations = _stations(tx.scope, procedure, body)
        log = [
            f"Archive {attachment.name}: {archive.size_bytes} bytes, SHA-256 {archive.sha256}",
            *(f"Brought to station {station.name}" for station in stations),
        ]
        deployment_id = create_deployment(tx, new, stations, log, Creator.of(actor))
        return DeployResult(
            deployment_id,
            "ready",
            new.environment,
            archive.sha256,
            archive.size_bytes,
            [DeployedTo(*station) for station in stations],
        )

    return JsonResponse(services.writer.write(actor, apply))


@router.get(
    "/deployments/{deployment_id}/logs",
    openapi_extra=operation(DeployLog, name="cli-deployLogs", parameters=query_parameters(LogQuery)),
)
def logs(
    deployment_id: str,
    actor: WithActor,
    scope: WithScope,
    query: Annotated[LogQuery, query(LogQuery)],
) -> Response:
    """The log of a deployment after an entry, at most 1000 entries. A station reads only of its own deployments."""
    station_id = actor.station_id if isinstance(actor, StationActor) else None
    deployment = get_deployment(scope, id_of(deployment_id, DeploymentNotFound), station_id=station_id)
    entries = list_log(scope, deployment.id, after_seq=query.after_seq, limit=_LOG_LIMIT)
    return JsonResponse(DeployLog(deployment.status, [DeployLogEntry(*entry) for entry in entries]))


def _read_archive(blobs: Blobs, attachment: Attachment) -> _Archive:
    """The digest and size of an uploaded archive. Raises Conflict while its bytes have not arrived."""
    pieces = blobs.stream(attachment.blob_key)
    if pieces is None:
        raise Conflict(f"Upload {attachment.id} has no bytes yet. PUT them to its upload_url first.")
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return _Archive(digest.hexdigest(), size)


def _new_deployment(body: DeployBody, procedure: Procedure, archive: _Archive) -> NewDeployment:
    commit, repository = body.commit, body.repository
    return NewDeployment(
        procedure_id=procedure.id,
        environment=body.environment,
        artifact_id=body.upload_id,
        artifact_sha256=archive.sha256,
        deployment_mode=body.deployment_mode,
        platform=body.platform,
        language=body.language,
        runtime_version=body.runtime_version,
        commit=None if commit is None else _commit(commit),
        repository=None if repository is None else Repository(repository.full_name, repository.provider),
    )


def _commit(body: DeployCommit) -> Commit:
    try:
        committed_at = None if body.committed_at is None else as_utc(body.committed_at)
    except ValueError as error:
        raise InvalidInput.at(("commit", "committed_at"), str(error)) from error
    return Commit(
        body.sha.lower(),
        body.message,
        body.author_username,
        body.author_avatar_url,
        committed_at,
        body.branch,
    )


def _stations(scope: Scope, procedure: Procedure, body: DeployBody) -> Sequence[Named]:
    """The stations to deploy to. Raises StationNotFound, or InvalidInput if a station may not run the procedure."""
    able = list_stations_for(scope, procedure.id)
    if body.station_ids is None:
        return able if body.environment == "production" else []
    by_id = {station.id: station for station in able}
    for station_id in body.station_ids:
        if station_id not in by_id:
            station = get_station_in_use(scope, station_id)
            raise InvalidInput.at(
                "station_ids",
                f"Station {station.name} may not run procedure {procedure.identifier}; link it first",
            )
    return [by_id[station_id] for station_id in dict.fromkeys(body.station_ids)]
