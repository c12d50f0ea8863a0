"""`/healthz`, `/readyz` and `/metrics`. They are answered before anything else sees the request, so they wait for no
turn and are in no log of API calls.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runcard.edge.answers.errors import error_body, not_found_body
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.monitoring.metrics import Metrics
from runcard.edge.monitoring.readiness import HealthCheck, Readiness

_READS = ("GET", "HEAD")


class AliveBody(Struct, frozen=True):
    """The answer of /healthz. There is no other: who gets none knows that the process does not live."""

    alive: bool = True


class ReadyBody(Struct, frozen=True):
    """The answer of /readyz."""

    ready: bool
    checks: list[HealthCheck]


class MetricsAccess(NamedTuple):
    """Who gets /metrics: everybody at `port`, and who brings `token` at any port. If both are set, the token is needed
    at `port` too; if none is, nobody gets them.
    """

    token: str | None = None
    port: int | None = None

    @property
    def is_on(self) -> bool:
        return self.token is not None or self.port is not None


class Monitor(NamedTuple):
    """metrics: None if nobody gets them."""

    readiness: Readiness
    metrics: Metrics | None


class MonitoringDoors:
    """Wraps the server. At the port of the metrics there is nothing but these three paths.

    monitor: returns the monitor of a server that has started.
    """

    def __init__(self, app: ASGIApp, monitor: Callable[[], Monitor], access: MetricsAccess) -> None:
        self._app = app
        self._monitor = monitor
        self._access = access
        self._doors: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/healthz": self._tell_alive,
            "/readyz": self._tell_ready,
            "/metrics": self._tell_metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._doors.get(scope["path"]) if scope["type"] == "http" else None
        if door is not None:
            response = await self._answer(door, Request(scope))
            await response(scope, receive, send)
        elif self._access.port is not None and self._is_at_own_port(scope):
            await _not_found()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, door: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
        if request.method not in _READS:
            told = f"Use GET for {request.url.path}."
            return _refusal(405, "METHOD_NOT_ALLOWED", told, {"Allow": "GET, HEAD"})
        return await door(request)

    async def _tell_alive(self, _request: Request) -> Response:
        return JsonResponse(AliveBody())

    async def _tell_ready(self, _request: Request) -> Response:
        checks = list(await self._monitor().readiness.checks())
        is_ready = all(check.holds for check in checks)
        return JsonResponse(ReadyBody(is_ready, checks), 200 if is_ready else 503)

    async def _tell_metrics(self, request: Request) -> Response:
        metrics, token = self._monitor().metrics, self._access.token
        if metrics is None or (token is None and not self._is_at_own_port(request.scope)):
            return _not_found()
        if token is not None and not _brings(request, token):
            told = "The figures need the token of the setting metrics_token: Authorization: Bearer TOKEN."
            return _refusal(401, "UNAUTHORIZED", told, {"WWW-Authenticate": "Bearer"})
        text, content_type = await metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": content_type})

    def _is_at_own_port(self, scope: Scope) -> bool:
        server = scope.get("server")
        return self._access.port is not None and server is not None and server[1] == self._access.port


def _brings(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # As bytes, because only ASCII texts can be compared in constant time.
    return scheme.lower() == "bearer" and secrets.compare_digest(
        given.strip().encode("latin-1"), token.encode("utf-8")
    )


def _not_found() -> Response:
    return Response(not_found_body(), 404, media_type="application/json")


def _refusal(status: int, code: str, told: str, headers: Mapping[str, str]) -> Response:
    return Response(error_body(code, told, ()), status, headers, media_type="application/json")
