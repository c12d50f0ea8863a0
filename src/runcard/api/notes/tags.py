"""Tags: what the organization has, and giving them to things."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.domain.notes.errors import TagNotFound
from runcard.domain.notes.tag import TagColour
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
from runcard.ingest.note import prepare_notes, tag
from runcard.store.creator import Creator
from runcard.store.notes.tags import Tag, change_tag, create_tag, delete_tag, list_tags

router = APIRouter()


class TagBody(Struct):
    """archived_at: null: in use."""

    id: UUID
    name: str
    colour: TagColour
    archived_at: datetime | None


class TagListItem(TagBody):
    """thing_count: how many things have it."""

    thing_count: int


class TagListResponse(Struct):
    data: Sequence[TagListItem]


class TagCreateBody(Struct):
    name: str
    colour: TagColour = "grey"


class TagUpdateBody(Struct):
    """What is left out or null stays as it is."""

    name: str | None = None
    colour: TagColour | None = None
    archived: bool | None = None


class TagDeleteResponse(Struct):
    id: UUID


class TagApplyBody(Struct):
    """thing_ids: at most 10 000. add, remove: names of tags."""

    thing_ids: list[UUID]
    add: list[str] = []
    remove: list[str] = []


class TagApplyResponse(Struct):
    """The things whose tags changed."""

    changed_ids: Sequence[UUID]


@router.get("/tags", openapi_extra=operation(TagListResponse, name="tag-list"))
def list_(scope: WithScope) -> Response:
    """All tags, archived ones too, sorted by name."""
    listed = list_tags(scope)
    return JsonResponse(TagListResponse([TagListItem(*found, thing_count=count) for found, count in listed]))


@router.post("/tags", openapi_extra=operation(TagBody, TagCreateBody, name="tag-create"))
def create(
    actor: Annotated[UserActor, to_manage("create tags")],
    services: WithServices,
    body: Annotated[TagCreateBody, json_body(TagCreateBody)],
) -> Response:
    """Create a tag."""
    creator = Creator.of(actor)
    made = services.writer.write(actor, lambda tx: create_tag(tx, body.name, body.colour, creator))
    return JsonResponse(_body(made))


@router.post("/tags/apply", openapi_extra=operation(TagApplyResponse, TagApplyBody, name="tag-apply"))
def apply(
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[TagApplyBody, json_body(TagApplyBody)],
) -> Response:
    """Give tags to things and take them away. If anything is unknown, nothing is changed."""
    prepare_notes(services.database, actor, body.thing_ids)
    changed = services.writer.write(
        actor, lambda tx: tag(tx, actor, body.thing_ids, add=body.add, remove=body.remove)
    )
    return JsonResponse(TagApplyResponse(changed))


@router.patch("/tags/{id}", openapi_extra=operation(TagBody, TagUpdateBody, name="tag-update"))
def update(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("change tags")],
    services: WithServices,
    body: Annotated[TagUpdateBody, json_body(TagUpdateBody)],
) -> Response:
    """Rename a tag, give it another colour, archive it or take it back."""
    tag_id = id_of(id, TagNotFound)
    changed = services.writer.write(
        actor,
        lambda tx: change_tag(tx, tag_id, name=body.name, colour=body.colour, archived=body.archived),
    )
    return JsonResponse(_body(changed))


@router.delete("/tags/{id}", openapi_extra=operation(TagDeleteResponse, name="tag-delete"))
def delete(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: Annotated[UserActor, to_manage("delete tags")],
    services: WithServices,
) -> Response:
    """Delete a tag that no thing has."""
    tag_id = id_of(id, TagNotFound)
    services.writer.write(actor, lambda tx: delete_tag(tx, tag_id))
    return JsonResponse(TagDeleteResponse(tag_id))


def _body(found: Tag) -> TagBody:
    return TagBody(*found)
