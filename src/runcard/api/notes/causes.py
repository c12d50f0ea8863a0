"""Causes: the tree that the organization has, and giving them to things."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.notes.cause import Cause
from runcard.domain.notes.errors import CauseNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import (
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
    to_manage,
)
from runcard.ingest.note import give_cause, prepare_notes
from runcard.store.creator import Creator
from runcard.store.notes.causes import (
    CauseChange,
    UsedCause,
    change_cause,
    create_cause,
    delete_cause,
    list_causes,
)

router = APIRouter()


class CauseBody(Struct):
    """parent_id: null: it stands at the top. archived_at: null: in use."""

    id: UUID
    code: str
    name: str
    parent_id: UUID | None
    archived_at: datetime | None


class CauseListItem(CauseBody):
    """depth: how many causes stand above it. path: the names from the top down to its own.

    thing_count: how many things have this cause itself.
    """

    depth: int
    path: Sequence[str]
    thing_count: int


class CauseListResponse(Struct):
    data: Sequence[CauseListItem]


class CauseCreateBody(Struct):
    """parent: the code of the cause above it; null: it stands at the top."""

    code: str
    name: str
    parent: str | None = None


class CauseUpdateBody(Struct):
    """What is left out stays as it is. parent: null moves it to the top."""

    code: str | None = None
    name: str | None = None
    parent: str | UnsetType | None = UNSET
    archived: bool | None = None


class CauseDeleteResponse(Struct):
    id: UUID


class CauseApplyBody(Struct):
    """thing_ids: at most 10 000. cause: a code; null takes their cause from the things."""

    thing_ids: list[UUID]
    cause: str | None


class CauseApplyResponse(Struct):
    """The things whose cause changed."""

    changed_ids: Sequence[UUID]


@router.get("/causes", openapi_extra=operation(CauseListResponse, name="cause-list"))
def list_(scope: WithScope) -> Response:
    """All causes, archived ones too, each followed by its branch."""
    return JsonResponse(CauseListResponse([_item(used) for used in list_causes(scope)]))


@router.post("/causes", openapi_extra=operation(CauseBody, CauseCreateBody, name="cause-create"))
def create(
    actor: Annotated[UserActor, to_manage("create causes")],
    services: WithServices,
    body: Annotated[CauseCreateBody, json_body(CauseCreateBody)],
) -> Response:
    """Create a cause."""
    creator = Creator.of(actor)
    made = services.writer.write(
        actor, lambda tx: create_cause(tx, body.code, body.name, body.parent, creator)
    )
    return JsonResponse(_body(made))


@router.post("/causes/apply", openapi_extra=operation(CauseApplyResponse, CauseApplyBody, name="cause-apply"))
def apply(
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[CauseApplyBody, json_body(CauseApplyBody)],
) -> Response:
    """Give things a cause in place of any other. If anything is unknown, nothing is changed."""
    prepare_notes(services.database, actor, body.thing_ids)
    changed = services.writer.write(actor, lambda tx: give_cause(tx, actor, body.thing_ids, body.cause))
    return JsonResponse(CauseApplyResponse(changed))


@router.patch("/causes/{id}", openapi_extra=operation(CauseBody, CauseUpdateBody, name="cause-update"))
def update(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("change causes")],
    services: WithServices,
    body: Annotated[CauseUpdateBody, json_body(CauseUpdateBody)],
) -> Response:
    """Rename a cause, move it, archive it or take it back."""
    cause_id = id_of(id, CauseNotFound)
    change = CauseChange(body.code, body.name, body.parent, body.archived)
    return JsonResponse(_body(services.writer.write(actor, lambda tx: change_cause(tx, cause_id, change))))


@router.delete("/causes/{id}", openapi_extra=operation(CauseDeleteResponse, name="cause-delete"))
def delete(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("delete causes")],
    services: WithServices,
) -> Response:
    """Delete a cause that no thing has and below which none stands."""
    cause_id = id_of(id, CauseNotFound)
    services.writer.write(actor, lambda tx: delete_cause(tx, cause_id))
    return JsonResponse(CauseDeleteResponse(cause_id))


def _body(cause: Cause) -> CauseBody:
    return CauseBody(*cause)


def _item(used: UsedCause) -> CauseListItem:
    placed = used.placed
    return CauseListItem(*placed.cause, depth=placed.depth, path=placed.path, thing_count=used.thing_count)
