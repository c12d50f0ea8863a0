"""The code that a station should run, and where to get it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import StationActor
from runcard.domain.errors import Conflict, ProcedureNotFound, StationNotAuthorized
from runcard.domain.floor.deployment import Environment, Mode
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.uploads import download_url
from runcard.edge.requests.services import WithScope, WithServices, as_station
from runcard.store.commit.lookups import find_link
from runcard.store.engine.database import Connection
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import get_attachment
from runcard.store.procedures.rows import Procedure, get_procedure
from runcard.store.stations.deployments import Deployment, list_newest_ready
from runcard.store.stations.records import get_station_record, list_procedures_of

router = APIRouter()

PullingStation = Annotated[StationActor, as_station("pull deployments")]


class PulledStation(Struct):
    id: UUID
    name: str


class PullableDeployment(Struct):
    """sha: of the commit; if no commit was named, of the archive."""

    id: UUID
    sha: str
    message: str
    environment: Environment
    deployed_at: datetime


class PulledProcedure(Struct):
    id: UUID
    identifier: str
    name: str
    deployment: PullableDeployment | None


class PullListResponse(Struct):
    station: PulledStation
    procedures: list[PulledProcedure]


class PullResponse(Struct, rename="camel"):
    """artifact_url: works without a key for a limited time. deployment_id: runs of this code should report it."""

    deployment_id: UUID
    sha: str
    message: str
    environment: Environment
    artifact_url: str
    artifact_sha256: str
    artifact_size_bytes: int | None
    deployment_mode: Mode
    platform: str | None
    language: str | None
    runtime_version: str | None


@router.get("/pull", openapi_extra=operation(PullListResponse, name="cli-pullList"))
def list_(actor: PullingStation, scope: WithScope) -> Response:
    """The procedures that the station may run, each with its newest deployment that is ready for the station."""
    station = get_station_record(scope, actor.station_id)
    newest = list_newest_ready(scope, station.id)
    procedures = list_procedures_of(scope, [station])[station.id]
    return JsonResponse(
        PullListResponse(
            PulledStation(station.id, station.name),
            [
                PulledProcedure(
                    procedure.id, procedure.identifier, procedure.name, _pullable(newest.get(procedure.id))
                )
                for procedure in procedures
            ],
        )
    )


@router.get("/pull/{procedure_id}", openapi_extra=operation(PullResponse, name="cli-pull"))
def pull(
    procedure_id: str, request: Request, actor: PullingStation, services: WithServices, scope: WithScope
) -> Response:
    """Where to get the newest code of a procedure, named by id or identifier; 409 while there is none."""
    procedure = _may_run(scope.connection, actor, procedure_id)
    newest = list_newest_ready(scope, actor.station_id).get(procedure.id)
    if newest is None:
        raise Conflict(
            f"No deployment of procedure {procedure.identifier} is ready for this station yet. Deploy it first."
        )
    if newest.artifact_id is None or newest.artifact_sha256 is None:
        raise Conflict(f"The archive of deployment {newest.id} has been deleted. Deploy it again.")
    archive = get_attachment(scope, newest.artifact_id)
    return JsonResponse(
        PullResponse(
            deployment_id=newest.id,
            sha=_sha(newest),
            message=_message(newest),
            environment=newest.environment,
            artifact_url=download_url(services, archive, str(request.base_url)),
            artifact_sha256=newest.artifact_sha256,
            artifact_size_bytes=newest.artifact_bytes,
            deployment_mode=newest.deployment_mode,
            platform=newest.platform,
            language=newest.language,
            runtime_version=newest.runtime_version,
        )
    )


def _may_run(connection: Connection, station: StationActor, reference: str) -> Procedure:
    """The procedure with this id or identifier. Raises StationNotAuthorized, also if there is no such procedure."""
    try:
        procedure = get_procedure(Scope(connection, station.organization_id), reference)
    except ProcedureNotFound:
        raise StationNotAuthorized from None
    if find_link(connection, station.station_id, procedure.id) is None:
        raise StationNotAuthorized
    return procedure


def _pullable(deployment: Deployment | None) -> PullableDeployment | None:
    if deployment is None:
        return None
    return PullableDeployment(
        deployment.id,
        _sha(deployment),
        _message(deployment),
        deployment.environment,
        deployment.created_at,
    )


def _sha(deployment: Deployment) -> str:
    return deployment.commit.sha if deployment.commit else deployment.artifact_sha256 or ""


def _message(deployment: Deployment) -> str:
    return deployment.commit.message if deployment.commit else ""
