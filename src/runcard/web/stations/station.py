"""The page of one station: what it reported, how it compares, and what it may report."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.snapshot import Snapshot
from runcard.auth.permissions import may_manage
from runcard.domain.errors import Conflict, InvalidInput, StationNotFound
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.lists.choices import list_choices
from runcard.store.lists.refs import ProcedureRef
from runcard.store.metadata import read_metadata
from runcard.store.people.api_keys import list_keys
from runcard.store.people.teams import list_teams
from runcard.store.procedures.rows import list_procedures
from runcard.store.stations.records import get_station_record, list_procedures_of
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.files.pictures import picture_urls
from runcard.web.frame.facts import Fact, metadata_facts
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.frame.forms import Fields, problems_of
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import (
    Choice,
    FigureQuery,
    FilterBar,
    attempts_field,
    filter_bar,
    page_query,
    selection_of,
)
from runcard.web.lists.period import Period
from runcard.web.notes.section import NotesSection, notes_of
from runcard.web.people.key_lines import KeyLine, key_line
from runcard.web.stations.figures import LatestRun, StationFigures, latest_of_station, station_figures

router = APIRouter()

_NOT_OFFERED = ("station", "revision", "batch", "version", "sample")


class StationQuery(FigureQuery, kw_only=True):
    period: Period = "90"


class StationProcedureLine(NamedTuple):
    """url: of its runs at this station. runs: how many of them the page is about; empty without figures."""

    id: UUID
    url: str
    name: str
    identifier: str
    runs: str


class StationPage(NamedTuple):
    """figures: None if this server has none. latest: the latest runs that the page is about. offered: the procedures
    that the station can still be linked to. key_fields: what was filled in to create a key.
    """

    id: UUID
    url: str
    name: str
    archived_at: Moment | None
    filters: FilterBar
    figures: StationFigures | None
    latest: Sequence[LatestRun]
    keys: Sequence[KeyLine]
    key_fields: Fields
    all_procedures: bool
    procedures: Sequence[StationProcedureLine]
    offered: Sequence[Choice]
    teams: Sequence[Choice]
    team: str
    metadata: Sequence[Fact]
    picture: str
    may_manage: bool
    notes: NotesSection
    history: ThingHistory
    problems: Sequence[str]
    voided: int


@router.get("/stations/{station_id}")
def show_station(
    services: WithServices,
    visit: WithVisit,
    station_id: str,
    query: Annotated[StationQuery, page_query(StationQuery)],
) -> Response:
    page = station_page(services, visit, id_of(station_id, StationNotFound), query)
    return render("stations/station.html", page, visit)


def station_page(
    services: Services,
    visit: Visit,
    station_id: UUID,
    query: StationQuery,
    error: InvalidInput | Conflict | None = None,
    key_fields: Fields = MappingProxyType({}),
) -> StationPage:
    """The page of a station. error: why its last change was refused. Raises StationNotFound."""
    organization_id, now = visit.actor.organization_id, datetime.now(UTC)
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        station = get_station_record(scope, station_id)
        linked = list_procedures_of(scope, [station])[station_id]
        floor = selection_of(replace(query, station=None), visit.zone, now)
        figures = station_figures(snapshot, visit, station_id, floor, query)
        latest = latest_of_station(snapshot, visit, station_id, floor)
        there = {one.id for one in linked}
        others = [one for one in list_procedures(scope, in_use=True) if one.id not in there]
        teams = list_teams(scope)
        keys = list_keys(scope, station_id)
        metadata = read_metadata(scope, [station_id]).get(station_id, {})
        choices = list_choices(scope)
        pictures = picture_urls(services, scope, [station.image_id])
        notes = notes_of(scope, visit, station_id)
        history = history_of(scope, visit, station_id)
    url, team = f"/stations/{station.id}", station.team
    return StationPage(
        id=station.id,
        url=url,
        name=station.name,
        archived_at=None if station.archived_at is None else moment_of(station.archived_at, visit.zone),
        filters=filter_bar(url, query, choices, without=_NOT_OFFERED, more=[attempts_field(query)]),
        figures=figures,
        latest=latest,
        keys=[key_line(key, visit.zone) for key in reversed(keys)],
        key_fields=key_fields,
        all_procedures=station.all_procedures,
        procedures=[_procedure_line(one, station.id, figures) for one in linked],
        offered=[Choice(str(one.id), f"{one.name} ({one.identifier})", is_chosen=False) for one in others],
        teams=[Choice(str(one.id), one.name, one == team) for one in teams],
        team=team.name if team else "",
        metadata=metadata_facts(metadata),
        picture=pictures.get(station.image_id, "") if station.image_id else "",
        may_manage=may_manage(visit.actor) and station.archived_at is None,
        notes=notes,
        history=history,
        problems=problems_of(error),
        voided=snapshot.voided,
    )


def _procedure_line(
    procedure: ProcedureRef, station_id: UUID, figures: StationFigures | None
) -> StationProcedureLine:
    runs = "" if figures is None else count_text(figures.runs.get(procedure.id, 0))
    url = f"/runs?procedure={procedure.id}&station={station_id}"
    return StationProcedureLine(procedure.id, url, procedure.name, procedure.identifier, runs)
