"""The forms that change a station."""

from collections.abc import Callable
from types import MappingProxyType
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.api_keys import new_api_key, replace_key
from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidInput,
    NotFound,
    ProcedureNotFound,
    StationNotFound,
    TeamNotFound,
)
from runcard.domain.floor.key import overlap_of
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.people.api_keys import create_station_key, revoke_key
from runcard.store.people.teams import get_team
from runcard.store.stations.records import (
    StationRecord,
    change_station,
    get_station_in_use,
    remove_station,
)
from runcard.store.stations.rows import allow_all_procedures, link_procedures, unlink_procedures
from runcard.web.files.pictures import WithPictureForm, keep_picture
from runcard.web.frame.confirmation import WithConfirmation
from runcard.web.frame.forms import TOKEN_FIELD, Fields, WithForm
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.people.key_lines import key_terms_of, show_key_of_station
from runcard.web.stations.station import StationQuery, station_page

router = APIRouter(prefix="/stations/{station_id}")


@router.post("")
def rename(services: WithServices, visit: WithVisit, station_id: str, fields: WithForm) -> Response:

    def change(tx: Transaction, station: StationRecord) -> None:
        team_id = fields.get("team", "")
        team = get_team(tx.scope, id_of(team_id, TeamNotFound)) if team_id else None
        change_station(tx, station._replace(name=fields.get("name", "").strip(), team=team))

    return _change(services, visit, station_id, change)


@router.post("/keys")
def create_key(
    services: WithServices, visit: WithVisit, station_id: str, confirmation: WithConfirmation
) -> Response:
    check_may_manage(visit.actor, "create keys of stations")
    confirmation.check()
    fields = confirmation.fields
    station_uuid, key = id_of(station_id, StationNotFound), new_api_key()

    def apply(tx: Transaction) -> StationRecord:
        station = get_station_in_use(tx.scope, station_uuid)
        terms = key_terms_of(fields, visit.zone)
        create_station_key(tx, station.id, key.secret, terms)
        return station

    try:
        station = services.writer.write_catalog(visit.actor, apply)
    except InvalidInput as error:
        return _refused(services, visit, station_uuid, error, fields)
    return show_key_of_station(confirmation.request, services, visit, station, key.api_key)


@router.post("/keys/{key_id}/revoke")
def revoke(
    services: WithServices, visit: WithVisit, station_id: str, key_id: str, confirmation: WithConfirmation
) -> Response:
    check_may_manage(visit.actor, "revoke keys of stations")
    confirmation.check()
    key_uuid = id_of(key_id, _no_key)
    return _change(
        services,
        visit,
        station_id,
        lambda tx, station: revoke_key(tx, key_uuid, owner_id=station.id),
    )


@router.post("/keys/{key_id}/replace")
def replace(
    services: WithServices, visit: WithVisit, station_id: str, key_id: str, confirmation: WithConfirmation
) -> Response:
    """Make a key in place of one, and show it. The old one works for some days more."""
    check_may_manage(visit.actor, "replace keys of stations")
    confirmation.check()
    station_uuid, key_uuid, key = id_of(station_id, StationNotFound), id_of(key_id, _no_key), new_api_key()

    def apply(tx: Transaction) -> StationRecord:
        station = get_station_in_use(tx.scope, station_uuid)
        replace_key(
            tx, key_uuid, key, overlap_of(confirmation.fields.get("overlap", "")), owner_id=station.id
        )
        return station

    try:
        station = services.writer.write_catalog(visit.actor, apply)
    except (InvalidInput, Conflict) as error:
        return _refused(services, visit, station_uuid, error)
    return show_key_of_station(confirmation.request, services, visit, station, key.api_key)


@router.post("/procedures")
def link(services: WithServices, visit: WithVisit, station_id: str, fields: WithForm) -> Response:

    def change(tx: Transaction, station: StationRecord) -> None:
        link_procedures(tx, station.id, [id_of(fields.get("procedure", ""), ProcedureNotFound)])

    return _change(services, visit, station_id, change)


@router.post("/procedures/{procedure_id}/unlink")
def unlink(
    services: WithServices, visit: WithVisit, station_id: str, procedure_id: str, _fields: WithForm
) -> Response:

    def change(tx: Transaction, station: StationRecord) -> None:
        unlink_procedures(tx, station.id, [id_of(procedure_id, ProcedureNotFound)])

    return _change(services, visit, station_id, change)


@router.post("/all-procedures")
def allow_all(services: WithServices, visit: WithVisit, station_id: str, fields: WithForm) -> Response:
    allowed = fields.get("allowed") == "yes"
    return _change(
        services,
        visit,
        station_id,
        lambda tx, station: allow_all_procedures(tx, station.id, allowed=allowed),
    )


@router.post("/picture")
def set_picture(services: WithServices, visit: WithVisit, station_id: str, form: WithPictureForm) -> Response:
    services.form_tokens.check(visit.session, form.fields.get(TOKEN_FIELD, ""))
    actor = check_may_manage(visit.actor, "change stations")
    organization_id, station_uuid = actor.organization_id, id_of(station_id, StationNotFound)
    with services.database.read_in(organization_id) as scope:
        get_station_in_use(scope, station_uuid)
    if form.picture is None:
        raise InvalidInput.at("picture", "No file was chosen; choose a PNG, JPEG, GIF or WebP file")
    image_of = keep_picture(services, actor, form.picture)

    def change(tx: Transaction, station: StationRecord) -> None:
        change_station(tx, station._replace(image_id=image_of(tx)))

    return _change(services, visit, station_id, change)


@router.post("/picture/remove")
def remove_picture(services: WithServices, visit: WithVisit, station_id: str, _fields: WithForm) -> Response:
    return _change(
        services,
        visit,
        station_id,
        lambda tx, station: change_station(tx, station._replace(image_id=None)),
    )


@router.post("/remove")
def remove(services: WithServices, visit: WithVisit, station_id: str, _fields: WithForm) -> Response:
    answer = _change(services, visit, station_id, lambda tx, station: remove_station(tx, station.id))
    return redirect("/stations") if answer.status_code == 303 else answer


def _change(
    services: Services, visit: Visit, station_id: str, change: Callable[[Transaction, StationRecord], None]
) -> Response:
    """Change a station in use and show it; if the change is refused, with the reasons."""
    check_may_manage(visit.actor, "change stations")
    station_uuid = id_of(station_id, StationNotFound)
    try:
        services.writer.write_catalog(
            visit.actor, lambda tx: change(tx, get_station_in_use(tx.scope, station_uuid))
        )
    except (InvalidInput, AlreadyExists) as error:
        return _refused(services, visit, station_uuid, error)
    return redirect(f"/stations/{station_uuid}")


def _refused(
    services: Services,
    visit: Visit,
    station_id: UUID,
    error: InvalidInput | Conflict,
    key_fields: Fields = MappingProxyType({}),
) -> Response:
    """The page of a station whose change was refused, with the reasons."""
    page = station_page(services, visit, station_id, StationQuery(), error, key_fields)
    return render("stations/station.html", page, visit, status=answer_error(error).status)


def _no_key(key_id: str) -> NotFound:
    return NotFound(f"API key not found: {key_id}")
