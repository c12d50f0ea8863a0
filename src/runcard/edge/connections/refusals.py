"""The last answers to connections before they are closed, whole and ready to be sent."""

from http import HTTPStatus

from runcard.edge.answers.errors import error_body

MAX_HEADER_BYTES = 65_536


def _refusal(status: HTTPStatus, code: str, message: str, *headers: str) -> bytes:
    body = error_body(code, message, ())
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        *headers,
        "connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


MALFORMED = _refusal(
    HTTPStatus.BAD_REQUEST,
    "BAD_REQUEST",
    "The request is not valid HTTP/1.1 (RFC 9112); send a request line, headers and a body.",
)
HEADERS_TOO_LARGE = _refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "HEADERS_TOO_LARGE",
    f"The request line and the headers are larger than {MAX_HEADER_BYTES} bytes; send fewer or shorter ones.",
)
HEADERS_TOO_SLOW = _refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "TIMEOUT",
    "The headers of the request did not arrive in time; send them at once.",
)
BODY_TOO_SLOW = _refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "TIMEOUT",
    "The body of the request arrived too slowly; send it without pauses, at 1 kB a second or faster.",
)
ALL_BUSY = _refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "SERVICE_UNAVAILABLE",
    "All connections of this server are busy; try again in a moment.",
    "retry-after: 1",
)
