"""Deployments of the v2 API: which code was deployed to which stations. `api.cli` makes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard.api.v2.shapes import IdName
from runcard.domain.actor import Actor, StationActor
from runcard.domain.errors import DeploymentNotFound
from runcard.domain.floor.deployment import Environment, Mode, Provider, Status, Trigger
from runcard.domain.runs.outcome import LogLevel
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.uploads import download_url
from runcard.edge.requests.bounds import moment_bound
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import Services, WithActor, WithScope, WithServices
from runcard.store.files.attachments import Attachment, find_attachments
from runcard.store.stations.deployments import (
    DeployedStation,
    Deployment,
    DeploymentFilter,
    Repository,
    get_deployment,
    list_deployed_stations,
    list_deployments,
    list_log,
)

router = APIRouter()


class DeploymentListQuery(PageQuery):
    procedure_ids: list[UUID] | None = None
    environments: list[Environment] | None = None
    build_statuses: list[Status] | None = None
    pushed: bool | None = None
    branch_names: list[str] | None = None
    author_usernames: list[str] | None = None
    deployed_after: datetime | None = None
    deployed_before: datetime | None = None
    search_query: str | None = None


class DeploymentListCommit(Struct):
    id: UUID
    sha: str
    message: str
    author_username: str
    author_avatar_url: str | None
    committed_at: datetime | None
    branch: str | None


class DeploymentListRepository(Struct):
    provider: Provider


class DeploymentListItem(Struct):
    id: UUID
    environment: Environment
    trigger: Trigger
    status: Status
    skipped: bool
    started_at: datetime | None
    ended_at: datetime | None
    deployed_at: datetime
    procedure: IdName | None
    commit: DeploymentListCommit | None
    repository: DeploymentListRepository | None
    stations: list[IdName]


class DeploymentListResponse(Struct):
    data: list[DeploymentListItem]
    meta: PageMeta


class DeployedBy(Struct):
    id: UUID
    name: str
    image: str | None


class DeploymentGetRepository(Struct):
    full_name: str
    provider: Provider


class DeploymentGetCommit(Struct):
    id: UUID
    sha: str
    message: str
    author_username: str
    author_avatar_url: str | None
    committed_at: datetime | None
    branch: IdName | None
    repository: DeploymentGetRepository | None


class DeploymentGetStation(Struct):
    id: UUID
    name: str
    image_url: str | None
    pushed_at: datetime | None


class BuildLog(Struct):
    seq: int
    level: LogLevel
    message: str
    created_at: datetime


class DeploymentGetResponse(Struct):
    """artifact_url: works without a key for a limited time."""

    id: UUID
    environment: Environment
    trigger: Trigger
    status: Status
    deployed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    artifact_url: str | None
    artifact_sha256: str | None
    artifact_size_bytes: int | None
    deployment_mode: Mode
    platform: str | None
    language: str | None
    runtime_version: str | None
    procedure: IdName | None
    created_by_user: DeployedBy | None
    commit: DeploymentGetCommit | None
    stations: list[DeploymentGetStation]
    build_logs: list[BuildLog]


@router.get(
    "/deployments",
    openapi_extra=operation(
        DeploymentListResponse, name="deployment-list", parameters=query_parameters(DeploymentListQuery)
    ),
)
def list_(
    actor: WithActor,
    scope: WithScope,
    query: Annotated[DeploymentListQuery, query(DeploymentListQuery)],
) -> Response:
    """Filtered and paged deployments, newest first. A station sees only its own deployments."""
    organization_id, page = actor.organization_id, page_of(scope.connection, query)
    listed = list_deployments(scope, _filter(actor, query), page)
    stations = list_deployed_stations(scope, [deployment.id for deployment in listed.rows])
    data = [_item(organization_id, deployment, stations.get(deployment.id, ())) for deployment in listed.rows]
    return JsonResponse(DeploymentListResponse(data, meta_of(page, listed)))


@router.get("/deployments/{id}", openapi_extra=operation(DeploymentGetResponse, name="deployment-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    request: Request,
    actor: WithActor,
    services: WithServices,
    scope: WithScope,
) -> Response:
    """A deployment with its archive, commit, stations and log. A station sees only its own deployments."""
    organization_id = actor.organization_id
    deployment = get_deployment(scope, id_of(id, DeploymentNotFound), station_id=_station_id(actor))
    stations = list_deployed_stations(scope, [deployment.id]).get(deployment.id, ())
    files = [deployment.artifact_id, *(station.image_id for station in stations)]
    urls = _Urls(
        services,
        str(request.base_url),
        find_attachments(scope, [file for file in files if file is not None]),
    )
    user = deployment.created_by.user
    return JsonResponse(
        DeploymentGetResponse(
            id=deployment.id,
            environment=deployment.environment,
            trigger=deployment.trigger,
            status=deployment.status,
            deployed_at=deployment.created_at,
            started_at=deployment.started_at,
            ended_at=deployment.ended_at,
            artifact_url=urls.of(deployment.artifact_id),
            artifact_sha256=deployment.artifact_sha256,
            artifact_size_bytes=deployment.artifact_bytes,
            deployment_mode=deployment.deployment_mode,
            platform=deployment.platform,
            language=deployment.language,
            runtime_version=deployment.runtime_version,
            procedure=IdName(*deployment.procedure),
            created_by_user=None if user is None else DeployedBy(user.id, user.name, None),
            commit=_commit(organization_id, deployment),
            stations=[
                DeploymentGetStation(station.id, station.name, urls.of(station.image_id), station.pushed_at)
                for station in stations
            ],
            build_logs=[BuildLog(*entry) for entry in list_log(scope, deployment.id)],
        )
    )


class _Urls(Struct):
    """Makes signed URLs of files. A file that is not stored has none."""

    services: Services
    request_root: str
    files: Mapping[UUID, Attachment]

    def of(self, attachment_id: UUID | None) -> str | None:
        file = None if attachment_id is None else self.files.get(attachment_id)
        return None if file is None else download_url(self.services, file, self.request_root)


def _filter(actor: Actor, query: DeploymentListQuery) -> DeploymentFilter:
    return DeploymentFilter(
        station_id=_station_id(actor),
        procedure_ids=query.procedure_ids,
        environments=query.environments,
        statuses=query.build_statuses,
        pushed=query.pushed,
        branches=query.branch_names,
        authors=query.author_usernames,
        deployed_after=moment_bound("deployed_after", query.deployed_after),
        deployed_before=moment_bound("deployed_before", query.deployed_before),
        search=query.search_query,
    )


def _station_id(actor: Actor) -> UUID | None:
    return actor.station_id if isinstance(actor, StationActor) else None


def _item(
    organization_id: UUID, deployment: Deployment, stations: Sequence[DeployedStation]
) -> DeploymentListItem:
    commit, repository = deployment.commit, deployment.repository
    return DeploymentListItem(
        id=deployment.id,
        environment=deployment.environment,
        trigger=deployment.trigger,
        status=deployment.status,
        skipped=False,
        started_at=deployment.started_at,
        ended_at=deployment.ended_at,
        deployed_at=deployment.created_at,
        procedure=IdName(*deployment.procedure),
        commit=None
        if commit is None
        else DeploymentListCommit(_git_id(organization_id, repository, "commit", commit.sha), *commit),
        repository=None if repository is None else DeploymentListRepository(repository.provider),
        stations=[IdName(station.id, station.name) for station in stations],
    )


def _commit(organization_id: UUID, deployment: Deployment) -> DeploymentGetCommit | None:
    commit, repository = deployment.commit, deployment.repository
    if commit is None:
        return None
    branch = commit.branch
    return DeploymentGetCommit(
        _git_id(organization_id, repository, "commit", commit.sha),
        commit.sha,
        commit.message,
        commit.author_username,
        commit.author_avatar_url,
        commit.committed_at,
        None if branch is None else IdName(_git_id(organization_id, repository, "branch", branch), branch),
        None if repository is None else DeploymentGetRepository(repository.full_name, repository.provider),
    )


def _git_id(organization_id: UUID, repository: Repository | None, kind: str, name: str) -> UUID:
    """The id of a commit or branch. These are not records, so their id is made from their repository and name."""
    return uuid5(organization_id, "\0".join((repository.full_name if repository else "", kind, name)))
