"""A station as the v2 API shows it in full."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from runcard.api.v2.shapes import IdName, MetadataBody, named
from runcard.domain.floor.deployment import Provider
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.scope import Scope
from runcard.store.metadata import read_metadata
from runcard.store.stations.deployments import Deployment, list_newest_ready
from runcard.store.stations.records import (
    StationRecord,
    count_runs_of,
    find_key_prefix,
    has_reported_since,
    list_procedures_of,
)

# How long after a run its station counts as connected.
CONNECTED_FOR = timedelta(minutes=15)


class DeployedCommit(Struct):
    sha: str
    message: str
    branch: str | None


class DeployedRepository(Struct):
    owner: str
    name: str
    provider: Provider
    gitlab_project_id: int | None


class StationDeployment(Struct):
    deployed_at: datetime
    commit: DeployedCommit | None
    repository: DeployedRepository | None


class StationProcedure(Struct):
    """runs_count: runs that this station reported. deployment: the newest that it can pull."""

    id: UUID
    name: str
    identifier: str
    runs_count: int
    deployment: StationDeployment | None


class StationDetail(Struct):
    """api_key: the beginning of its newest key that works. archived_at: null while it is in use."""

    id: UUID
    name: str
    api_key: str | None
    procedures: list[StationProcedure]
    organization_slug: str
    team: IdName | None
    connection_status: Literal["connected", "disconnected"] | None
    archived_at: datetime | None
    metadata: MetadataBody


def detail_of(scope: Scope, station: StationRecord) -> StationDetail:
    """The full view of a station."""
    key = find_key_prefix(scope, station.id, datetime.now(UTC)) if station.archived_at is None else None
    return StationDetail(
        id=station.id,
        name=station.name,
        api_key=key,
        procedures=_procedures(scope, station),
        organization_slug=get_organization(scope).slug,
        team=named(station.team),
        connection_status=None if key is None else _status(scope, station.id),
        archived_at=station.archived_at,
        metadata=read_metadata(scope, [station.id]).get(station.id, {}),
    )


def _status(scope: Scope, station_id: UUID) -> Literal["connected", "disconnected"]:
    since = datetime.now(UTC) - CONNECTED_FOR
    return "connected" if has_reported_since(scope, station_id, since) else "disconnected"


def _procedures(scope: Scope, station: StationRecord) -> list[StationProcedure]:
    counts = count_runs_of(scope, station.id)
    deployed = list_newest_ready(scope, station.id)
    return [
        StationProcedure(
            procedure.id,
            procedure.name,
            procedure.identifier,
            counts.get(procedure.id, 0),
            _deployed(deployed.get(procedure.id)),
        )
        for procedure in list_procedures_of(scope, [station])[station.id]
    ]


def _deployed(deployment: Deployment | None) -> StationDeployment | None:
    if deployment is None:
        return None
    commit, repository = deployment.commit, deployment.repository
    owner, _, name = repository.full_name.rpartition("/") if repository else ("", "", "")
    return StationDeployment(
        deployment.created_at,
        DeployedCommit(commit.sha, commit.message, commit.branch) if commit else None,
        DeployedRepository(owner, name, repository.provider, None) if repository else None,
    )
