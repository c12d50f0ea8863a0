"""The forms of the section of notes: comments, their files, tags and the cause of one thing."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, BinaryIO, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage
from runcard.domain.actor import check_may_record
from runcard.domain.errors import Conflict, InvalidInput
from runcard.domain.ids import new_id
from runcard.domain.notes.comment import MAX_FILES, checked_text
from runcard.domain.notes.errors import CommentNotFound, TagNotFound, ThingNotFound
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.ingest.note import comment_on, edit, give_cause, prepare_notes, tag, withdraw
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import AnnouncedFile, create_attachment, mark_stored
from runcard.store.files.blobs import BlobMeta, blob_key
from runcard.store.notes.tags import create_tag
from runcard.store.notes.things import get_noted
from runcard.web.frame.forms import TOKEN_FIELD, WithForm, WithTextForm, problems_of
from runcard.web.frame.render import redirect
from runcard.web.frame.sent_form import SentForm, file_name, read_sent_form
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.notes.page import show_notes_of
from runcard.web.notes.section import CommentDraft, home_url, previewed
from runcard.web.notes.tags import colour_in

router = APIRouter()

# A character of a comment may be four bytes.
_TEXT_BYTES = 60_000
_MAX_FILE_BYTES = 50_000_000
_UNNAMED = "file"


class _KeptFile(NamedTuple):
    """A file whose bytes are stored, and that has no attachment yet."""

    id: UUID
    name: str
    meta: BlobMeta


async def _read_comment(
    request: Request, visit: WithVisit, services: WithServices
) -> AsyncIterator[SentForm]:
    """The text and the files of a form. Raises PermissionDenied before it reads any byte if the member may not note."""
    check_may_record(visit.actor)
    most = min(_MAX_FILE_BYTES, services.max_upload_bytes)
    too_large = f"The files are larger than {most} bytes; send less, or fewer at once."
    form = await read_sent_form(request, most, too_large, max_files=MAX_FILES, field_bytes=_TEXT_BYTES)
    try:
        services.form_tokens.check(visit.session, form.fields.get(TOKEN_FIELD, ""))
        yield form
    finally:
        for file in form.files:
            await file.close()


WithComment = Annotated[SentForm, Depends(_read_comment)]


@router.post("/notes/{thing_id}/comments")
def submit_comment(services: WithServices, visit: WithVisit, thing_id: str, form: WithComment) -> Response:
    """Comment on a thing, or show what the comment would look like."""
    thing_uuid, text = _thing_id(thing_id), form.fields.get("text", "")
    if "preview" in form.fields:
        return _preview(services, visit, thing_uuid, text)
    home = _home(services, visit, thing_uuid)  # which reads what the write needs, as `prepare_notes` does
    try:
        # Before any file is stored.
        checked_text(text)
        kept = _keep_files(services, visit, form.files)
        services.writer.write(visit.actor, lambda tx: _comment(tx, visit, thing_uuid, text, kept))
    except InvalidInput as error:
        return show_notes_of(services, visit, thing_uuid, CommentDraft(text, None, problems_of(error)), error)
    return home


@router.post("/notes/{thing_id}/comments/{comment_id}")
def submit_edit(
    services: WithServices, visit: WithVisit, thing_id: str, comment_id: str, fields: WithTextForm
) -> Response:
    """Edit a comment."""
    thing_uuid, comment_uuid = _thing_id(thing_id), id_of(comment_id, CommentNotFound)
    text = fields.get("text", "")
    try:
        services.writer.write(visit.actor, lambda tx: edit(tx, visit.actor, comment_uuid, text))
    except InvalidInput as error:
        return show_notes_of(
            services, visit, thing_uuid, CommentDraft(text, comment_uuid, problems_of(error)), error
        )
    return _home(services, visit, thing_uuid)


@router.post("/notes/{thing_id}/comments/{comment_id}/delete")
def submit_withdrawal(
    services: WithServices, visit: WithVisit, thing_id: str, comment_id: str, _fields: WithForm
) -> Response:
    """Delete a comment."""
    thing_uuid, comment_uuid = _thing_id(thing_id), id_of(comment_id, CommentNotFound)
    services.writer.write(visit.actor, lambda tx: withdraw(tx, visit.actor, comment_uuid))
    return _home(services, visit, thing_uuid)


@router.post("/notes/{thing_id}/tags")
def submit_tags(services: WithServices, visit: WithVisit, thing_id: str, fields: WithForm) -> Response:
    """Give a thing a tag, a new one if the form names a new one, or take one away."""
    thing_uuid = _thing_id(thing_id)

    def apply(tx: Transaction) -> None:
        if "new" in fields:
            check_may_manage(visit.actor, "create tags")
            made = create_tag(tx, fields["new"], colour_in(fields), Creator.of(visit.actor))
            tag(tx, visit.actor, [thing_uuid], add=[made.name])
        else:
            add, remove = ([fields[name]] if name in fields else [] for name in ("add", "remove"))
            tag(tx, visit.actor, [thing_uuid], add=add, remove=remove)

    prepare_notes(services.database, visit.actor, [thing_uuid])
    try:
        services.writer.write(visit.actor, apply)
    except (InvalidInput, Conflict, TagNotFound) as error:
        return show_notes_of(services, visit, thing_uuid, CommentDraft(problems=problems_of(error)), error)
    return _home(services, visit, thing_uuid)


@router.post("/notes/{thing_id}/cause")
def submit_cause(services: WithServices, visit: WithVisit, thing_id: str, fields: WithForm) -> Response:
    """Give a thing a cause, or take it away."""
    thing_uuid, code = _thing_id(thing_id), fields.get("cause", "")
    prepare_notes(services.database, visit.actor, [thing_uuid])
    try:
        services.writer.write(visit.actor, lambda tx: give_cause(tx, visit.actor, [thing_uuid], code or None))
    except Conflict as error:
        return show_notes_of(services, visit, thing_uuid, CommentDraft(problems=problems_of(error)), error)
    return _home(services, visit, thing_uuid)


def _preview(services: Services, visit: Visit, thing_id: UUID, text: str) -> Response:
    try:
        with services.database.read_in(visit.actor.organization_id) as scope:
            draft = previewed(scope, text)
    except InvalidInput as error:
        draft = CommentDraft(text, None, problems_of(error))
        return show_notes_of(services, visit, thing_id, draft, error)
    return show_notes_of(services, visit, thing_id, draft)


def _keep_files(services: Services, visit: Visit, files: Sequence[UploadFile]) -> Sequence[_KeptFile]:
    """Store the bytes of these files. Bytes that no attachment follows are removed by `runcard doctor`."""
    kept: list[_KeptFile] = []
    for upload in files:
        content: BinaryIO = upload.file
        file_id, size = new_id(), content.seek(0, 2)
        content.seek(0)
        services.blobs.write(blob_key(visit.actor.organization_id, file_id), content)
        kept.append(_KeptFile(file_id, file_name(upload.filename, _UNNAMED), BlobMeta(size, None)))
    return kept


def _comment(tx: Transaction, visit: Visit, thing_id: UUID, text: str, kept: Sequence[_KeptFile]) -> None:
    comment_on(tx, visit.actor, thing_id, text, [_attach(tx, visit, file) for file in kept])


def _attach(tx: Transaction, visit: Visit, file: _KeptFile) -> UUID:
    announced = AnnouncedFile(file.name, None, file.meta.size_bytes, file.id)
    attachment = create_attachment(tx, announced, Creator.of(visit.actor))
    return mark_stored(tx, attachment, file.meta).id


def _home(services: Services, visit: Visit, thing_id: UUID) -> Response:
    """The way back to the page of a thing. Raises ThingNotFound."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        return redirect(f"{home_url(get_noted(scope, thing_id))}#notes")


def _thing_id(text: str) -> UUID:
    return id_of(text, lambda sent: ThingNotFound([sent]))
