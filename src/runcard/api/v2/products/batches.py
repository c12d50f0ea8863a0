"""Batches of the v2 API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.api.v2.created import CreatedQuery, period_of
from runcard.api.v2.runs.shapes import PartWithRevision
from runcard.api.v2.shapes import CreatorRef, IdListResult, IdName, IdResult, creator, named, numbered
from runcard.domain.actor import UserActor
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.deleted import deleted_answer
from runcard.edge.requests.paging import PageMeta, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.ingest.reach import check_may_create
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.products.batches import (
    BatchFilter,
    create_batch,
    delete_batch,
    get_batch,
    list_batches,
    renumber_batch,
)
from runcard.store.units.members import MemberUnit, count_units, list_units_of_batch

router = APIRouter()

# Runs may create batches with other names; only numbers given here must match this.
BatchNumber = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class BatchListQuery(CreatedQuery):
    ids: list[UUID] | None = None
    numbers: list[str] | None = None
    search_query: str | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    tags: list[str] | None = None
    causes: list[str] | None = None
    sort_by: Literal["number", "created_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"


class BatchCreateBody(Struct):
    number: BatchNumber


class BatchUpdateBody(Struct):
    new_number: BatchNumber


class BatchListItem(Struct):
    id: UUID
    number: str
    created_at: datetime
    unit_count: int
    created_by_user: CreatorRef | None
    created_by_station: IdName | None


class BatchListResponse(Struct):
    data: list[BatchListItem]
    meta: PageMeta


class BatchUnit(Struct):
    id: UUID
    serial_number: str
    created_at: datetime
    part: PartWithRevision


class BatchGetResponse(Struct):
    """units: of more than 10 000, the newest."""

    id: UUID
    number: str
    created_at: datetime
    units: list[BatchUnit]
    created_by_user: CreatorRef | None
    created_by_station: IdName | None


@router.post("/batches", openapi_extra=operation(IdResult, BatchCreateBody, name="batch-create"))
def create(
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[BatchCreateBody, json_body(BatchCreateBody)],
) -> Response:
    """Create a batch without units."""

    def apply(tx: Transaction) -> UUID:
        check_may_create(tx, actor, "Batch")
        return create_batch(tx, body.number.strip(), Creator.of(actor))

    return JsonResponse(IdResult(services.writer.write(actor, apply)))


@router.get(
    "/batches",
    openapi_extra=operation(
        BatchListResponse, name="batch-list", parameters=query_parameters(BatchListQuery)
    ),
)
def list_(scope: WithScope, query: Annotated[BatchListQuery, query(BatchListQuery)]) -> Response:
    """Batches that a search and filters find, paged."""
    page, created = page_of(scope.connection, query), period_of(query)
    batch_filter = BatchFilter(
        query.search_query,
        query.ids,
        query.numbers,
        query.part_numbers,
        query.revision_numbers,
        created.after,
        created.before,
        query.tags,
        query.causes,
    )
    listed = list_batches(scope, batch_filter, query.sort_by, page, descending=query.sort_order == "desc")
    counts = count_units(scope, "batch", [batch.id for batch in listed.rows])
    data = [
        BatchListItem(
            batch.id,
            batch.number,
            batch.created_at,
            counts.get(batch.id, 0),
            creator(batch.created_by.user),
            named(batch.created_by.station),
        )
        for batch in listed.rows
    ]
    return JsonResponse(BatchListResponse(data, meta_of(page, listed)))


@router.get("/batches/{number:path}", openapi_extra=operation(BatchGetResponse, name="batch-get"))
def get(number: str, scope: WithScope) -> Response:
    """A batch by its number, with its units."""
    batch = get_batch(scope, number)
    return JsonResponse(
        BatchGetResponse(
            batch.id,
            batch.number,
            batch.created_at,
            [_unit(unit) for unit in list_units_of_batch(scope, batch.id)],
            creator(batch.created_by.user),
            named(batch.created_by.station),
        )
    )


@router.patch(
    "/batches/{number:path}", openapi_extra=operation(IdResult, BatchUpdateBody, name="batch-update")
)
def update(
    number: str,
    actor: Annotated[UserActor, to_manage("change batches")],
    services: WithServices,
    body: Annotated[BatchUpdateBody, json_body(BatchUpdateBody)],
) -> Response:
    """Renumber a batch."""

    def apply(tx: Transaction) -> UUID:
        batch = get_batch(tx.scope, number)
        renumber_batch(tx, batch, body.new_number.strip())
        return batch.id

    return JsonResponse(IdResult(services.writer.write_catalog(actor, apply)))


@router.delete("/batches/{number:path}", openapi_extra=operation(IdListResult, name="batch-delete"))
def delete(
    number: str, actor: Annotated[UserActor, to_manage("delete batches")], services: WithServices
) -> Response:
    """Delete a batch. Its units and runs stay."""

    def apply(tx: Transaction) -> UUID:
        batch = get_batch(tx.scope, number)
        delete_batch(tx, batch, Deletion())
        return batch.id

    deleted = IdListResult([services.writer.write_catalog(actor, apply)])
    return deleted_answer(services, actor.organization_id, deleted)


def _unit(unit: MemberUnit) -> BatchUnit:
    part = unit.part
    return BatchUnit(
        unit.id,
        unit.serial_number,
        unit.created_at,
        PartWithRevision(part.id, part.number, part.name, numbered(unit.revision)),
    )
