"""JSON answers. The content type has no charset, because old clients compare the whole of it."""

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Scope, Send


class JsonResponse(Response):
    """A JSON answer from a msgspec Struct, or from anything else that msgspec can encode."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


def header_of(scope: Scope, name: bytes) -> str | None:
    """The first header with this lower-case name; None if there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


async def send_json(send: Send, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
    """Send a JSON answer from a plain ASGI endpoint. more: headers besides the usual ones."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
