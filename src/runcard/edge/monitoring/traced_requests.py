"""A span for each request, by the semantic conventions of OpenTelemetry for HTTP servers."""

from collections.abc import Awaitable

from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
)
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.activity.log import Endpoints
from runcard.edge.monitoring.request_counts import METHODS, NO_ROUTE, route_of
from runcard.edge.monitoring.spans import current, mark_failed, trace_by
from runcard.request_ids import request_id

_REQUEST_ID = "runcard.request_id"
_OTHER_METHOD = "_OTHER"
_PARENT_HEADERS = (b"traceparent", b"tracestate")
_propagator = TraceContextTextMapPropagator()


class TracedRequests:
    """Passes every request on, inside a span. It continues the trace that the headers name."""

    def __init__(self, app: ASGIApp, tracer: Tracer, endpoints: Endpoints) -> None:
        self._app = app
        self._tracer = tracer
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        def note_status(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        span = self._begin(scope)
        trace_by(self._tracer)
        with current(span):
            try:
                await self._app(scope, receive, note_status)
            finally:
                self._describe(span, scope, status)

    def _begin(self, scope: Scope) -> Span:
        method = _method_of(scope)
        attributes = {
            HTTP_REQUEST_METHOD: method,
            URL_SCHEME: scope["scheme"],
            _REQUEST_ID: request_id() or "",
        }
        parent = _propagator.extract(_parent_headers(scope))
        return self._tracer.start_span(_named(method), parent, SpanKind.SERVER, attributes)

    def _describe(self, span: Span, scope: Scope, status: int | None) -> None:
        """Say what is known once the request is answered. status: None: the client went away first."""
        route = route_of(self._endpoints, scope)
        if route != NO_ROUTE:
            span.set_attribute(HTTP_ROUTE, route)
            span.update_name(f"{_named(_method_of(scope))} {route}")
        if status is None:
            mark_failed(span, "client_gone")
            return
        span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
        if status >= 500:
            mark_failed(span, str(status))


def _method_of(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else _OTHER_METHOD


def _named(method: str) -> str:
    return "HTTP" if method == _OTHER_METHOD else method


def _parent_headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("ascii"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in _PARENT_HEADERS
    }
