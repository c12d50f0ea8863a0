"""The reader of a page: the log-in session behind its cookie."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from starlette.responses import Response

from runcard.analytics.groups import zone_of
from runcard.auth.permissions import may_manage
from runcard.auth.sessions import SESSION_LIFETIME, find_logged_in, is_for_tls
from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput, Unauthenticated
from runcard.edge.requests.origin import from_request
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.lookups import get_organization
from runcard.store.engine.scope import Scope
from runcard.store.people.users import get_user
from runcard.web.frame.cookies import forget_secret, is_by_tls, keep_secret, read_secret

SESSION_COOKIE = "runcard_session"
_MENU = {
    "Overview": "/",
    "Runs": "/runs",
    "Procedures": "/procedures",
    "Units": "/units",
    "Parts": "/parts",
    "Batches": "/batches",
    "Stations": "/stations",
    "Imports": "/imports",
    "History": "/trail",
    "API calls": "/activity",
    "Settings": "/settings",
}
_FOR_MANAGERS = ("/trail", "/activity")


# Other names that browsers give UTC.
_UTC_TOO = frozenset({"Etc/UCT", "Etc/UTC", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})

# The scripts of pages set it, even before anybody has logged in.
_ZONE_COOKIE = "runcard_zone"

# How pages look; without it, they follow the reader's system.
THEME_COOKIE = "runcard_theme"
Theme = Literal["light", "dark"]


class MenuLink(NamedTuple):
    """is_here: the page that is shown belongs to it."""

    name: str
    url: str
    is_here: bool


class Visit(NamedTuple):
    """A member who is logged in. form_token: goes into every form of their pages. zone: of their clock.

    confirmed_at: when they last gave their password in this session; None: not known.
    """

    actor: UserActor
    organization_name: str
    email: str
    session: str
    form_token: str
    zone: ZoneInfo
    menu: Sequence[MenuLink]
    confirmed_at: datetime | None


def session_of(request: Request) -> str | None:
    """The secret of the session that a browser sends; None if it sends none."""
    return read_secret(request, SESSION_COOKIE)


def find_visit(request: Request, services: WithServices) -> Visit | None:
    """The member who is logged in; None if nobody is. Kept with the request, so that an error page has their menu."""
    request.state.visit = _visit_of(request, services)
    visit: Visit | None = request.state.visit
    return visit


def _visit_of(request: Request, services: Services) -> Visit | None:
    session = session_of(request)
    if not session or is_for_tls(session) != is_by_tls(request):
        return None
    with services.database.read() as connection:
        logged_in = find_logged_in(connection, session)
        if logged_in is None:
            return None
        actor, confirmed_at = logged_in
        organization = get_organization(Scope(connection, actor.organization_id))
        user = get_user(Scope(connection, actor.organization_id), str(actor.user_id))
    return Visit(
        from_request(actor, request),
        organization.name,
        user.email,
        session,
        services.form_tokens.token(session),
        zone_of_reader(request),
        _menu(request.url.path, actor),
        confirmed_at,
    )


def zone_of_reader(request: Request) -> ZoneInfo:
    """The zone of the browser's clock; UTC if it sends none, or a name that is no zone."""
    zone_name = unquote(request.cookies.get(_ZONE_COOKIE, "UTC"))
    try:
        return zone_of("UTC" if zone_name in _UTC_TOO else zone_name)
    except InvalidInput:
        return ZoneInfo("UTC")


def _menu(path: str, actor: UserActor) -> Sequence[MenuLink]:
    return [
        MenuLink(name, url, _is_within(path, url))
        for name, url in _MENU.items()
        if url not in _FOR_MANAGERS or may_manage(actor)
    ]


def _is_within(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(f"{url}/"))


AnyVisit = Annotated[Visit | None, Depends(find_visit)]


def _visit(visit: AnyVisit) -> Visit:
    if visit is None:
        raise Unauthenticated("Log in to see this page.")
    return visit


WithVisit = Annotated[Visit, Depends(_visit)]


def remember_session(response: Response, request: Request, session: str) -> None:
    """Give the browser the secret of its session."""
    keep_secret(response, request, SESSION_COOKIE, session, int(SESSION_LIFETIME.total_seconds()))


def forget_session(response: Response, request: Request) -> None:
    forget_secret(response, request, SESSION_COOKIE)
