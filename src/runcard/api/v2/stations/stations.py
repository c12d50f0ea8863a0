"""Stations of the v2 API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from runcard.api.v2.files.images import image_id_of
from runcard.api.v2.shapes import (
    SOME_TEXT,
    IdName,
    IdResult,
    MetadataBody,
    MetadataChangeBody,
    given,
    named,
)
from runcard.api.v2.stations.detail import StationDetail, detail_of
from runcard.domain.actor import StationActor, UserActor
from runcard.domain.errors import StationNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.run_filters import metadata_tests
from runcard.edge.requests.services import (
    WithScope,
    WithServices,
    as_station,
    as_user,
    json_body,
    to_manage,
)
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.metadata import read_metadata
from runcard.store.people.teams import get_team
from runcard.store.stations.records import (
    StationFilter,
    StationRecord,
    change_station,
    get_station_in_use,
    get_station_record,
    list_procedures_of,
    list_station_records,
    remove_station,
)
from runcard.store.stations.rows import create_station, link_procedures
from runcard.store.trail.metadata import change_metadata

router = APIRouter()

StationName = Annotated[str, Meta(min_length=1, max_length=255, pattern=SOME_TEXT)]


class StationListQuery(PageQuery):
    search_query: str | None = None
    procedure_ids: list[UUID] | None = None
    tags: list[str] | None = None
    causes: list[str] | None = None
    metadata: str | None = None
    include_metadata: bool = False


class StationCreateBody(Struct):
    name: StationName
    procedure_id: UUID | None = None
    team_id: UUID | None = None
    metadata: MetadataBody | None = None


class StationUpdateBody(Struct):
    """image_id: an upload; an empty text removes the image. team_id: null removes the team."""

    name: StationName | UnsetType = UNSET
    image_id: str | UnsetType = UNSET
    team_id: UUID | UnsetType | None = UNSET
    metadata: MetadataChangeBody | UnsetType = UNSET


class ListedProcedure(Struct):
    """identifier: clients of 2.2 need the key."""

    id: UUID
    name: str
    identifier: str


class StationListItem(Struct):
    id: UUID
    name: str
    procedures: list[ListedProcedure]
    procedures_count: int
    team: IdName | None
    metadata: MetadataBody | UnsetType = UNSET


class StationListResponse(Struct):
    data: list[StationListItem]
    meta: PageMeta


@router.post("/stations", openapi_extra=operation(IdResult, StationCreateBody, name="station-create"))
def create(
    actor: Annotated[UserActor, to_manage("create stations")],
    services: WithServices,
    body: Annotated[StationCreateBody, json_body(StationCreateBody)],
) -> Response:
    """Create a station, linked to a procedure if one is named. Its key is made elsewhere."""

    def apply(tx: Transaction) -> UUID:
        team = None if body.team_id is None else get_team(tx.scope, body.team_id)
        station = create_station(tx, body.name, team_id=team.id if team else None)
        if body.procedure_id is not None:
            link_procedures(tx, station.id, [body.procedure_id])
        change_metadata(tx, "station", station.id, "metadata", body.metadata or {})
        return station.id

    return JsonResponse(IdResult(services.writer.write(actor, apply)))


@router.get(
    "/stations",
    openapi_extra=operation(
        StationListResponse, name="station-list", parameters=query_parameters(StationListQuery)
    ),
)
def list_(
    _actor: Annotated[UserActor, as_user("list stations")],
    scope: WithScope,
    query: Annotated[StationListQuery, query(StationListQuery)],
) -> Response:
    """The stations in use that a search finds, paged, newest first."""
    page = page_of(scope.connection, query)
    station_filter = StationFilter(
        query.search_query,
        query.procedure_ids,
        metadata_tests(query.metadata),
        tags=query.tags,
        causes=query.causes,
    )
    listed = list_station_records(scope, station_filter, page)
    procedures = list_procedures_of(scope, listed.rows)
    ids = [station.id for station in listed.rows]
    metadata = read_metadata(scope, ids) if query.include_metadata else None
    data = [
        StationListItem(
            station.id,
            station.name,
            [
                ListedProcedure(procedure.id, procedure.name, procedure.identifier)
                for procedure in procedures[station.id]
            ],
            len(procedures[station.id]),
            named(station.team),
            UNSET if metadata is None else metadata.get(station.id, {}),
        )
        for station in listed.rows
    ]
    return JsonResponse(StationListResponse(data, meta_of(page, listed)))


@router.get("/stations/current", openapi_extra=operation(StationDetail, name="station-getCurrent"))
def get_current(
    actor: Annotated[StationActor, as_station("ask for the current station")], scope: WithScope
) -> Response:
    """The station that owns the key."""
    station = get_station_record(scope, actor.station_id)
    detail = detail_of(scope, station)
    detail.connection_status = "connected"
    return JsonResponse(detail)


@router.get("/stations/{id}", openapi_extra=operation(StationDetail, name="station-get"))
def get(
    id: str,  # noqa: A002 (as the contract names it)
    scope: WithScope,
) -> Response:
    """A station by id, archived or not, with the procedures that it may report."""
    station = get_station_record(scope, id_of(id, StationNotFound))
    return JsonResponse(detail_of(scope, station))


@router.patch("/stations/{id}", openapi_extra=operation(IdName, StationUpdateBody, name="station-update"))
def update(
    id: str,  # noqa: A002 (as the contract names it)
    actor: Annotated[UserActor, to_manage("change stations")],
    services: WithServices,
    body: Annotated[StationUpdateBody, json_body(StationUpdateBody)],
) -> Response:
    """Rename a station, set or remove its image and its team, and merge its metadata."""
    _organization_id, station_id = actor.organization_id, id_of(id, StationNotFound)

    def apply(tx: Transaction) -> IdName:
        station = get_station_in_use(tx.scope, station_id)
        after = _changed(tx.scope, station, body)
        change_station(tx, after)
        change_metadata(tx, "station", station.id, "metadata", body.metadata or {})
        return IdName(after.id, after.name)

    return JsonResponse(services.writer.write(actor, apply))


@router.delete("/stations/{id}", openapi_extra=operation(IdResult, name="station-remove"))
def remove(
    id: str,  # noqa: A002 (as the contract names it)
    actor: Annotated[UserActor, to_manage("remove stations")],
    services: WithServices,
) -> Response:
    """Delete a station that has made nothing yet; archive a station that has."""
    _organization_id, station_id = actor.organization_id, id_of(id, StationNotFound)

    def apply(tx: Transaction) -> IdResult:
        get_station_in_use(tx.scope, station_id)
        remove_station(tx, station_id)
        return IdResult(station_id)

    return JsonResponse(services.writer.write_catalog(actor, apply))


def _changed(scope: Scope, before: StationRecord, body: StationUpdateBody) -> StationRecord:
    """The station after a change. Raises TeamNotFound or AttachmentNotFound."""
    after = before._replace(name=given(body.name) or before.name)
    if body.team_id is not UNSET:
        after = after._replace(team=None if body.team_id is None else get_team(scope, body.team_id))
    if body.image_id is not UNSET:
        after = after._replace(image_id=image_id_of(scope, body.image_id))
    return after
