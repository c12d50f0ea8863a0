"""Linking many stations to procedures at once, or unlinking them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta
from starlette.responses import Response

from runcard.analytics.snapshot import Snapshot
from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import InvalidInput
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.refs import ProcedureRef
from runcard.store.procedures.rows import Procedure, list_procedures
from runcard.store.stations.links import LinkPlan, apply_links, plan_links
from runcard.store.stations.records import StationRecord, list_procedures_of
from runcard.web.evidence.lines import PATH as TRAIL
from runcard.web.frame.formats import count_text, counted_text
from runcard.web.frame.forms import WithForm, whole_number
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.chosen import Chosen, Done, OnlyTicked, Ticked, check_seen, chosen, ticked_ids
from runcard.web.lists.filters import Choice, hidden_fields, page_query, url_of
from runcard.web.stations.stations import StationsQuery, find_stations

router = APIRouter()

_HERE = "/bulk/stations"
# How many stations the page shows; those that change come first.
_SHOWN = 100
# How many procedures one request links.
_MOST_PROCEDURES = 50


class BulkStationsQuery(StationsQuery, kw_only=True):
    """procedures: what to link the stations to, or to unlink them from; None: not chosen yet."""

    ids: Ticked = None
    ticked: OnlyTicked = None
    procedures: Annotated[list[UUID], Meta(max_length=_MOST_PROCEDURES)] | None = None
    deed: Literal["link", "unlink"] = "link"
    done: Done = None

    @property
    def are_linked(self) -> bool:
        """Whether the stations are linked in the end."""
        return self.deed == "link"


class BulkStation(NamedTuple):
    """procedures: what it may report now. becomes: what happens to it; empty while nothing is chosen."""

    url: str
    name: str
    procedures: str
    becomes: str


class LinkForm(NamedTuple):
    """What would change. changes: how many stations. deed: what is done to them. others: how many stay, and why."""

    changes: int
    deed: str
    others: Sequence[str]


class BulkStationsPage(NamedTuple):
    """kept: the query without the choice of procedures, as form fields. form: None while no procedure is chosen."""

    chosen: Chosen
    stations: Sequence[BulkStation]
    procedures: Sequence[Choice]
    are_linked: bool
    kept: Sequence[tuple[str, str]]
    form: LinkForm | None
    history_url: str = TRAIL


@router.get(_HERE)
def show_bulk(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[BulkStationsQuery, page_query(BulkStationsQuery)],
) -> Response:
    """The stations that were chosen, and what linking them would change."""
    check_may_manage(visit.actor, "change stations")
    station_ids = _find(services, visit, query)
    with services.database.read_in(visit.actor.organization_id) as scope:
        page = _page(scope, query, station_ids)
    return render("stations/bulk.html", page, visit)


@router.post(_HERE)
def submit_bulk(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[BulkStationsQuery, page_query(BulkStationsQuery)],
    fields: WithForm,
) -> Response:
    """Link all of the stations that change, or none. Raises PermissionDenied, NotFound, InvalidInput and Conflict."""
    check_may_manage(visit.actor, "change stations")
    if not query.procedures:
        raise InvalidInput.at("procedures", "none is chosen; choose at least one")
    seen, station_ids = whole_number(fields, "count", "stations"), _find(services, visit, query)

    def apply(tx: Transaction) -> int:
        plan = _plan(tx.scope, query, station_ids)
        check_seen("station", len(plan.changing), seen)
        apply_links(tx, plan)
        return len(plan.changing)

    changed = services.writer.write_catalog(visit.actor, apply)
    return redirect(url_of(_HERE, query, done=changed))


def _find(services: Services, visit: Visit, query: BulkStationsQuery) -> Sequence[UUID]:
    """The stations that were ticked, or all that the filter finds. Raises InvalidInput if these are too many."""
    if (ids := ticked_ids(query)) is not None:
        return ids
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        found = find_stations(snapshot, query)
    found.check_is_whole()
    return [one.id for one in found.stations]


def _plan(scope: Scope, query: BulkStationsQuery, station_ids: Sequence[UUID]) -> LinkPlan:
    return plan_links(scope, station_ids, query.procedures or (), are_linked=query.are_linked)


def _page(scope: Scope, query: BulkStationsQuery, station_ids: Sequence[UUID]) -> BulkStationsPage:
    plan = _plan(scope, query, station_ids)
    shown = sorted(plan.stations, key=lambda one: one.id not in plan.changing)[:_SHOWN]
    left = len(plan.stations) - len(shown)
    list_query = StationsQuery(**{name: getattr(query, name) for name in StationsQuery.__struct_fields__})
    url, list_url = url_of(_HERE, query, done=None), url_of("/stations", list_query)
    about = chosen("station", len(plan.stations), query, query.done, url, list_url)
    linked = list_procedures_of(scope, plan.stations)
    procedures = list_procedures(scope)
    names = {one.id: one.name for one in procedures}
    return BulkStationsPage(
        chosen=about._replace(more=count_text(left) if left else ""),
        stations=[
            BulkStation(
                f"/stations/{one.id}",
                one.name,
                "all" if one.all_procedures else ", ".join(some.name for some in linked[one.id]) or "none",
                _becomes(plan, one, names) if query.procedures else "",
            )
            for one in shown
        ],
        procedures=_offered(procedures, query, linked, plan.free),
        are_linked=query.are_linked,
        kept=[
            *hidden_fields(
                query, "ticked", *(name for name in StationsQuery.__struct_fields__ if name != "page")
            ),
            *(("ids", str(one)) for one in query.ids or ()),
        ],
        form=_form(plan) if query.procedures else None,
    )


def _becomes(plan: LinkPlan, station: StationRecord, names: Mapping[UUID, str]) -> str:
    """What happens to a station, in words."""
    if station.id in plan.free:
        return "may report all procedures: left out"
    changing = plan.changing.get(station.id)
    if changing is None:
        return "stays: it has them already" if plan.are_linked else "stays: it has none of them"
    named = ", ".join(names.get(one, str(one)) for one in changing)
    return f"gets {named}" if plan.are_linked else f"loses {named}"


def _form(plan: LinkPlan) -> LinkForm:
    changes, same, free = len(plan.changing), plan.same_count, len(plan.free)
    some, verb = counted_text(changes, "station"), "Link" if plan.are_linked else "Unlink"
    stay = "linked to them already" if plan.are_linked else "linked to none of them"
    others = [
        f"{counted_text(same, 'station')} {_is(same)} {stay}, and {_stays(same)} so." if same else "",
        f"{counted_text(free, 'station')} may report all procedures, and {_is(free)} left out."
        if free
        else "",
    ]
    return LinkForm(changes, f"{verb} {some}", [one for one in others if one])


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _stays(count: int) -> str:
    return "stays" if count == 1 else "stay"


def _offered(
    procedures: Sequence[Procedure],
    query: BulkStationsQuery,
    linked: Mapping[UUID, Sequence[ProcedureRef]],
    free: Collection[UUID],
) -> Sequence[Choice]:
    """The procedures to choose from: those in use, and archived ones that one of the stations is linked to."""
    there = {one.id for station_id, some in linked.items() if station_id not in free for one in some}
    chosen_ids = query.procedures or ()
    return [
        Choice(str(one.id), f"{one.name} ({one.identifier})", one.id in chosen_ids)
        for one in procedures
        if one.archived_at is None or one.id in there
    ]
