"""Pages for what went wrong."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from runcard.domain.errors import (
    DatabaseUnavailable,
    FiguresUnavailable,
    InvalidInput,
    Issue,
    RuncardError,
    StorageReadOnly,
    Unauthenticated,
)
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.services import services_of
from runcard.request_ids import request_id
from runcard.web.frame.confirmation import PasswordWanted, page_that_asks
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, find_visit

# Only programs call the first; people follow links to the second too. People read everything else.
_FOR_PROGRAMS = ("/api/", "/v1/", "/v2/")
_FOR_BOTH = "/files/"

_TITLES = {
    400: "A value is not valid",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This cannot be done here",
    413: "This is too much at once",
    421: "This is not a name of this server",
    429: "Slow down",
    502: "The files cannot be reached",
    503: "This cannot be done now",
    507: "The disk is full",
}
# Errors with a title that says more than their status.
_TITLES_OF: Mapping[type[Exception], str] = {
    FiguresUnavailable: "The figures are not ready",
    DatabaseUnavailable: "The database does not answer",
    StorageReadOnly: "Nothing can be written now",
}


class ErrorPage(NamedTuple):
    """request_id: of a request that the server failed to answer, by which its log is searched; else None."""

    status: int
    title: str
    message: str
    details: Sequence[str]
    request_id: str | None


def is_page(request: Request) -> bool:
    """Whether this request is for a page rather than for a program."""
    path = f"{request.url.path}/"
    if path.startswith(_FOR_BOTH):
        return "text/html" in request.headers.get("accept", "")
    return not path.startswith(_FOR_PROGRAMS)


def page_for(request: Request, error: Exception) -> Response:
    """The page that tells a person about an error; the log-in page if nobody is logged in."""
    if isinstance(error, Unauthenticated):
        return redirect(log_in_url(request))
    status = error.status_code if isinstance(error, HTTPException) else answer_error(error).status
    if isinstance(error, PasswordWanted):
        return page_that_asks(error, _visit(request, error), status)
    details = [f"{issue.location}: {issue.message}" for issue in _issues(error)]
    title = _TITLES_OF.get(type(error)) or _TITLES.get(status, "Something went wrong")
    failed_id = request_id() if status >= 500 else None
    page = ErrorPage(status, title, _message(error, status), details, failed_id)
    return render("frame/error.html", page, _visit(request, error), status)


def _visit(request: Request, error: Exception) -> Visit | None:
    """The visit of the request. A request that found no page has not looked it up yet, so this does."""
    if isinstance(error, HTTPException):
        return find_visit(request, services_of(request.scope))
    visit: Visit | None = getattr(request.state, "visit", None)
    return visit


def log_in_url(request: Request) -> str:
    """The address of the log-in page, which leads back to the requested page."""
    if request.method not in ("GET", "HEAD") or request.url.path == "/":
        return "/log-in"
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/log-in?next={quote(target, safe='')}"


def _issues(error: Exception) -> Sequence[Issue]:
    return error.issues if isinstance(error, InvalidInput) else ()


def _message(error: Exception, status: int) -> str:
    if isinstance(error, RuncardError):
        return str(error)
    if status == 404:
        return "No page has this address. Check it, or start from the overview."
    if status < 500:
        return "This address does not take such a request."
    return "The server failed to make this page. Its log says what happened."
