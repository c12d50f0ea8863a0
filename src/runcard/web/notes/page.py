"""The page of the notes on one thing; phases and measurements have no other page for them."""

from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.errors import AttachmentNotFound, RuncardError
from runcard.domain.notes.errors import CommentNotFound, ThingNotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.files.transfers import file_answer
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.files.attachments import get_attachment
from runcard.store.notes.comments import files_of, find_commented, get_comment
from runcard.store.notes.things import NotedThing, get_noted
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import notes_url, run_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query
from runcard.web.notes.section import CommentDraft, NotesSection, home_url, notes_section

router = APIRouter()

_NO_DRAFT = CommentDraft()


class NotesQuery(Struct, kw_only=True):
    """before: only comments older than this one."""

    before: UUID | None = None


class NotesPage(NamedTuple):
    """back, back_url: the page that the thing is on."""

    about: str
    back: str
    back_url: str
    notes: NotesSection
    history: ThingHistory


@router.get("/notes/{thing_id}")
def show_notes(
    services: WithServices,
    visit: WithVisit,
    thing_id: str,
    query: Annotated[NotesQuery, page_query(NotesQuery)],
) -> Response:
    """The notes on a thing. The id of a comment leads to those of its thing."""
    thing_uuid = id_of(thing_id, lambda sent: ThingNotFound([sent]))
    with services.database.read_in(visit.actor.organization_id) as scope:
        commented = find_commented(scope, thing_uuid)
    if commented is not None:
        return redirect(f"{notes_url(commented)}#notes")
    return show_notes_of(services, visit, thing_uuid, before=query.before)


@router.get("/notes/{comment_id}/files/{file_id}")
def show_file(services: WithServices, visit: WithVisit, comment_id: str, file_id: str) -> Response:
    """The bytes of a file of a comment."""
    comment_uuid, file_uuid = id_of(comment_id, CommentNotFound), id_of(file_id, AttachmentNotFound)
    with services.database.read_in(visit.actor.organization_id) as scope:
        comment = get_comment(scope, comment_uuid)
        if file_uuid not in files_of(scope, [comment.id]).get(comment.id, ()):
            raise AttachmentNotFound(file_id)
        attachment = get_attachment(scope, file_uuid)
    return file_answer(services, attachment)


def show_notes_of(
    services: Services,
    visit: Visit,
    thing_id: UUID,
    draft: CommentDraft = _NO_DRAFT,
    error: RuncardError | None = None,
    before: UUID | None = None,
) -> Response:
    """The page of the notes on a thing. draft, error: what was not taken, and why."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        thing = get_noted(scope, thing_id)
        page = NotesPage(
            about=thing.about,
            back=_back(thing),
            back_url=run_url(thing.run_id) if thing.run_id else home_url(thing),
            notes=notes_section(scope, visit, thing, before, draft),
            history=history_of(scope, visit, thing.id),
        )
    return render("notes/notes.html", page, visit, status=answer_error(error).status if error else 200)


def _back(thing: NotedThing) -> str:
    if thing.run_id is not None:
        return f"Run of {thing.serial_number}"
    return f"{thing.kind.capitalize()} {thing.name}"
