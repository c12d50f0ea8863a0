"""The pages of the site, found as people find them: by following what pages lead to."""

import re
from collections import deque
from collections.abc import Iterator, Mapping, Set
from importlib import import_module
from pkgutil import walk_packages
from typing import NamedTuple
from urllib.parse import parse_qsl, urldefrag, urlencode

from fastapi.routing import APIRoute
from starlette.routing import Match

from runcard import web
from tests.web.browser import Browser, Page

# Parts of an address that make another page of one route.
_VIEWS = ("tab", "kiosk")


class Site(NamedTuple):
    """reached: paths of routes that something leads to. pages: the first address of each kind of page.

    A kind is the path of a route, with what chooses among its views.
    """

    reached: Set[str]
    pages: Mapping[str, str]


def _routes() -> list[APIRoute]:
    """What may be asked for with GET, the most exact paths first."""
    names = [
        one.name for one in walk_packages(web.__path__, "runcard.web.") if one.name != "runcard.web.router"
    ]
    modules = [import_module(name) for name in names]
    routers = [module.router for module in modules if hasattr(module, "router")]
    found = [one for router in routers for one in router.routes if isinstance(one, APIRoute)]
    readable = [one for one in found if "GET" in (one.methods or ())]
    return sorted(readable, key=lambda one: len(re.sub(r"{.*?}", "", one.path)), reverse=True)


ROUTES = _routes()


def explore(browser: Browser) -> Site:
    """Go from the overview to one of each kind."""
    seen: set[str] = set()
    found: dict[str, str] = {}
    waiting = deque(["/"])
    while waiting:
        url = waiting.popleft()
        kind = _kind(url)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        answer = browser.http.get(url)
        if answer.headers["Content-Type"].startswith("text/html"):
            # Parts of pages lead on too, but are none.
            if answer.text.startswith("<!doctype html>"):
                found[kind] = url
            waiting += _ways_on(Page(answer))
    return Site({kind.partition("?")[0] for kind in seen}, found)


def _ways_on(page: Page) -> Iterator[str]:
    for _, attributes in page.elements:
        for name in ("href", "src", "hx-get"):
            if name in attributes:
                yield urldefrag(attributes[name]).url
        if "action" in attributes and attributes.get("method", "get") == "get":
            yield attributes["action"]


def _kind(url: str) -> str | None:
    """None: nothing of the pages'."""
    if not url.startswith("/"):
        return None
    path, _, query = url.partition("?")
    scope = {"type": "http", "method": "GET", "path": path}
    views = [(name, value) for name, value in parse_qsl(query) if name in _VIEWS]
    view = f"?{urlencode(views)}" if views else ""
    return next((f"{one.path}{view}" for one in ROUTES if one.matches(scope)[0] is Match.FULL), None)
