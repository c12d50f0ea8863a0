"""What is noted on things: their tags, their causes, and how many comments they have."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.notes.tag import TagColour
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithScope
from runcard.store.notes.causes import causes_of
from runcard.store.notes.comments import count_comments
from runcard.store.notes.tags import tags_of
from runcard.store.notes.things import NotedKind, get_all_noted

router = APIRouter()


class NoteListQuery(Struct):
    thing_ids: Annotated[list[UUID], Meta(min_length=1, max_length=1000)]


class NotedTag(Struct):
    name: str
    colour: TagColour


class NotedCause(Struct):
    code: str
    name: str


class NoteListItem(Struct):
    """name: what people call the thing; of a run, the serial number of its unit. cause: null: it has none."""

    thing_id: UUID
    kind: NotedKind
    name: str
    tags: Sequence[NotedTag]
    cause: NotedCause | None
    comment_count: int


class NoteListResponse(Struct):
    data: Sequence[NoteListItem]


@router.get(
    "/notes",
    openapi_extra=operation(NoteListResponse, name="note-list", parameters=query_parameters(NoteListQuery)),
)
def list_(scope: WithScope, query: Annotated[NoteListQuery, query(NoteListQuery)]) -> Response:
    """What is noted on these things, in their order."""
    things = get_all_noted(scope, query.thing_ids)
    tags, causes, comments = tags_of(scope, things), causes_of(scope, things), count_comments(scope, things)
    data: list[NoteListItem] = []
    for thing in things.values():
        cause = causes.get(thing.id)
        data.append(
            NoteListItem(
                thing_id=thing.id,
                kind=thing.kind,
                name=thing.name,
                tags=[NotedTag(tag.name, tag.colour) for tag in tags.get(thing.id, ())],
                cause=None if cause is None else NotedCause(cause.code, cause.name),
                comment_count=comments.get(thing.id, 0),
            )
        )
    return JsonResponse(NoteListResponse(data))
