"""The log-in and the log-out."""

import re
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from runcard.auth.credentials import LogInCaller
from runcard.auth.sessions import log_in, log_out
from runcard.domain.actor import Origin, SystemActor
from runcard.edge.requests.origin import from_request, origin_of
from runcard.edge.requests.services import Services, WithServices
from runcard.edge.shares.hashes import WithHashingTurn
from runcard.store.people.organizations import count_organizations
from runcard.store.people.users import find_credentials
from runcard.store.trail.watching import note_event
from runcard.web.frame.cookies import is_by_tls, keep_secret, read_secret
from runcard.web.frame.forms import (
    TOKEN_FIELD,
    Fields,
    WithFields,
    check_visitor_form,
    remember_visitor,
    visitor_of,
)
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import AnyVisit, WithVisit, forget_session, remember_session

router = APIRouter()

_HOME = "/"
_BROWSER_COOKIE = "runcard_browser"
_YEAR_S = 365 * 86_400
# A log-in may lead to our own pages only. Two slashes of either kind would begin the address of another site.
_PAGES = re.compile(r"/(?!log-|setup/|invitation/|[/\\])[!-~]*")


class LogInPage(NamedTuple):
    """is_refused: the log-in failed. The page does not say whether the e-mail or the password was wrong."""

    email: str
    next: str
    is_refused: bool
    is_set_up: bool
    form_token: str


@router.get("/log-in")
def show_log_in(request: Request, services: WithServices, visit: AnyVisit, next: str = _HOME) -> Response:  # noqa: A002 (as the URL says)
    if visit is not None:
        return redirect(_page_of(next))
    return _form(request, services, {"next": next})


@router.post("/log-in")
def submit_log_in(
    request: Request, services: WithServices, fields: WithFields, _turn: WithHashingTurn
) -> Response:
    check_visitor_form(request, services, fields)
    email, address = fields.get("email", ""), request.client.host if request.client else ""
    caller = LogInCaller(address, services.known_browsers.find(read_secret(request, _BROWSER_COOKIE), email))
    with services.database.read() as connection:
        actor = services.credentials.find_user(connection, email, fields.get("password", ""), caller)
    if actor is None:
        refused = _form(request, services, fields, status=401)
        # After the answer, or the time that it takes would tell which e-mails have a user.
        refused.background = BackgroundTask(_note_failure, services, email, origin_of(request))
        return refused
    actor = from_request(actor, request)
    agent = request.headers.get("user-agent")
    by_tls = is_by_tls(request)
    session = services.writer.write(actor, lambda tx: log_in(tx, actor, agent, by_tls=by_tls))
    response = redirect(_page_of(fields.get("next", _HOME)))
    remember_session(response, request, session)
    keep_secret(response, request, _BROWSER_COOKIE, services.known_browsers.mark(email), _YEAR_S)
    return response


@router.post("/log-out")
def submit_log_out(
    request: Request, services: WithServices, visit: WithVisit, fields: WithFields
) -> Response:
    services.form_tokens.check(visit.session, fields.get(TOKEN_FIELD, ""))
    services.writer.write(visit.actor, lambda tx: log_out(tx, visit.session))
    response = redirect("/log-in")
    forget_session(response, request)
    return response


def _note_failure(services: Services, email: str, origin: Origin) -> None:
    """Note that somebody failed to log in as a member. An e-mail of nobody belongs to no organization's trail."""
    with services.database.read() as connection:
        known = find_credentials(connection, email)
    if known is not None:
        user = known.user
        author = SystemActor(user.organization_id, "log-in", origin=origin)
        services.writer.write(author, lambda tx: note_event(tx, "user_log_in_failed", user.id, user.email))


def _form(request: Request, services: Services, fields: Fields, status: int = 200) -> Response:
    visitor = visitor_of(request)
    with services.database.read() as connection:
        is_set_up = count_organizations(connection) > 0
    page = LogInPage(
        email=fields.get("email", ""),
        next=_page_of(fields.get("next", _HOME)),
        is_refused=status != 200,
        is_set_up=is_set_up,
        form_token=services.form_tokens.token(visitor),
    )
    response = render("people/log_in.html", page, status=status)
    remember_visitor(response, request, visitor)
    return response


def _page_of(path: str) -> str:
    return path if _PAGES.fullmatch(path) else _HOME
