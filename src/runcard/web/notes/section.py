"""The section of a thing's page that has its comments, its tags and its cause."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup

from runcard.auth.permissions import may_manage
from runcard.domain.notes.comment import MAX_LENGTH, checked_text, mentions_in
from runcard.domain.notes.tag import TAG_COLOURS
from runcard.ingest.note import may_change
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import Attachment
from runcard.store.lists.choices import list_cause_choices, list_tag_choices
from runcard.store.lists.refs import TagRef
from runcard.store.notes.causes import causes_of
from runcard.store.notes.comments import Comment, list_members, list_newest_comments, read_files, read_names
from runcard.store.notes.tags import Tag, tags_of
from runcard.store.notes.things import NotedKind, NotedThing, get_noted
from runcard.web.frame.facts import creator_name
from runcard.web.frame.formats import Moment, count_text, moment_of, size_text
from runcard.web.frame.urls import notes_url, thing_url
from runcard.web.frame.visit import Visit
from runcard.web.lists.filters import Choice
from runcard.web.notes.markdown import markdown_html

_SHOWN = 20
# Before the name of a cause that lies below another, for each level.
INDENT = "\N{EM SPACE}"
# The list that shows what has a tag.
_LISTS: Mapping[NotedKind, str] = {
    "run": "/runs",
    "unit": "/units",
    "batch": "/batches",
    "station": "/stations",
}


class TagChip(NamedTuple):
    """url: of the things of this kind with the tag; empty if no list has them."""

    name: str
    colour: str
    url: str


class CommentFile(NamedTuple):
    url: str
    name: str
    size: str


class CommentLine(NamedTuple):
    """url: where its form is sent; empty if the reader may not change it. text: as it was written."""

    id: UUID
    url: str
    author: str
    at: Moment
    edited_at: Moment | None
    html: Markup
    text: str
    files: Sequence[CommentFile]


class CommentDraft(NamedTuple):
    """What was filled in and is not taken, or not yet. comment_id: whose text it is; None: of a new comment.

    problems: why it is not taken. preview: what it would look like; empty if nobody asked.
    """

    text: str = ""
    comment_id: UUID | None = None
    problems: Sequence[str] = ()
    preview: Markup = Markup("")


_NO_DRAFT = CommentDraft()


class NotesSection(NamedTuple):
    """url: where forms are sent. offered: tags that it can still get. causes: to choose from, in a tree.

    earlier_url: of older comments; empty if there are none. may_note: the reader may note something. may_make: and make
    new tags.
    """

    url: str
    tags: Sequence[TagChip]
    offered: Sequence[str]
    colours: Sequence[str]
    cause: str
    causes: Sequence[Choice]
    comments: Sequence[CommentLine]
    total: str
    earlier_url: str
    newest_url: str
    draft: CommentDraft
    may_note: bool
    may_make: bool
    most: int


def notes_of(scope: Scope, visit: Visit, thing_id: UUID) -> NotesSection:
    """What is noted on a thing, with its newest comments."""
    return notes_section(scope, visit, get_noted(scope, thing_id))


def notes_section(
    scope: Scope, visit: Visit, thing: NotedThing, before: UUID | None = None, draft: CommentDraft = _NO_DRAFT
) -> NotesSection:
    """What is noted on a thing. before: only comments older than the one with this id."""
    tags = tags_of(scope, [thing.id]).get(thing.id, ())
    cause = causes_of(scope, [thing.id]).get(thing.id)
    page = list_newest_comments(scope, thing.id, _SHOWN, before)
    url = notes_url(thing.id)
    has = {tag.name for tag in tags}
    return NotesSection(
        url=url,
        tags=tag_chips(tags, thing.kind),
        offered=[name for name in list_tag_choices(scope) if name not in has],
        colours=TAG_COLOURS,
        cause="" if cause is None else cause.name,
        causes=_cause_choices(scope, None if cause is None else (cause.code, cause.name)),
        comments=_lines(scope, visit, page.rows),
        total=count_text(page.total) if page.total else "",
        earlier_url=f"{url}?before={page.rows[0].id}" if page.has_earlier else "",
        newest_url=url if before is not None else "",
        draft=draft,
        may_note=visit.actor.role != "viewer",
        may_make=may_manage(visit.actor),
        most=MAX_LENGTH,
    )


def previewed(scope: Scope, text: str) -> CommentDraft:
    """A new comment that is not written yet, with what it would look like. Raises InvalidInput."""
    checked = checked_text(text)
    members = list_members(scope)
    names = {member.id: member.name or member.email for member in members}
    mentions = {handle: names[user_id] for handle, user_id in mentions_in(checked, members).items()}
    return CommentDraft(text, preview=markdown_html(checked, mentions))


def tag_chips(tags: Sequence[Tag | TagRef], kind: NotedKind) -> Sequence[TagChip]:
    """The tags of a thing of this kind as chips."""
    path = _LISTS.get(kind)
    return [
        TagChip(tag.name, tag.colour, "" if path is None else f"{path}?{urlencode({'tag': tag.name})}")
        for tag in tags
    ]


def home_url(thing: NotedThing) -> str:
    """The page that has the section of a thing."""
    return thing_url(thing.kind, thing.id, thing.name) or notes_url(thing.id)


def _cause_choices(scope: Scope, chosen: tuple[str, str] | None) -> Sequence[Choice]:
    code = "" if chosen is None else chosen[0]
    choices = [
        Choice(one.code, f"{INDENT * one.depth}{one.name}", one.code == code)
        for one in list_cause_choices(scope)
    ]
    if chosen is not None and not any(choice.is_chosen for choice in choices):
        choices.insert(0, Choice(code, f"{chosen[1]}, archived", is_chosen=True))
    return [Choice("", "None", chosen is None), *choices]


def _lines(scope: Scope, visit: Visit, comments: Sequence[Comment]) -> Sequence[CommentLine]:
    files = read_files(scope, [comment.id for comment in comments])
    names = read_names(scope, {user_id for comment in comments for user_id in comment.mentions.values()})
    return [_line(visit, comment, files.get(comment.id, ()), names) for comment in comments]


def _line(
    visit: Visit, comment: Comment, files: Sequence[Attachment], names: Mapping[UUID, str]
) -> CommentLine:
    mentions = {handle: names.get(user_id, handle[1:]) for handle, user_id in comment.mentions.items()}
    may = visit.actor.role != "viewer" and may_change(visit.actor, comment)
    return CommentLine(
        id=comment.id,
        url=f"{notes_url(comment.thing_id)}/comments/{comment.id}" if may else "",
        author=creator_name(comment.created_by),
        at=moment_of(comment.created_at, visit.zone),
        edited_at=_edited(comment, visit.zone),
        html=markdown_html(comment.text, mentions),
        text=comment.text,
        files=[
            CommentFile(
                f"{notes_url(comment.id)}/files/{file.id}", file.name, size_text(file.size_bytes or 0)
            )
            for file in files
        ],
    )


def _edited(comment: Comment, zone: ZoneInfo) -> Moment | None:
    return None if comment.edited_at is None else moment_of(comment.edited_at, zone)
