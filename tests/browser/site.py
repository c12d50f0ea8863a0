"""The pages of the site, found as people find them: by following links."""

from collections import deque
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import urldefrag

from fastapi.routing import APIRoute
from starlette.routing import Match

from runcard.web import pages
from tests.web.browser import Browser, Page


def _routes() -> list[APIRoute]:
    """What may be asked for with GET, the more exact paths first."""
    modules = [import_module(f"{pages.__name__}.{one.name}") for one in iter_modules(pages.__path__)]
    routers = [module.router for module in modules if hasattr(module, "router")]
    found = [one for router in routers for one in router.routes if isinstance(one, APIRoute)]
    readable = [one for one in found if "GET" in (one.methods or ())]
    return sorted(readable, key=lambda one: len(one.param_convertors))


PAGES = _routes()


def pages_by_kind(browser: Browser) -> Mapping[str, str]:
    """Of each kind of page (the path of its route) the first that links lead to, from the overview on."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = deque(["/"])
    while waiting:
        url = waiting.popleft()
        kind = _kind(url)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        answer = browser.http.get(url)
        if answer.headers["Content-Type"].startswith("text/html"):
            found[kind] = url
            waiting += [urldefrag(link).url for link in Page(answer).links]
    return found


def _kind(url: str) -> str | None:
    """None: no page of ours."""
    if not url.startswith("/"):
        return None
    scope = {"type": "http", "method": "GET", "path": url.partition("?")[0]}
    return next((route.path for route in PAGES if route.matches(scope)[0] is Match.FULL), None)
