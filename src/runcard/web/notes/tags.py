"""The settings of tags: their names and colours, how often they are used, and what is archived."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import Conflict, InvalidInput, NotFound
from runcard.domain.notes.errors import TagNotFound
from runcard.domain.notes.tag import MAX_NAME_LENGTH, TAG_COLOURS, TagColour
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.notes.tags import UsedTag, change_tag, create_tag, delete_tag, list_tags
from runcard.web.frame.formats import count_text
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice

router = APIRouter()

_HERE = "/settings/tags"


class TagLine(NamedTuple):
    """url: where its forms are sent. things: how many have it. may_delete: nothing has it."""

    url: str
    name: str
    colour: TagColour
    colours: Sequence[Choice]
    things: str
    is_archived: bool
    may_delete: bool


class TagsPage(NamedTuple):
    """name: what was filled in for a new tag."""

    tags: Sequence[TagLine]
    colours: Sequence[Choice]
    name: str
    most: int
    may_change: bool
    problems: Sequence[str]


@router.get(_HERE)
def show_tags(services: WithServices, visit: WithVisit) -> Response:
    return _show(services, visit)


@router.post(_HERE)
def submit_tag(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    """Create a tag."""
    actor = check_may_manage(visit.actor, "create tags")

    def apply(tx: Transaction) -> None:
        create_tag(tx, fields.get("name", ""), colour_in(fields), Creator.of(actor))

    return _write(services, visit, fields, apply)


@router.post(f"{_HERE}/{{tag_id}}")
def submit_change(services: WithServices, visit: WithVisit, tag_id: str, fields: WithForm) -> Response:
    """Rename a tag, and give it another colour."""
    check_may_manage(visit.actor, "change tags")
    tag_uuid = id_of(tag_id, TagNotFound)

    def apply(tx: Transaction) -> None:
        change_tag(tx, tag_uuid, name=fields.get("name"), colour=colour_in(fields))

    return _write(services, visit, {}, apply)


@router.post(f"{_HERE}/{{tag_id}}/archive")
def submit_archive(services: WithServices, visit: WithVisit, tag_id: str, fields: WithForm) -> Response:
    """Archive a tag, or take it back."""
    check_may_manage(visit.actor, "change tags")
    tag_uuid, archived = id_of(tag_id, TagNotFound), fields.get("archived") == "yes"
    return _write(services, visit, {}, lambda tx: change_tag(tx, tag_uuid, archived=archived))


@router.post(f"{_HERE}/{{tag_id}}/delete")
def submit_deletion(services: WithServices, visit: WithVisit, tag_id: str, _fields: WithForm) -> Response:
    """Delete a tag that nothing has."""
    check_may_manage(visit.actor, "delete tags")
    tag_uuid = id_of(tag_id, TagNotFound)
    return _write(services, visit, {}, lambda tx: delete_tag(tx, tag_uuid))


def _write(
    services: Services, visit: Visit, fields: Fields, apply: Callable[[Transaction], object]
) -> Response:
    """Do it and show the page; with what is wrong if it is refused. fields: what was filled in for a new tag."""
    try:
        services.writer.write(visit.actor, apply)
    except (InvalidInput, Conflict, NotFound) as error:
        return _show(services, visit, fields, error)
    return redirect(_HERE)


def _show(
    services: Services,
    visit: Visit,
    fields: Fields = MappingProxyType({}),
    error: InvalidInput | Conflict | NotFound | None = None,
) -> Response:
    with services.database.read_in(visit.actor.organization_id) as scope:
        tags = list_tags(scope)
    page = TagsPage(
        tags=[_line(used) for used in sorted(tags, key=lambda used: used.tag.archived_at is not None)],
        colours=_colours(fields.get("colour", "")),
        name=fields.get("name", ""),
        most=MAX_NAME_LENGTH,
        may_change=may_manage(visit.actor),
        problems=problems_of(error),
    )
    return render("notes/tags.html", page, visit, status=answer_error(error).status if error else 200)


def _line(used: UsedTag) -> TagLine:
    tag = used.tag
    return TagLine(
        url=f"{_HERE}/{tag.id}",
        name=tag.name,
        colour=tag.colour,
        colours=_colours(tag.colour),
        things=count_text(used.thing_count),
        is_archived=tag.archived_at is not None,
        may_delete=used.thing_count == 0,
    )


def _colours(chosen: str) -> Sequence[Choice]:
    return [Choice(colour, colour, colour == chosen) for colour in TAG_COLOURS]


def colour_in(fields: Fields) -> TagColour:
    """The colour in a form. Raises InvalidInput."""
    chosen = fields.get("colour", "")
    for colour in TAG_COLOURS:
        if colour == chosen:
            return colour
    raise InvalidInput.at("colour", f"{chosen!r} is no colour; choose one of {', '.join(TAG_COLOURS)}")
