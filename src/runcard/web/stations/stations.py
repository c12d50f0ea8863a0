"""The list of stations: which of them report, and since when the others are silent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.questions.activity.station_activity import (
    StationActivity,
    StationState,
    station_activity,
)
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.auth.api_keys import new_api_key
from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import AlreadyExists, FiguresUnavailable, InvalidInput, ProcedureNotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.commit.transaction import Transaction
from runcard.store.lists.choices import list_choices
from runcard.store.lists.pages import Page
from runcard.store.lists.refs import ProcedureRef
from runcard.store.lists.run_filter import RunFilter
from runcard.store.people.api_keys import create_station_key
from runcard.store.procedures.rows import list_procedures
from runcard.store.stations.records import (
    StationFilter,
    StationRecord,
    get_station_record,
    list_procedures_of,
    list_station_records,
)
from runcard.store.stations.rows import create_station, link_procedures
from runcard.web.frame.confirmation import WithConfirmation
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.frame.forms import Fields, problems_of
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice, Field, note_fields, page_query, url_of
from runcard.web.lists.slices import MAX_PAGE, Slice, slice_of
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of
from runcard.web.notes.cells import NOTE_SHEET, NOTHING_NOTED, NotedCell, noted_cells
from runcard.web.people.key_lines import show_key_of_station
from runcard.web.stations.figures import ANY_UNIT

router = APIRouter()

_HERE = "/stations"
# All stations are read, because they are sorted by what they reported. No floor has this many.
MOST_STATIONS = 5000
_RECENT = timedelta(days=7)
ALL_PROCEDURES = "all"
# The name of the field that ticks a procedure: this, and the procedure's id.
_TICK = "procedure-"

State = Literal["active", "silent", "new", "archived"]
Sort = Literal["name", "last", "runs"]

_STATES = {"": "In use", "active": "Active", "silent": "Silent", "new": "New", "archived": "Archived"}
_SORTS = {"name": "Name", "last": "Last run", "runs": "Runs in 7 days"}
_SHEET = [
    SheetColumn("Station"),
    SheetColumn("State"),
    SheetColumn("Last run", "moment"),
    SheetColumn("Runs in 7 days", "number"),
    SheetColumn("Procedures"),
    SheetColumn("Team"),
    *NOTE_SHEET,
]


class StationsQuery(Struct, kw_only=True):
    """q: part of the name. tag: a name. cause: a code, which stands for its branch."""

    q: str | None = None
    tag: str | None = None
    cause: str | None = None
    state: State | None = None
    sort: Sort = "name"
    page: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 1


class Activity(NamedTuple):
    """last_at: None if the station never reported."""

    state: StationState = "new"
    last_at: datetime | None = None
    recent_runs: int = 0


class StationLine(NamedTuple):
    """state: one of `State`; empty without figures."""

    id: UUID
    url: str
    name: str
    state: str
    last_at: Moment | None
    recent_runs: str
    procedures: str
    team: str
    noted: NotedCell


class StationsPage(NamedTuple):
    """is_cut: there are more stations than are read. fields: what was filled in to create a station.
    may_manage: the reader may create one. bulk_url: where all of them are linked; empty if they cannot be. procedures:
    the fields that tick a procedure.
    """

    query: StationsQuery
    note_fields: Sequence[Field]
    states: Sequence[Choice]
    sorts: Sequence[Choice]
    stations: Slice[StationLine]
    files: TableFiles
    is_cut: bool
    has_figures: bool
    may_manage: bool
    bulk_url: str
    procedures: Sequence[Choice]
    fields: Fields
    problems: Sequence[str]
    voided: int


class FoundStations(NamedTuple):
    """The stations that the query finds, in the order of the page. activity: None if this server has no figures.

    is_cut: there are more stations than are read.
    """

    stations: Sequence[StationRecord]
    activity: Mapping[UUID, Activity] | None
    is_cut: bool

    def check_is_whole(self) -> None:
        """Check that these are all that the query finds. Raises InvalidInput."""
        if self.is_cut:
            raise InvalidInput.at("q", f"finds more than {MOST_STATIONS} stations; type more of their name")


@router.get(_HERE)
def show_stations(
    services: WithServices, visit: WithVisit, query: Annotated[StationsQuery, page_query(StationsQuery)]
) -> Response:
    return render("stations/stations.html", _page(services, visit, query, {}), visit)


@router.post(_HERE)
def submit_station(
    request: Request, services: WithServices, visit: WithVisit, confirmation: WithConfirmation
) -> Response:
    """Create a station with its first key, and show the key."""
    check_may_manage(visit.actor, "create stations")
    confirmation.check()
    fields = confirmation.fields
    _organization_id, has_all, key = (
        visit.actor.organization_id,
        fields.get("may_report") == ALL_PROCEDURES,
        new_api_key(),
    )
    chosen = [] if has_all else [id_of(one, ProcedureNotFound) for one in _chosen(fields)]

    def apply(tx: Transaction) -> StationRecord:
        station = create_station(tx, fields.get("name", ""), all_procedures=has_all)
        link_procedures(tx, station.id, chosen)
        create_station_key(tx, station.id, key.secret)
        return get_station_record(tx.scope, station.id)

    try:
        station = services.writer.write(visit.actor, apply)
    except (InvalidInput, AlreadyExists) as error:
        page = _page(services, visit, StationsQuery(), fields, problems_of(error))
        return render("stations/stations.html", page, visit, status=answer_error(error).status)
    return show_key_of_station(request, services, visit, station, key.api_key)


@file_route(router, _HERE, StationsQuery, "Stations", _SHEET)
def list_all_stations(ask: FileAsk[StationsQuery]) -> Rows:
    """All stations that the filter finds, in the order of the page. Raises InvalidInput if they are too many."""
    organization_id, database = ask.organization_id, ask.services.database
    with database.read_in(organization_id) as scope, Snapshot(ask.services.copy, scope) as snapshot:
        found = find_stations(snapshot, ask.query)
        found.check_is_whole()
        procedures = list_procedures_of(scope, found.stations)
        noted = noted_cells(scope, "station", [one.id for one in found.stations])
    return [
        [
            [*_cells(one, found.activity, procedures[one.id]), *noted.get(one.id, NOTHING_NOTED).cells]
            for one in found.stations
        ]
    ]


def _chosen(fields: Fields) -> Sequence[str]:
    """The ids of the procedures that a form ticks."""
    return [name.removeprefix(_TICK) for name in fields if name.startswith(_TICK)]


def _page(
    services: Services, visit: Visit, query: StationsQuery, fields: Fields, problems: Sequence[str] = ()
) -> StationsPage:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        found = find_stations(snapshot, query)
        activity = found.activity
        some = slice_of(found.stations, query.page, lambda page: url_of(_HERE, query, page=page))
        procedures = list_procedures_of(scope, some.rows)
        offered = list_procedures(scope, in_use=True) if may_manage(visit.actor) else []
        noted = noted_cells(scope, "station", [one.id for one in some.rows])
        fields_of_notes = note_fields(query.tag, query.cause, list_choices(scope))
    return StationsPage(
        query=query,
        note_fields=fields_of_notes,
        states=[
            Choice(value, name, value == (query.state or ""))
            for value, name in _STATES.items()
            if value in ("", "archived") or activity is not None
        ],
        sorts=[Choice(value, name, value == query.sort) for value, name in _SORTS.items()],
        stations=Slice(
            [
                _line(one, activity, procedures[one.id], visit)._replace(
                    noted=noted.get(one.id, NOTHING_NOTED)
                )
                for one in some.rows
            ],
            some.pager,
        ),
        files=files_of(_HERE, query, "page"),
        is_cut=found.is_cut,
        has_figures=activity is not None,
        may_manage=may_manage(visit.actor),
        bulk_url=url_of("/bulk/stations", query, page=1)
        if may_manage(visit.actor) and query.state != "archived"
        else "",
        procedures=[
            Choice(f"{_TICK}{one.id}", f"{one.name} ({one.identifier})", f"{_TICK}{one.id}" in fields)
            for one in offered
        ],
        fields=fields,
        problems=problems,
        voided=snapshot.voided,
    )


def find_stations(snapshot: Snapshot, query: StationsQuery) -> FoundStations:
    """The stations that the query finds, on all pages."""
    named = StationFilter(
        search=query.q,
        archived=query.state == "archived",
        tags=None if query.tag is None else [query.tag],
        causes=None if query.cause is None else [query.cause],
    )
    listed = list_station_records(snapshot.scope, named, Page(MOST_STATIONS))
    activity = _activity(snapshot, datetime.now(UTC))
    stations = [one for one in listed.rows if _has_state(query.state, activity, one)]
    return FoundStations(sorted(stations, key=_key(query.sort, activity)), activity, listed.has_more)


def _activity(snapshot: Snapshot, now: datetime) -> Mapping[UUID, Activity] | None:
    """The activity of each station in use; None if this server has no figures."""

    def of(runs: RunFilter) -> Sequence[StationActivity]:
        return station_activity(snapshot, Selection(runs)).stations

    ever = RunFilter(samples=ANY_UNIT)
    try:
        recently = replace(ever, started_after=now - _RECENT, started_before=now)
        recent = {one.id: one.runs for one in of(recently)}
        return {
            one.id: Activity(one.state(now), one.last_started_at, recent.get(one.id, 0)) for one in of(ever)
        }
    except FiguresUnavailable:
        return None


def _has_state(state: State | None, activity: Mapping[UUID, Activity] | None, station: StationRecord) -> bool:
    if state is None or state == "archived" or activity is None:
        return True
    return activity.get(station.id, Activity()).state == state


def _key(
    sort: Sort, activity: Mapping[UUID, Activity] | None
) -> Callable[[StationRecord], tuple[float, str]]:
    def key(station: StationRecord) -> tuple[float, str]:
        name = station.name.casefold()
        if sort == "name" or activity is None:
            return 0, name
        own = activity.get(station.id, Activity())
        if sort == "runs":
            return -own.recent_runs, name
        return (-own.last_at.timestamp() if own.last_at else 0), name

    return key


def _line(
    station: StationRecord,
    activity: Mapping[UUID, Activity] | None,
    procedures: Sequence[ProcedureRef],
    visit: Visit,
) -> StationLine:
    own = None if activity is None else activity.get(station.id)
    return StationLine(
        id=station.id,
        url=f"{_HERE}/{station.id}",
        name=station.name,
        state=_state(station, own),
        last_at=None if own is None or own.last_at is None else moment_of(own.last_at, visit.zone),
        recent_runs="" if own is None else count_text(own.recent_runs),
        procedures=_procedures_text(station, procedures),
        team=station.team.name if station.team else "",
        noted=NOTHING_NOTED,
    )


def _cells(
    station: StationRecord, activity: Mapping[UUID, Activity] | None, procedures: Sequence[ProcedureRef]
) -> Sequence[Cell]:
    own = None if activity is None else activity.get(station.id)
    return [
        station.name,
        _state(station, own),
        None if own is None else own.last_at,
        None if own is None else own.recent_runs,
        _procedures_text(station, procedures),
        station.team.name if station.team else "",
    ]


def _procedures_text(station: StationRecord, procedures: Sequence[ProcedureRef]) -> str:
    return "all" if station.all_procedures else ", ".join(one.name for one in procedures) or "none"


def _state(station: StationRecord, activity: Activity | None) -> State | Literal[""]:
    if station.archived_at is not None:
        return "archived"
    if activity is None:
        return ""
    return activity.state
