"""The settings of causes: the tree that the organization makes."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import Conflict, InvalidInput, NotFound
from runcard.domain.notes.cause import MAX_CODE_LENGTH, MAX_NAME_LENGTH, PlacedCause
from runcard.domain.notes.errors import CauseNotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.notes.causes import (
    CauseChange,
    UsedCause,
    change_cause,
    create_cause,
    delete_cause,
    list_causes,
)
from runcard.web.frame.formats import count_text
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice
from runcard.web.notes.section import INDENT

router = APIRouter()

_HERE = "/settings/causes"


class CauseLine(NamedTuple):
    """url: where its forms are sent. parents: where it may stand. things: how many have it. runs_url: of the runs that
    have it, or one below it. may_delete: nothing has it, and none stands below it.
    """

    url: str
    code: str
    name: str
    depth: int
    parents: Sequence[Choice]
    things: str
    runs_url: str
    is_archived: bool
    may_delete: bool


class CausesPage(NamedTuple):
    """fields: what was filled in for a new cause. parents: what it may stand below."""

    causes: Sequence[CauseLine]
    parents: Sequence[Choice]
    fields: Fields
    most_of_code: int
    most_of_name: int
    may_change: bool
    problems: Sequence[str]


@router.get(_HERE)
def show_causes(services: WithServices, visit: WithVisit) -> Response:
    return _show(services, visit)


@router.post(_HERE)
def submit_cause(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    """Create a cause."""
    actor = check_may_manage(visit.actor, "create causes")
    code, name, parent = (fields.get(field, "") for field in ("code", "name", "parent"))
    creator = Creator.of(actor)
    return _write(services, visit, fields, lambda tx: create_cause(tx, code, name, parent or None, creator))


@router.post(f"{_HERE}/{{cause_id}}")
def submit_change(services: WithServices, visit: WithVisit, cause_id: str, fields: WithForm) -> Response:
    """Rename a cause, and move it."""
    check_may_manage(visit.actor, "change causes")
    cause_uuid = id_of(cause_id, CauseNotFound)
    change = CauseChange(fields.get("code"), fields.get("name"), fields.get("parent") or None)
    return _write(services, visit, {}, lambda tx: change_cause(tx, cause_uuid, change))


@router.post(f"{_HERE}/{{cause_id}}/archive")
def submit_archive(services: WithServices, visit: WithVisit, cause_id: str, fields: WithForm) -> Response:
    """Archive a cause, or take it back."""
    check_may_manage(visit.actor, "change causes")
    cause_uuid = id_of(cause_id, CauseNotFound)
    change = CauseChange(archived=fields.get("archived") == "yes")
    return _write(services, visit, {}, lambda tx: change_cause(tx, cause_uuid, change))


@router.post(f"{_HERE}/{{cause_id}}/delete")
def submit_deletion(services: WithServices, visit: WithVisit, cause_id: str, _fields: WithForm) -> Response:
    """Delete a cause that nothing has and below which none stands."""
    check_may_manage(visit.actor, "delete causes")
    cause_uuid = id_of(cause_id, CauseNotFound)
    return _write(services, visit, {}, lambda tx: delete_cause(tx, cause_uuid))


def _write(
    services: Services, visit: Visit, fields: Fields, apply: Callable[[Transaction], object]
) -> Response:
    """Do it and show the page; with what is wrong if it is refused. fields: what was filled in for a new cause."""
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
        causes = list_causes(scope)
    has_branch = {used.placed.cause.parent_id for used in causes}
    placed = [used.placed for used in causes]
    page = CausesPage(
        causes=[_line(used, placed, has_branch=used.placed.cause.id in has_branch) for used in causes],
        parents=_parents(placed, fields.get("parent", "")),
        fields=fields,
        most_of_code=MAX_CODE_LENGTH,
        most_of_name=MAX_NAME_LENGTH,
        may_change=may_manage(visit.actor),
        problems=problems_of(error),
    )
    return render("notes/causes.html", page, visit, status=answer_error(error).status if error else 200)


def _line(used: UsedCause, placed: Sequence[PlacedCause], *, has_branch: bool) -> CauseLine:
    cause = used.placed.cause
    parent = next((one.cause.code for one in placed if one.cause.id == cause.parent_id), "")
    return CauseLine(
        url=f"{_HERE}/{cause.id}",
        code=cause.code,
        name=cause.name,
        depth=used.placed.depth,
        parents=_parents([one for one in placed if one.cause.id != cause.id], parent),
        things=count_text(used.thing_count),
        runs_url=f"/runs?{urlencode({'cause': cause.code})}",
        is_archived=cause.archived_at is not None,
        may_delete=used.thing_count == 0 and not has_branch,
    )


def _parents(placed: Sequence[PlacedCause], chosen: str) -> Sequence[Choice]:
    below = [
        Choice(one.cause.code, f"{INDENT * one.depth}{one.cause.name}", one.cause.code == chosen)
        for one in placed
    ]
    return [Choice("", "At the top", not chosen), *below]
