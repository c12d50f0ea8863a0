"""The entrance: every request passes it first, and every answer last."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.edge.answers.responses import header_of
from runcard.edge.connections.proxies import Proxies
from runcard.edge.connections.stopping import Stopping
from runcard.request_ids import begin_request

Header = tuple[bytes, bytes]

_NO_SNIFFING: Header = (b"x-content-type-options", b"nosniff")
_NO_STORE: Header = (b"cache-control", b"no-store")
_ONLY_TLS: Header = (b"strict-transport-security", b"max-age=31536000")
# Tells a client to send its next request over another connection, which a load balancer leads to another server.
_LAST_ANSWER: Header = (b"connection", b"close")
_REQUEST_ID = b"x-request-id"
# An answer with one of these headers decides itself how it may be cached.
_CACHING = (b"cache-control", b"etag")


class Entrance:
    """Wraps the whole server. Requests get the client that a trusted proxy names, and an id, which their answers tell;
    answers get headers that keep browsers safe.

    With these headers, no browser guesses the type of an answer, caches an answer that does not allow it, or comes back
    without TLS after it came over TLS. A redirect within this server does not contain its name.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies, stopping: Stopping | None = None) -> None:
        self._app = app
        self._proxies = proxies
        self._stopping = stopping or Stopping(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_from_proxy = self._proxies.believe(scope)
        request_id = begin_request(header_of(scope, _REQUEST_ID) if is_from_proxy else None).encode("ascii")

        # This is no coroutine, to save time: it is made for every request.
        def send_safe(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                headers = _made_safe(message, scope)
                headers.append((_REQUEST_ID, request_id))
                if self._stopping.has_begun:
                    headers.append(_LAST_ANSWER)
                message["headers"] = headers
            return send(message)

        await self._app(scope, receive, send_safe)


def _made_safe(start: Message, scope: Scope) -> list[Header]:
    headers: list[Header] = [*start["headers"], _NO_SNIFFING]
    for name, _ in headers:
        if name in _CACHING:
            break
    else:
        headers.append(_NO_STORE)
    if scope["scheme"] == "https":
        headers.append(_ONLY_TLS)
    if 300 <= start["status"] < 400:
        return [(name, _here(value, scope) if name == b"location" else value) for name, value in headers]
    return headers


def _here(location: bytes, scope: Scope) -> bytes:
    """A location on this server without the server's name, which is only what the request claims; others unchanged."""
    _, mark, rest = location.partition(b"://")
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    netloc, slash, path = rest.partition(b"/")
    if location.startswith(b"/") or not mark or netloc != host:
        return location
    # Two slashes would begin the name of another server.
    return b"/" + path.lstrip(b"/\\") if slash else b"/"
