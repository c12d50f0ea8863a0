"""How many requests were answered, by route, method and status, and how long they took."""

import time
from collections.abc import Awaitable, Mapping
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.activity.log import Endpoints
from runcard.counted_values import CountedValues

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER_METHOD = "other"
# Folders of files, which have no routes of their own.
_FOLDERS = ("/static/", "/api/docs/files/")
NO_ROUTE = "none"
# As nginx logs it: the client went away before it had an answer.
_CLIENT_GONE = 499
_TOOK_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Answered(NamedTuple):
    """A kind of answer. All three have few values, whatever is requested. route: a template, or "none"."""

    route: str
    method: str
    status: int


class RequestCounts:
    """The durations in seconds of all answers, by their kind. One event loop adds, and any thread may read."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        # The keys are the fields of Answered: a plain tuple is made for every request, and takes half of the time.
        self._spreads: dict[tuple[str, str, int], CountedValues] = {}

    def add(self, scope: Scope, status: int, took_s: float) -> None:
        method: str = scope["method"]
        kind = (route_of(self._endpoints, scope), method if method in METHODS else _OTHER_METHOD, status)
        spread = self._spreads.get(kind)
        if spread is None:
            spread = self._spreads[kind] = CountedValues(_TOOK_S)
        spread.add(took_s)

    def snapshot(self) -> Mapping[Answered, CountedValues]:
        return {Answered(*kind): spread for kind, spread in self._spreads.copy().items()}


def route_of(endpoints: Endpoints, scope: Scope) -> str:
    """The route of a request that was answered, a template such as "/api/v2/runs/{id}"; NO_ROUTE if it has none."""
    path: str = scope["path"]
    template = endpoints.template_of(path, scope.get("route"))
    if template is not None:
        return template
    folder = next((folder for folder in _FOLDERS if path.startswith(folder)), None)
    return NO_ROUTE if folder is None else f"{folder}{{path}}"


class CountedRequests:
    """Passes every request on, and counts its answer."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = _CLIENT_GONE

        # This is no coroutine, to save time: it is made for every request.
        def note_status(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            self._counts.add(scope, status, time.perf_counter() - began_s)
