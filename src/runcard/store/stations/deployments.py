"""Deployments: which code of a procedure was deployed to which stations."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, exists, func, insert, or_, select

from runcard.domain.errors import DeploymentNotFound
from runcard.domain.floor.deployment import Environment, Mode, Provider, Status, Trigger
from runcard.domain.ids import new_id
from runcard.domain.runs.outcome import LogLevel
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import deployments
from runcard.store.lists.followed_merges import follow_merges
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, Named, created_by, with_creator
from runcard.store.trail.watching import watch_new


class Commit(NamedTuple):
    sha: str
    message: str
    author_username: str
    author_avatar_url: str | None
    committed_at: datetime | None
    branch: str | None


class Repository(NamedTuple):
    """full_name: with the owner, such as acme/board-tests."""

    full_name: str
    provider: Provider


class NewDeployment(Struct, frozen=True, kw_only=True):
    """A deployment to create: its archive has been uploaded and is ready to run."""

    procedure_id: UUID
    environment: Environment
    artifact_id: UUID
    artifact_sha256: str
    deployment_mode: Mode
    platform: str | None
    language: str | None
    runtime_version: str | None
    commit: Commit | None
    repository: Repository | None


class Deployment(NamedTuple):
    """artifact_bytes: size of the archive; None if it is deleted or its size is not known."""

    id: UUID
    environment: Environment
    trigger: Trigger
    status: Status
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    artifact_id: UUID | None
    artifact_sha256: str | None
    deployment_mode: Mode
    platform: str | None
    language: str | None
    runtime_version: str | None
    procedure: Named
    artifact_bytes: int | None
    commit: Commit | None
    repository: Repository | None
    created_by: CreatedBy


class DeployedStation(NamedTuple):
    id: UUID
    name: str
    image_id: UUID | None
    pushed_at: datetime | None


class LogEntry(NamedTuple):
    """seq: counts from 1 in each deployment."""

    seq: int
    level: LogLevel
    message: str
    created_at: datetime


class DeploymentFilter(NamedTuple):
    """Conditions that a deployment must all meet. None: no condition. Bounds are inclusive.

    station_id: it was deployed to this station. pushed: whether it was deployed to any station.
    search: part of the commit's message, branch or author, or the beginning of its hash.
    """

    station_id: UUID | None = None
    procedure_ids: Sequence[UUID] | None = None
    environments: Sequence[Environment] | None = None
    statuses: Sequence[Status] | None = None
    pushed: bool | None = None
    branches: Sequence[str] | None = None
    authors: Sequence[str] | None = None
    deployed_after: datetime | None = None
    deployed_before: datetime | None = None
    search: str | None = None


def find_deployed_procedure(scope: Scope, deployment_id: UUID) -> UUID | None:
    """The procedure whose code a deployment holds; None if there is no such deployment."""
    d = deployments.c
    query = select(d.procedure_id).where(scope.owns(d), d.id == deployment_id)
    return scope.connection.execute(query).scalar_one_or_none()


def create_deployment(
    tx: Transaction,
    new: NewDeployment,
    stations: Sequence[Named],
    log: Sequence[str],
    creator: Creator,
) -> UUID:
    """Add a deployment that is ready for these stations to fetch, and return its id. log: its messages, in order."""
    deployment_id = new_id()
    common = {"deployment_id": deployment_id, "organization_id": tx.organization_id}
    tx.connection.execute(
        insert(deployments).values(
            id=deployment_id,
            organization_id=tx.organization_id,
            procedure_id=new.procedure_id,
            environment=new.environment,
            trigger="cli",
            status="ready",
            started_at=tx.now,
            ended_at=tx.now,
            artifact_id=new.artifact_id,
            artifact_sha256=new.artifact_sha256,
            deployment_mode=new.deployment_mode,
            platform=new.platform,
            language=new.language,
            runtime_version=new.runtime_version,
            created_at=tx.now,
            **_commit_values(new.commit),
            **_repository_values(new.repository),
            **creator.columns,
        )
    )
    for station in stations:
        tx.stage(t.deployment_stations, {**common, "station_id": station.id, "pushed_at": tx.now})
    for seq, message in enumerate(log, start=1):
        entry = LogEntry(seq, "INFO", message, tx.now)
        tx.stage(t.deployment_logs, {**common, **entry._asdict()})
    watch_new(tx, deployments, deployment_id)
    return deployment_id


def get_deployment(scope: Scope, deployment_id: UUID, *, station_id: UUID | None = None) -> Deployment:
    """The deployment with this id. station_id: only if it was deployed there. Raises DeploymentNotFound."""
    query = _deployments(scope.organization_id, station_id).where(deployments.c.id == deployment_id)
    row = scope.connection.execute(query).one_or_none()
    if row is None:
        raise DeploymentNotFound(deployment_id)
    return _deployment(*row)


def list_deployments(scope: Scope, deployment_filter: DeploymentFilter, page: Page) -> Listed[Deployment]:
    """A page of deployments, newest first."""
    d = deployments.c
    if deployment_filter.procedure_ids is not None:
        ids = follow_merges(scope, deployment_filter.procedure_ids)
        deployment_filter = deployment_filter._replace(procedure_ids=ids)
    query = _deployments(scope.organization_id, deployment_filter.station_id).where(
        *known_at(page, "deployment_created", d.id), *_conditions(deployment_filter)
    )
    return fetch_page(scope.connection, query.order_by(d.created_at.desc(), d.id.desc()), page, _deployment)


def list_newest_ready(scope: Scope, station_id: UUID) -> Mapping[UUID, Deployment]:
    """By procedure, the newest ready deployment to this station."""
    d = deployments.c
    order = (
        func.row_number()
        .over(partition_by=d.procedure_id, order_by=(d.created_at.desc(), d.id.desc()))
        .label("position")
    )
    ready = select(d.id, order).where(scope.owns(d), d.status == "ready", _reached(station_id)).subquery()
    newest = select(ready.c.id).where(ready.c.position == 1)
    rows = scope.connection.execute(_deployments(scope.organization_id, station_id).where(d.id.in_(newest)))
    return {found.procedure.id: found for found in (_deployment(*row) for row in rows)}


def list_deployed_stations(
    scope: Scope, deployment_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[DeployedStation]]:
    """The stations that each of these deployments was sent to, sorted by name."""
    s, link = t.stations.c, t.deployment_stations.c
    found: dict[UUID, list[DeployedStation]] = defaultdict(list)
    for some in in_chunks(deployment_ids):
        query = (
            select(link.deployment_id, s.id, s.name, s.image_id, link.pushed_at)
            .join_from(t.deployment_stations, t.stations, s.id == link.station_id)
            .where(scope.owns(link), link.deployment_id.in_(some))
        )
        for deployment_id, *station in scope.connection.execute(query.order_by(s.name_key, s.id)):
            found[deployment_id].append(DeployedStation(*station))
    return found


def list_log(
    scope: Scope,
    deployment_id: UUID,
    *,
    after_seq: int = 0,
    limit: int | None = None,
) -> Sequence[LogEntry]:
    """The entries of a deployment's log after entry `after_seq`, in order, at most `limit`."""
    log = t.deployment_logs.c
    query = select(*(log[name] for name in LogEntry._fields)).where(
        scope.owns(log), log.deployment_id == deployment_id, log.seq > after_seq
    )
    return [LogEntry(*row) for row in scope.connection.execute(query.order_by(log.seq).limit(limit))]


