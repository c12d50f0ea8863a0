"""The bin: what was deleted, the page of one deleted thing, and restoring it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.auth.permissions import check_may_delete, check_may_manage, may_delete, may_manage
from runcard.domain.errors import NotDeleted
from runcard.domain.floor.reason import MAX_REASON
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.intake.byte_removal import remove_soon
from runcard.store.bin.merged import follow_merged
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.store.restoring.contents import Deleted, InBin, get_deleted, list_bin
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.frame.confirmation import WithConfirmation
from runcard.web.frame.formats import Moment, count_text, counted_text, moment_of
from runcard.web.frame.forms import WithForm, reason_in
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import BIN, bin_url, thing_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.chosen import Done
from runcard.web.lists.filters import FilterBar, page_query, url_of
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.search_bar import search_bar

router = APIRouter()

BULK_BIN = "/bulk/bin"
_NOUNS: Mapping[str, str] = {"attachment": "file"}


class BinQuery(Struct, kw_only=True):
    """search: part of the name of what was deleted. restored: how many things have just been restored."""

    search: Annotated[str, Meta(max_length=1000)] | None = None
    cursor: Cursor | None = None
    restored: Done = None


class DeletedQuery(Struct, kw_only=True):
    """done: what has just been done."""

    done: Literal["deleted"] | None = None


class BinLine(NamedTuple):
    """what: such as "run of unit". along: what was deleted along with it. until: when it goes for good."""

    id: UUID
    url: str
    what: str
    name: str
    along: str
    deleted_at: Moment
    deleted_by: str
    why: str
    until: Moment
    restore_url: str


class BinPage(NamedTuple):
    """restored: what has just been restored; empty if nothing was. bulk_url: where all that is found is restored."""

    restored: str
    bulk_url: str
    filters: FilterBar
    lines: Sequence[BinLine]
    pages: Pager
    days: str
    nothing: str


class DeletedPage(NamedTuple):
    """is_just_deleted: the reader has just deleted it. head: what it was deleted with; None if by itself.

    until: when it goes for good; None: it is gone, or was merged. into: what a unit was merged into; empty: it was
    deleted. restore_url, purge_url: empty if the reader may not.
    """

    noun: str
    name: str
    is_just_deleted: bool
    deleted_at: Moment
    deleted_by: str
    why: str
    started_at: Moment | None
    outcome: str
    head_url: str
    until: Moment | None
    into: str
    into_url: str
    gone_at: Moment | None
    digest: str
    restore_url: str
    purge_url: str
    most: int
    history: ThingHistory


@router.get(BIN)
def show_bin(
    services: WithServices, visit: WithVisit, query: Annotated[BinQuery, page_query(BinQuery)]
) -> Response:
    check_may_manage(visit.actor, "see the bin")
    with services.database.read_in(visit.actor.organization_id) as scope:
        page = list_page(scope.connection, query.cursor)
        listed = list_bin(scope, page, query.search)
        kept = get_organization(scope).kept_in_bin
        lines = bin_lines(scope, visit, listed.rows, kept)
    shown = BinPage(
        restored="" if query.restored is None else counted_text(query.restored, "thing"),
        bulk_url=url_of(BULK_BIN, BinQuery(search=query.search)),
        filters=search_bar(BIN, "Name", query.search, []),
        lines=lines,
        pages=pager(page, listed, lambda at: url_of(BIN, BinQuery(search=query.search, cursor=at))),
        days=str(kept.days),
        nothing="The bin is empty." if query.search is None else "Nothing of that name is in the bin.",
    )
    return render("bin/bin.html", shown, visit)


@router.get(f"{BIN}/{{thing_id}}")
def show_deleted(
    services: WithServices,
    visit: WithVisit,
    thing_id: str,
    query: Annotated[DeletedQuery, page_query(DeletedQuery)],
) -> Response:
    """What is known of a deleted thing. Raises NotFound."""
    known = id_of(thing_id, NotDeleted)
    with services.database.read_in(visit.actor.organization_id) as scope:
        thing = get_deleted(scope, known)
        page = _page(scope, visit, thing, is_just_deleted=query.done == "deleted")
    return render("bin/deleted.html", page, visit)


@router.post(f"{BIN}/{{thing_id}}/restore")
def submit_restore(services: WithServices, visit: WithVisit, thing_id: str, fields: WithForm) -> Response:
    """Restore a thing with all that was deleted along with it, and show it. Raises NotFound and Conflict."""
    check_may_manage(visit.actor, "restore what was deleted")
    known, reason = id_of(thing_id, NotDeleted), reason_in(fields)
    restored = services.writer.write_catalog(visit.actor, lambda tx: restore(tx, known, reason))
    thing = restored.head
    return redirect(thing_url(thing.noun, thing.id, thing.name or "") or BIN)


@router.post(f"{BIN}/{{thing_id}}/purge")
def submit_purge(
    services: WithServices, visit: WithVisit, thing_id: str, fields: WithForm, confirmation: WithConfirmation
) -> Response:
    """Remove a thing from the bin for good. Raises NotFound, Conflict, PermissionDenied and PasswordWanted."""
    check_may_delete(visit.actor, "remove things from the bin")
    confirmation.check()
    known, reason = id_of(thing_id, NotDeleted), reason_in(fields)
    services.writer.write(visit.actor, lambda tx: purge(tx, known, reason))
    remove_soon(services.stores, visit.actor.organization_id)
    return redirect(bin_url(known))


def bin_lines(scope: Scope, visit: Visit, rows: Sequence[InBin], kept: timedelta) -> Sequence[BinLine]:
    """Things in the bin, as lists show them. kept: how long they stay there."""
    makers = _makers(scope, [row.thing for row in rows])
    return [_line(row, makers, kept, visit) for row in rows]


def _page(scope: Scope, visit: Visit, thing: Deleted, *, is_just_deleted: bool) -> DeletedPage:
    zone, kept = visit.zone, get_organization(scope).kept_in_bin
    into = "" if thing.merged_into_id is None else _into(scope, thing.merged_into_id)
    is_head, is_in_bin = thing.head_id == thing.id, thing.is_in_bin
    return DeletedPage(
        noun=_noun(thing.noun),
        name=_name(thing),
        is_just_deleted=is_just_deleted,
        deleted_at=moment_of(thing.deleted_at, zone),
        deleted_by=_makers(scope, [thing]).get(thing.deleted_by_id, "Runcard"),
        why=thing.why or "",
        started_at=None if thing.started_at is None else moment_of(thing.started_at, zone),
        outcome=thing.outcome or "",
        head_url="" if is_head else bin_url(thing.head_id),
        until=moment_of(thing.deleted_at + kept, zone) if is_in_bin else None,
        into=into,
        into_url=unit_url(into) if into else "",
        gone_at=None if thing.purged_at is None else moment_of(thing.purged_at, zone),
        digest="" if thing.digest is None else thing.digest.hex(),
        restore_url=f"{bin_url(thing.id)}/restore"
        if is_head and is_in_bin and may_manage(visit.actor)
        else "",
        purge_url=f"{bin_url(thing.id)}/purge" if is_head and is_in_bin and may_delete(visit.actor) else "",
        most=MAX_REASON,
        history=history_of(scope, visit, thing.id),
    )


def _into(scope: Scope, unit_id: UUID) -> str:
    """The serial number of the unit that stands for a merged one now; empty if that is gone."""
    stands = follow_merged(scope, [unit_id]).get(unit_id, unit_id)
    return names_of(scope, "unit", [stands]).get(stands, "")


def _line(row: InBin, makers: Mapping[UUID | None, str], kept: timedelta, visit: Visit) -> BinLine:
    thing = row.thing
    return BinLine(
        id=thing.id,
        url=bin_url(thing.id),
        what=_what(thing),
        name=_name(thing),
        along=_along(row.along),
        deleted_at=moment_of(thing.deleted_at, visit.zone),
        deleted_by=makers.get(thing.deleted_by_id, "Runcard"),
        why=thing.why or "",
        until=moment_of(thing.deleted_at + kept, visit.zone),
        restore_url=f"{bin_url(thing.id)}/restore",
    )


def _along(counts: Mapping[str, int]) -> str:
    """How many things were deleted along with another, in words: 3 runs, 1 file."""
    words = [(_noun(noun), count) for noun, count in sorted(counts.items())]
    return ", ".join(f"{count_text(count)} {_plural(noun, count)}" for noun, count in words)


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def _what(thing: Deleted) -> str:
    return "run of unit" if thing.noun == "run" and thing.name else _noun(thing.noun)


def _noun(noun: str) -> str:
    """What people call things of a noun of the trail."""
    return _NOUNS.get(noun, noun)


def _name(thing: Deleted) -> str:
    return thing.name or str(thing.id)


def _makers(scope: Scope, things: Sequence[Deleted]) -> Mapping[UUID | None, str]:
    """The names of those who deleted these things."""
    ids = {thing.deleted_by_id for thing in things if thing.deleted_by_id is not None}
    users, stations = names_of(scope, "operator", ids), names_of(scope, "station", ids)
    return {thing_id: name for names in (users, stations) for thing_id, name in names.items()}
