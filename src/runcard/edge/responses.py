"""Answers of the plain ASGI endpoints, and headers as they read them."""

from starlette.types import Scope, Send


def header_of(scope: Scope, name: bytes) -> str | None:
    """The first header with this lower-case name; None where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Answer with a JSON body. The content type carries no charset: old clients compare it as a whole."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