def _reached(station_id: UUID | None) -> ColumnElement[bool]:
    """The condition that a deployment was pushed to this station; None: to any station."""
    link = t.deployment_stations.c
    reached = exists().where(link.deployment_id == deployments.c.id, link.pushed_at.is_not(None))
    return reached if station_id is None else reached.where(link.station_id == station_id)


def _conditions(deployment_filter: DeploymentFilter) -> list[ColumnElement[bool]]:
    d = deployments.c
    lists: list[tuple[Sequence[Any] | None, ColumnElement[Any]]] = [
        (deployment_filter.procedure_ids, d.procedure_id),
        (deployment_filter.environments, d.environment),
        (deployment_filter.statuses, d.status),
        (deployment_filter.branches, d.branch),
        (deployment_filter.authors, d.commit_author_username),
    ]
    conditions: list[ColumnElement[bool]] = [
        column.in_(values) for values, column in lists if values is not None
    ]
    if deployment_filter.pushed is not None:
        conditions.append(_reached(None) if deployment_filter.pushed else ~_reached(None))
    if deployment_filter.deployed_after is not None:
        conditions.append(d.created_at >= deployment_filter.deployed_after)
    if deployment_filter.deployed_before is not None:
        conditions.append(d.created_at <= deployment_filter.deployed_before)
    if deployment_filter.search is not None:
        texts = (d.commit_message, d.branch, d.commit_author_username)
        found = [column.icontains(deployment_filter.search, autoescape=True) for column in texts]
        conditions.append(or_(*found, d.commit_sha.istartswith(deployment_filter.search, autoescape=True)))
    return conditions


_OWN_COLUMNS = [deployments.c[name] for name in Deployment._fields[: Deployment._fields.index("procedure")]]
_COMMIT_COLUMNS = [
    deployments.c[name]
    for name in (
        "commit_sha",
        "commit_message",
        "commit_author_username",
        "commit_author_avatar_url",
        "committed_at",
        "branch",
    )
]
_REPOSITORY_COLUMNS = [deployments.c.repository_full_name, deployments.c.repository_provider]


def _commit_values(commit: Commit | None) -> dict[str, Any]:
    values = commit or [None] * len(_COMMIT_COLUMNS)
    return {column.name: value for column, value in zip(_COMMIT_COLUMNS, values, strict=True)}


def _repository_values(repository: Repository | None) -> dict[str, Any]:
    values = repository or [None] * len(_REPOSITORY_COLUMNS)
    return {column.name: value for column, value in zip(_REPOSITORY_COLUMNS, values, strict=True)}


def _deployments(organization_id: UUID, station_id: UUID | None) -> Select[Any]:
    d, p, a = deployments.c, t.procedures.c, t.attachments.c
    joined = deployments.join(t.procedures, p.id == d.procedure_id).outerjoin(
        t.attachments, a.id == d.artifact_id
    )
    query = (
        select(
            *_OWN_COLUMNS,
            p.id,
            p.name,
            a.size_bytes,
            *_COMMIT_COLUMNS,
            *_REPOSITORY_COLUMNS,
            *CREATOR_COLUMNS,
        )
        .select_from(with_creator(deployments, joined))
        .where(owned_by(organization_id, d))
    )
    return query if station_id is None else query.where(_reached(station_id))


def _deployment(*row: Any) -> Deployment:
    values = iter(row)
    own = list(islice(values, len(_OWN_COLUMNS)))
    procedure, artifact_bytes = Named(next(values), next(values)), next(values)
    commit = list(islice(values, len(_COMMIT_COLUMNS)))
    repository = list(islice(values, len(_REPOSITORY_COLUMNS)))
    return Deployment._make(
        (
            *own,
            procedure,
            artifact_bytes,
            None if commit[0] is None else Commit._make(commit),
            None if repository[0] is None else Repository._make(repository),
            created_by(*values),
        )
    )
