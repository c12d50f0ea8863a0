"""Comments on things: list, write, edit and delete them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from runcard.domain.actor import Actor
from runcard.domain.notes.comment import MAX_FILES
from runcard.domain.notes.errors import CommentNotFound
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.uploads import settled
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.paging import PageMeta, PageQuery, meta_of, page_of
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import (
    Services,
    WithRecordingActor,
    WithScope,
    WithServices,
    json_body,
)
from runcard.ingest.note import comment_on, edit, prepare_notes, withdraw
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import Attachment, find_attachments
from runcard.store.notes.comments import Comment, get_comment, list_comments, read_files
from runcard.store.notes.things import get_noted

router = APIRouter()


class CommentListQuery(PageQuery, kw_only=True):
    thing_id: UUID


class CommentCreateBody(Struct):
    """text: markdown, at most 10 000 characters. file_ids: of uploads."""

    thing_id: UUID
    text: str
    file_ids: list[UUID] = []


class CommentUpdateBody(Struct):
    """What is left out stays as it is."""

    text: str | UnsetType = UNSET
    file_ids: list[UUID] | UnsetType = UNSET


class CommentAuthor(Struct):
    id: UUID
    name: str


class CommentMention(Struct):
    """handle: as the text has it, such as "@ada@acme.example"."""

    handle: str
    user_id: UUID


class CommentFile(Struct):
    id: UUID
    name: str
    size_bytes: int | None


class CommentBody(Struct):
    """edited_at: null: never. Exactly one of the two who can have written it is there."""

    id: UUID
    thing_id: UUID
    text: str
    mentions: list[CommentMention]
    files: list[CommentFile]
    created_at: datetime
    edited_at: datetime | None
    created_by_user: CommentAuthor | None
    created_by_station: CommentAuthor | None


class CommentListResponse(Struct):
    data: Sequence[CommentBody]
    meta: PageMeta


class CommentDeleteResponse(Struct):
    id: UUID


@router.get(
    "/comments",
    openapi_extra=operation(
        CommentListResponse, name="comment-list", parameters=query_parameters(CommentListQuery)
    ),
)
def list_(scope: WithScope, query: Annotated[CommentListQuery, query(CommentListQuery)]) -> Response:
    """The comments on a thing, paged, oldest first."""
    thing = get_noted(scope, query.thing_id)
    page = page_of(scope.connection, query)
    listed = list_comments(scope, thing.id, page)
    return JsonResponse(CommentListResponse(_bodies(scope, listed.rows), meta_of(page, listed)))


@router.post("/comments", openapi_extra=operation(CommentBody, CommentCreateBody, name="comment-create"))
def create(
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[CommentCreateBody, json_body(CommentCreateBody)],
) -> Response:
    """Comment on a run, phase, measurement, unit, batch or station."""
    _take_in(services, actor, body.file_ids)
    prepare_notes(services.database, actor, [body.thing_id])

    def apply(tx: Transaction) -> CommentBody:
        comment_id = comment_on(tx, actor, body.thing_id, body.text, body.file_ids)
        return _body(tx.scope, comment_id)

    return JsonResponse(services.writer.write(actor, apply))


@router.patch(
    "/comments/{id}", openapi_extra=operation(CommentBody, CommentUpdateBody, name="comment-update")
)
def update(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[CommentUpdateBody, json_body(CommentUpdateBody)],
) -> Response:
    """Edit a comment. Whoever wrote it may, and admins."""
    comment_id = id_of(id, CommentNotFound)
    if body.file_ids is not UNSET:
        _take_in(services, actor, body.file_ids)

    def apply(tx: Transaction) -> CommentBody:
        text = get_comment(tx.scope, comment_id).text if body.text is UNSET else body.text
        edit(tx, actor, comment_id, text, None if body.file_ids is UNSET else body.file_ids)
        return _body(tx.scope, comment_id)

    return JsonResponse(services.writer.write(actor, apply))


@router.delete("/comments/{id}", openapi_extra=operation(CommentDeleteResponse, name="comment-delete"))
def delete(
    id: str,  # noqa: A002 (as the other operations name it)
    actor: WithRecordingActor,
    services: WithServices,
) -> Response:
    """Delete a comment. Whoever wrote it may, and admins."""
    comment_id = id_of(id, CommentNotFound)
    services.writer.write(actor, lambda tx: withdraw(tx, actor, comment_id))
    return JsonResponse(CommentDeleteResponse(comment_id))


def _take_in(services: Services, actor: Actor, file_ids: Sequence[UUID]) -> None:
    """Note the bytes that were sent directly to the object store. A comment takes only files whose bytes are there."""
    with services.database.read_in(actor.organization_id) as scope:
        announced = list(find_attachments(scope, file_ids[:MAX_FILES]).values())
    settled(services, announced)


def _body(scope: Scope, comment_id: UUID) -> CommentBody:
    (body,) = _bodies(scope, [get_comment(scope, comment_id)])
    return body


def _bodies(scope: Scope, comments: Sequence[Comment]) -> Sequence[CommentBody]:
    files = read_files(scope, [comment.id for comment in comments])
    return [_comment_body(comment, files.get(comment.id, ())) for comment in comments]


def _comment_body(comment: Comment, files: Sequence[Attachment]) -> CommentBody:
    user, station = comment.created_by
    return CommentBody(
        id=comment.id,
        thing_id=comment.thing_id,
        text=comment.text,
        mentions=[CommentMention(handle, user_id) for handle, user_id in comment.mentions.items()],
        files=[CommentFile(file.id, file.name, file.size_bytes) for file in files],
        created_at=comment.created_at,
        edited_at=comment.edited_at,
        created_by_user=None if user is None else CommentAuthor(user.id, user.name),
        created_by_station=None if station is None else CommentAuthor(*station),
    )
