"""The page of the audit trail: who changed what, newest first, and the files of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta
from msgspec.structs import asdict
from starlette.responses import Response, StreamingResponse

from runcard.auth.permissions import check_may_manage, may_administer
from runcard.auth.trail import check_may_see_kinds
from runcard.domain.text import shortened
from runcard.edge.requests.services import WithServices
from runcard.exports.formats import ENCODINGS
from runcard.exports.trail import TrailFormat, trail_file
from runcard.store.engine.scope import Scope
from runcard.store.people.users import list_users
from runcard.store.stations.rows import list_stations
from runcard.store.trail.entries import TrailFilter, list_entries
from runcard.store.trail.named import find_things
from runcard.web.evidence.kinds import GROUPS, Group, kinds_in
from runcard.web.evidence.lines import PATH, HistoryLine, history_lines, thing_of
from runcard.web.evidence.words import Piece
from runcard.web.frame.render import SAFETY_HEADERS, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import (
    FilterBar,
    choice_field,
    hidden_fields,
    page_query,
    period_field,
    text_field,
    url_of,
)
from runcard.web.lists.pager import PAGE_SIZE, Cursor
from runcard.web.lists.period import PERIODS, Period, PeriodQuery, window_of

router = APIRouter()

_FILE = f"{PATH}/export"
_REPORTS: Mapping[str, str] = {"": "Left out", "yes": "Shown"}


class TrailQuery(PeriodQuery, kw_only=True):
    """who: a user or a station. about: what kinds of changes. named: a name or an id of what was changed.

    thing: its id. reports: whether what reports made is shown. cursor: where the page begins.
    """

    period: Period = "all"
    who: UUID | None = None
    about: Group | None = None
    named: Annotated[str, Meta(max_length=1000)] | None = None
    thing: UUID | None = None
    reports: Literal["yes"] | None = None
    cursor: Cursor | None = None


class TrailFileQuery(TrailQuery, kw_only=True):
    format: TrailFormat = "csv"


class TrailPage(NamedTuple):
    """of: the one thing that the page is about; empty for all. nothing: why there are no lines."""

    of: Sequence[Piece]
    of_all_url: str
    filters: FilterBar
    lines: Sequence[HistoryLine]
    nothing: str
    csv_url: str
    jsonl_url: str
    older_url: str
    newest_url: str


@router.get(PATH)
def show_trail(
    services: WithServices, visit: WithVisit, query: Annotated[TrailQuery, page_query(TrailQuery)]
) -> Response:
    _check_may_see(visit, query)
    with services.database.read_in(visit.actor.organization_id) as scope:
        found = list_entries(scope, _filter(scope, visit, query), PAGE_SIZE, query.cursor or None)
        page = TrailPage(
            of=[] if query.thing is None else thing_of(scope, query.thing, found.rows),
            of_all_url=url_of(PATH, query, thing=None, cursor=None),
            filters=_bar(scope, visit, query),
            lines=history_lines(scope, visit, found.rows),
            nothing=_nothing(query),
            csv_url=url_of(_FILE, query, cursor=None),
            jsonl_url=url_of(_FILE, TrailFileQuery(**asdict(query), format="jsonl"), cursor=None),
            older_url="" if found.next_before is None else url_of(PATH, query, cursor=found.next_before),
            newest_url=url_of(PATH, query, cursor=None) if query.cursor else "",
        )
    return render("evidence/trail.html", page, visit)


@router.get(_FILE)
def export_trail(
    services: WithServices, visit: WithVisit, query: Annotated[TrailFileQuery, page_query(TrailFileQuery)]
) -> Response:
    """A file of all that the filter of the page finds, oldest first."""
    _check_may_see(visit, query)
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        trail_filter = _filter(scope, visit, query)
    pieces = trail_file(services.database, organization_id, trail_filter, query.format)
    first = next(pieces, b"")
    return StreamingResponse(
        chain([first], pieces),
        media_type=ENCODINGS[query.format].content_type,
        headers={
            **SAFETY_HEADERS,
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="history.{query.format}"',
        },
    )


def _check_may_see(visit: Visit, query: TrailQuery) -> None:
    check_may_manage(visit.actor, "see the history of everything")
    check_may_see_kinds(visit.actor, None if query.about is None else kinds_in(query.about))


def _filter(scope: Scope, visit: Visit, query: TrailQuery) -> TrailFilter:
    """The filter for the entries of a page. Raises InvalidInput if `since` or `until` is no day or moment."""
    after, before = window_of(query, visit.zone, datetime.now(UTC))
    return TrailFilter(
        actor_id=query.who,
        thing_id=query.thing,
        thing_ids=None if query.named is None else find_things(scope, query.named),
        kinds=None if query.about is None else kinds_in(query.about),
        after=after,
        before=before,
        with_reports=query.reports is not None,
        of_access=may_administer(visit.actor),
    )


def _bar(scope: Scope, visit: Visit, query: TrailQuery) -> FilterBar:
    makers = [(user.id, user.email) for user in list_users(scope)]
    makers += [(station.id, station.name) for station in list_stations(scope)]
    groups = [one for one in GROUPS.items() if one[0] != "people" or may_administer(visit.actor)]
    fields = [
        period_field(PERIODS, query.period, query.since, query.until),
        choice_field("who", "Made by", query.who, [("", "Everybody"), *makers]),
        choice_field("about", "About", query.about, [("", "Everything"), *groups]),
        text_field("named", "Name or ID", query.named),
        choice_field("reports", "Reports of stations", query.reports, list(_REPORTS.items())),
    ]
    return FilterBar(PATH, fields, hidden_fields(query, "thing"))


def _nothing(query: TrailQuery) -> str:
    if query.named is not None:
        return f"No change of anything that is or was called {shortened(query.named, 60)} was found."
    return "No change was found. What stations report is left out unless it is asked for."
