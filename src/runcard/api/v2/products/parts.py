"""Parts of the v2 API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from runcard.api.v2.shapes import (
    SOME_TEXT,
    CreatorRef,
    IdName,
    IdNumber,
    IdResult,
    MetadataBody,
    MetadataChangeBody,
    Name60,
    creator,
    given,
    named,
)
from runcard.domain.actor import UserActor
from runcard.domain.errors import Conflict, InvalidInput
from runcard.domain.text import lookup_key
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.run_filters import metadata_tests
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.ingest.reach import check_may_create
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.metadata import read_metadata
from runcard.store.products.parts import (
    PartChange,
    PartFilter,
    change_part,
    create_part,
    delete_part,
    get_part,
    list_parts,
    list_revisions,
)
from runcard.store.trail.metadata import change_metadata

router = APIRouter()

PartName = Annotated[str, Meta(max_length=255)]


class PartListQuery(PageQuery):
    search_query: str | None = None
    procedure_ids: list[UUID] | None = None
    sort_by: Literal["name", "number", "created_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    metadata: str | None = None
    include_metadata: bool = False


class PartCreateBody(Struct):
    number: Name60
    name: PartName | None = None
    revision_number: Name60 | None = None
    metadata: MetadataBody | None = None


class PartUpdateBody(Struct):
    new_number: Name60 | UnsetType = UNSET
    name: Annotated[str, Meta(min_length=1, max_length=255, pattern=SOME_TEXT)] | UnsetType = UNSET
    metadata: MetadataChangeBody | UnsetType = UNSET


class PartListItem(Struct):
    id: UUID
    number: str
    name: str
    created_at: datetime
    revisions: list[IdNumber]
    metadata: MetadataBody | UnsetType = UNSET


class PartListResponse(Struct):
    data: list[PartListItem]
    meta: PageMeta


class PartRevision(Struct):
    id: UUID
    number: str
    created_at: datetime


class PartGetResponse(Struct):
    id: UUID
    number: str
    name: str
    created_at: datetime
    revisions: list[PartRevision]
    created_by_user: CreatorRef | None
    created_by_station: IdName | None
    metadata: MetadataBody


class PartUpdateResponse(Struct):
    id: UUID
    number: str
    name: str
    updated_at: datetime


class PartDeleteResponse(Struct, rename="camel"):
    id: UUID
    deleted_revision_ids: list[UUID]


@router.post("/parts", openapi_extra=operation(IdResult, PartCreateBody, name="part-create"))
def create(
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[PartCreateBody, json_body(PartCreateBody)],
) -> Response:
    """Create a part with its first revision."""
    name = (body.name or "").strip() or None
    revision = None if body.revision_number is None else body.revision_number.strip()

    def apply(tx: Transaction) -> UUID:
        check_may_create(tx, actor, "Part")
        by = Creator.of(actor)
        part_id = create_part(tx, body.number.strip(), name, revision, by)
        change_metadata(tx, "part", part_id, "metadata", body.metadata or {})
        return part_id

    return JsonResponse(IdResult(services.writer.write(actor, apply)))


@router.get(
    "/parts",
    openapi_extra=operation(PartListResponse, name="part-list", parameters=query_parameters(PartListQuery)),
)
def list_(scope: WithScope, query: Annotated[PartListQuery, query(PartListQuery)]) -> Response:
    """Parts that a search finds, paged, with their revisions."""
    page = page_of(scope.connection, query)
    part_filter = PartFilter(query.search_query, query.procedure_ids, metadata_tests(query.metadata))
    listed = list_parts(scope, part_filter, query.sort_by, page, descending=query.sort_order == "desc")
    ids = [part.id for part in listed.rows]
    revisions = list_revisions(scope, ids)
    metadata = read_metadata(scope, ids) if query.include_metadata else None
    data = [
        PartListItem(
            part.id,
            part.number,
            part.name,
            part.created_at,
            [IdNumber(revision.id, revision.number) for revision in revisions.get(part.id, ())],
            UNSET if metadata is None else metadata.get(part.id, {}),
        )
        for part in listed.rows
    ]
    return JsonResponse(PartListResponse(data, meta_of(page, listed)))


@router.get("/parts/{number:path}", openapi_extra=operation(PartGetResponse, name="part-get"))
def get(number: str, scope: WithScope) -> Response:
    """A part by its number, with its revisions and its creator."""
    part = get_part(scope, number)
    revisions = list_revisions(scope, [part.id]).get(part.id, ())
    return JsonResponse(
        PartGetResponse(
            part.id,
            part.number,
            part.name,
            part.created_at,
            [PartRevision(revision.id, revision.number, revision.created_at) for revision in revisions],
            creator(part.created_by.user),
            named(part.created_by.station),
            read_metadata(scope, [part.id]).get(part.id, {}),
        )
    )


@router.patch(
    "/parts/{number:path}", openapi_extra=operation(PartUpdateResponse, PartUpdateBody, name="part-update")
)
def update(
    number: str,
    actor: Annotated[UserActor, to_manage("change parts")],
    services: WithServices,
    body: Annotated[PartUpdateBody, json_body(PartUpdateBody)],
) -> Response:
    """Renumber or rename a part, and merge its metadata."""
    if body == PartUpdateBody():
        raise InvalidInput.at((), "The body is empty; give new_number, name or metadata.")

    def apply(tx: Transaction) -> PartUpdateResponse:
        part = get_part(tx.scope, number)
        after = change_part(tx, part, PartChange(number=given(body.new_number), name=given(body.name)))
        change_metadata(tx, "part", part.id, "metadata", body.metadata or {})
        return PartUpdateResponse(after.id, after.number, after.name, tx.now)

    return JsonResponse(services.writer.write_catalog(actor, apply))


@router.delete("/parts/{number:path}", openapi_extra=operation(PartDeleteResponse, name="part-delete"))
def delete(
    number: str, actor: Annotated[UserActor, to_manage("delete parts")], services: WithServices
) -> Response:
    """Delete a part and all its revisions. Refused while units or runs name it."""

    def apply(tx: Transaction) -> PartDeleteResponse:
        part = get_part(tx.scope, number)
        if lookup_key(part.number) != lookup_key(number):
            raise Conflict(
                f"The number {number} leads on to part {part.number}. To delete that, name {part.number}."
            )
        return PartDeleteResponse(part.id, list(delete_part(tx, part)))

    return JsonResponse(services.writer.write_catalog(actor, apply))
