"""The settings: the way to their first page, and the page of the reader's theme."""

from typing import NamedTuple, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.domain.errors import InvalidInput
from runcard.web.frame.forms import WithForm
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import THEME_COOKIE, Theme, WithVisit
from runcard.web.lists.filters import Choice

router = APIRouter()

_THEMES: tuple[Theme, ...] = get_args(Theme)
_NAMES = {"light": "Light", "dark": "Dark"}
_SYSTEM = "system"
_YEAR_S = 365 * 24 * 3600


class AppearancePage(NamedTuple):
    themes: list[Choice]


@router.get("/settings")
def show_settings(_visit: WithVisit) -> Response:
    return redirect("/settings/organization")


@router.get("/settings/appearance")
def show_appearance(request: Request, visit: WithVisit) -> Response:
    chosen = request.cookies.get(THEME_COOKIE)
    themes = [Choice(one, _NAMES[one], one == chosen) for one in _THEMES]
    system = Choice(_SYSTEM, "As the system", chosen not in _THEMES)
    return render("people/appearance.html", AppearancePage([*themes, system]), visit)


@router.post("/settings/appearance")
def submit_appearance(request: Request, _visit: WithVisit, fields: WithForm) -> Response:
    theme = fields.get("theme", "")
    if theme not in (*_THEMES, _SYSTEM):
        raise InvalidInput.at("theme", f"{theme!r} is no theme; choose light, dark or system")
    response = redirect("/settings/appearance")
    if theme == _SYSTEM:
        response.delete_cookie(THEME_COOKIE, samesite="lax")
    else:
        # A script of ours reads it before the browser draws anything.
        response.set_cookie(
            THEME_COOKIE, theme, max_age=_YEAR_S, samesite="lax", secure=request.url.scheme == "https"
        )
    return response
