"""The page of a member's own name, password, API keys and log-ins."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard.auth.api_keys import NewKey, new_api_key, replace_key
from runcard.auth.credentials import LogInCaller
from runcard.auth.passwords import MIN_PASSWORD_LENGTH, check_password_strength, hash_password
from runcard.auth.sessions import log_in
from runcard.auth.tokens import digest_of
from runcard.domain.errors import Conflict, InvalidInput, NotFound
from runcard.domain.floor.key import overlap_of
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.edge.shares.hashes import WithHashingTurn
from runcard.store.commit.transaction import Transaction
from runcard.store.people.api_keys import create_user_key, list_keys, revoke_key
from runcard.store.people.sessions import Session, end_other_sessions, list_sessions
from runcard.store.people.users import get_user, rename_user, set_password
from runcard.store.procedures.rows import list_procedures
from runcard.web.frame.cookies import is_by_tls
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit, remember_session
from runcard.web.lists.filters import page_query
from runcard.web.people.browser_names import browser_name
from runcard.web.people.first_run import SOME_PROCEDURE
from runcard.web.people.key_lines import KeyLine, MadeKey, key_line, key_terms_of, show_new_key

router = APIRouter()

_HERE = "/settings/profile"


class ProfileQuery(Struct, kw_only=True):
    """saved: a change has just been saved."""

    saved: bool = False


class SessionLine(NamedTuple):
    """url: where the form that ends it is sent. is_this: the log-in of this browser."""

    url: str
    browser: str
    user_agent: str
    created_at: Moment
    expires_at: Moment
    is_this: bool


class ProfilePage(NamedTuple):
    """key_fields: what was filled in to create a key."""

    name: str
    email: str
    role: str
    keys: Sequence[KeyLine]
    key_fields: Fields
    sessions: Sequence[SessionLine]
    min_password_length: int
    is_saved: bool
    problems: Sequence[str]


@router.get(_HERE)
def show_profile(
    services: WithServices, visit: WithVisit, query: Annotated[ProfileQuery, page_query(ProfileQuery)]
) -> Response:
    return _show(services, visit, is_saved=query.saved)


@router.post(_HERE)
def submit_name(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    _, user_id = _self(visit)
    try:
        services.writer.write_catalog(
            visit.actor, lambda tx: rename_user(tx, user_id, fields.get("name", ""))
        )
    except InvalidInput as error:
        return _show(services, visit, error)
    return redirect(f"{_HERE}?saved=true")


@router.post(f"{_HERE}/password")
def submit_password(
    request: Request, services: WithServices, visit: WithVisit, fields: WithForm, _turn: WithHashingTurn
) -> Response:
    """Change the password. Every log-in ends, and this browser gets a new one."""
    _, user_id = _self(visit)
    caller = LogInCaller(request.client.host if request.client else "", digest_of(visit.session).hex())
    new_password = fields.get("password", "")
    try:
        with services.database.read() as connection:
            known = services.credentials.find_user(connection, visit.email, fields.get("current", ""), caller)
        if known is None:
            raise InvalidInput.at("current", "The current password is wrong")
        check_password_strength(new_password, (visit.organization_name, visit.email))
    except InvalidInput as error:
        return _show(services, visit, error)
    password_hash = hash_password(new_password)

    def apply(tx: Transaction) -> str:
        set_password(tx, user_id, password_hash)
        return log_in(tx, visit.actor, request.headers.get("user-agent"), by_tls=is_by_tls(request))

    response = redirect(f"{_HERE}?saved=true")
    remember_session(response, request, services.writer.write_catalog(visit.actor, apply))
    return response


@router.post(f"{_HERE}/keys")
def create_key(request: Request, services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    _, user_id = _self(visit)
    key = new_api_key()
    try:
        terms = key_terms_of(fields, visit.zone)
    except InvalidInput as error:
        return _show(services, visit, error, key_fields=fields)
    services.writer.write_catalog(visit.actor, lambda tx: create_user_key(tx, user_id, key.secret, terms))
    return _show_new_key(request, services, visit, key)


@router.post(f"{_HERE}/keys/{{key_id}}/replace")
def replace(
    request: Request, services: WithServices, visit: WithVisit, key_id: str, fields: WithForm
) -> Response:
    """Make a key in place of one, and show it. The old one works for some days more."""
    _, user_id = _self(visit)
    key, key_uuid = new_api_key(), id_of(key_id, _no_key)
    try:
        overlap = overlap_of(fields.get("overlap", ""))
        services.writer.write_catalog(
            visit.actor, lambda tx: replace_key(tx, key_uuid, key, overlap, owner_id=user_id)
        )
    except (InvalidInput, Conflict) as error:
        return _show(services, visit, error)
    return _show_new_key(request, services, visit, key)


def _no_key(key_id: str) -> NotFound:
    return NotFound(f"API key not found: {key_id}")


def _show_new_key(request: Request, services: Services, visit: Visit, key: NewKey) -> Response:
    organization_id, _ = _self(visit)
    with services.database.read_in(organization_id) as scope:
        procedures = list_procedures(scope, in_use=True)
    procedure = procedures[0].identifier if procedures else SOME_PROCEDURE
    return show_new_key(request, services, visit, MadeKey(visit.email, key.api_key, _HERE, procedure))


@router.post(f"{_HERE}/keys/{{key_id}}/revoke")
def revoke(services: WithServices, visit: WithVisit, key_id: str, _fields: WithForm) -> Response:
    _, user_id = _self(visit)
    key_uuid = id_of(key_id, _no_key)
    services.writer.write_catalog(visit.actor, lambda tx: revoke_key(tx, key_uuid, owner_id=user_id))
    return redirect(_HERE)


@router.post(f"{_HERE}/sessions/end")
def end_others(services: WithServices, visit: WithVisit, _fields: WithForm) -> Response:
    return _end(services, visit, None)


@router.post(f"{_HERE}/sessions/{{digest}}/end")
def end_one(services: WithServices, visit: WithVisit, digest: str, _fields: WithForm) -> Response:
    try:
        ended = bytes.fromhex(digest)
    except ValueError as error:
        raise NotFound(f"Log-in not found: {digest}") from error
    return _end(services, visit, ended)


def _end(services: Services, visit: Visit, ended: bytes | None) -> Response:
    user_id, kept = visit.actor.user_id, digest_of(visit.session)
    services.writer.write(visit.actor, lambda tx: end_other_sessions(tx, user_id, kept, ended))
    return redirect(_HERE)


def _show(
    services: Services,
    visit: Visit,
    error: InvalidInput | Conflict | None = None,
    *,
    is_saved: bool = False,
    key_fields: Fields = MappingProxyType({}),
) -> Response:
    organization_id, user_id = _self(visit)
    with services.database.read_in(organization_id) as scope:
        user = get_user(scope, str(user_id))
        keys = list_keys(scope, user_id)
        sessions = list_sessions(scope.connection, user_id, datetime.now(UTC))
    page = ProfilePage(
        name=user.name,
        email=user.email,
        role=user.role,
        keys=[key_line(key, visit.zone) for key in reversed(keys)],
        key_fields=key_fields,
        sessions=[_session_line(one, visit) for one in sessions],
        min_password_length=MIN_PASSWORD_LENGTH,
        is_saved=is_saved,
        problems=problems_of(error),
    )
    return render("people/profile.html", page, visit, status=answer_error(error).status if error else 200)


def _session_line(session: Session, visit: Visit) -> SessionLine:
    return SessionLine(
        f"{_HERE}/sessions/{session.digest.hex()}/end",
        browser_name(session.user_agent),
        session.user_agent or "",
        moment_of(session.created_at, visit.zone),
        moment_of(session.expires_at, visit.zone),
        session.digest == digest_of(visit.session),
    )


def _self(visit: Visit) -> tuple[UUID, UUID]:
    """The ids of the reader's organization and of the reader."""
    return visit.actor.organization_id, visit.actor.user_id
