"""What was deleted waits in the bin: it can be restored, or removed for good."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.errors import NotDeleted
from runcard.domain.floor.reason import check_reason
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope, WithServices, json_body, to_delete, to_manage
from runcard.intake.byte_removal import remove_soon
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.scope import Scope
from runcard.store.restoring.contents import Deleted, get_deleted, list_bin
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore

router = APIRouter()

_MAX_SEARCH = 1000


class BinListQuery(PageQuery, kw_only=True):
    """search_query: part of the name of what was deleted."""

    search_query: Annotated[str, Meta(max_length=_MAX_SEARCH)] | None = None


class DeletedBody(Struct):
    """A deleted thing. noun: such as "run" or "unit". digest: SHA-256 of the record, as the history has it.

    deleted_by: the id of the user or station; null: Runcard itself. deleted_with: the thing that was deleted, if this
    one went along with it. restorable_until: null: it is gone for good, or was merged. merged_into: what a unit was
    merged into.
    """

    id: UUID
    noun: str
    name: str | None
    digest: str | None
    deleted_at: datetime
    deleted_by: UUID | None
    reason: str | None
    deleted_with: UUID | None
    restorable_until: datetime | None
    gone_at: datetime | None
    merged_into: UUID | None


class InBinBody(DeletedBody):
    """along: how many other things were deleted along with it, by noun."""

    along: Mapping[str, int]


class BinListResponse(Struct):
    data: Sequence[InBinBody]
    meta: PageMeta


class RestoreBody(Struct, forbid_unknown_fields=True):
    reason: str | None = None


class RestoreResponse(Struct):
    """things: how many came back, itself included."""

    id: UUID
    things: int


class PurgeQuery(Struct, kw_only=True):
    reason: str | None = None


class PurgeResponse(Struct):
    """things: how many are gone for good, itself included."""

    id: UUID
    things: int


@router.get(
    "/bin",
    openapi_extra=operation(BinListResponse, name="bin-list", parameters=query_parameters(BinListQuery)),
)
def list_(
    _actor: Annotated[UserActor, to_manage("see the bin")],
    scope: WithScope,
    query: Annotated[BinListQuery, query(BinListQuery)],
) -> Response:
    """What waits in the bin, the last deleted first."""
    page = page_of(scope.connection, query)
    listed = list_bin(scope, page, query.search_query)
    data = [InBinBody(**_fields(scope, row.thing), along=row.along) for row in listed.rows]
    return JsonResponse(BinListResponse(data, meta_of(page, listed)))


@router.get("/bin/{id}", openapi_extra=operation(DeletedBody, name="bin-get"))
def get(
    id: str,  # noqa: A002 (as the other operations name it)
    _actor: Annotated[UserActor, to_manage("see the bin")],
    scope: WithScope,
) -> Response:
    """What is known of a deleted thing, also if it is gone for good."""
    return JsonResponse(DeletedBody(**_fields(scope, get_deleted(scope, _id_of(id)))))


@router.post("/bin/{id}/restore", openapi_extra=operation(RestoreResponse, RestoreBody, name="bin-restore"))
def restore_(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("restore what was deleted")],
    services: WithServices,
    body: Annotated[RestoreBody, json_body(RestoreBody)],
) -> Response:
    """Restore a thing with all that was deleted along with it: everything, or nothing."""
    thing_id, reason = _id_of(id), _checked(body.reason)
    restored = services.writer.write_catalog(actor, lambda tx: restore(tx, thing_id, reason))
    return JsonResponse(RestoreResponse(thing_id, restored.things))


@router.delete(
    "/bin/{id}",
    openapi_extra=operation(PurgeResponse, name="bin-purge", parameters=query_parameters(PurgeQuery)),
)
def purge_(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_delete("remove things from the bin")],
    services: WithServices,
    query: Annotated[PurgeQuery, query(PurgeQuery)],
) -> Response:
    """Remove a thing from the bin for good, with all that was deleted along with it. Its tombstone stays."""
    thing_id, reason = _id_of(id), _checked(query.reason)
    things = services.writer.write(actor, lambda tx: purge(tx, thing_id, reason))
    remove_soon(services.stores, actor.organization_id)
    return JsonResponse(PurgeResponse(thing_id, things))


def _fields(scope: Scope, thing: Deleted) -> dict[str, Any]:
    kept = get_organization(scope).kept_in_bin
    return {
        "id": thing.id,
        "noun": thing.noun,
        "name": thing.name,
        "digest": None if thing.digest is None else thing.digest.hex(),
        "deleted_at": thing.deleted_at,
        "deleted_by": thing.deleted_by_id,
        "reason": thing.why,
        "deleted_with": None if thing.head_id == thing.id else thing.head_id,
        "restorable_until": thing.deleted_at + kept if thing.is_in_bin else None,
        "gone_at": thing.purged_at,
        "merged_into": thing.merged_into_id,
    }


def _id_of(text: str) -> UUID:
    return id_of(text, NotDeleted)


def _checked(reason: str | None) -> str | None:
    return None if reason is None else check_reason(reason)
