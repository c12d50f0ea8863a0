"""What every request passes first, and every answer last."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.edge.connections.proxies import Proxies

Header = tuple[bytes, bytes]

_NO_SNIFFING: Header = (b"x-content-type-options", b"nosniff")
_NO_STORE: Header = (b"cache-control", b"no-store")
_ONLY_TLS: Header = (b"strict-transport-security", b"max-age=31536000")
# An answer that has one of these says itself how it may be kept.
_CACHING = (b"cache-control", b"etag")


class Entrance:
    """Wraps the whole server. Requests say who asks as a named proxy says it; answers have what keeps browsers safe.

    No browser guesses what an answer is, keeps one that does not say so, or comes back without TLS once it came by TLS.
    A redirect to this server does not name it.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._proxies.believe(scope)

        # No coroutine of its own: it is made for every request.
        def send_safe(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = _made_safe(message, scope)
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
    """The same place of this server, without its name, which is what the request said it is."""
    _, mark, rest = location.partition(b"://")
    host = next((value for name, value in scope["headers"] if name == b"host"), None)
    netloc, slash, path = rest.partition(b"/")
    if location.startswith(b"/") or not mark or netloc != host:
        return location
    # Two slashes would begin the name of another server.
    return b"/" + path.lstrip(b"/\\") if slash else b"/"
