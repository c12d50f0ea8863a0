"""From what is wrong to what the caller reads: the one table of classes and statuses, and the one error body."""

import logging
from typing import Any, NamedTuple

import msgspec

from runcard.domain import errors as e

_log = logging.getLogger(__name__)

_SHOWN_ISSUES = 3


class _Answer(NamedTuple):
    status: int
    code: str


# The most derived class of an error that stands here decides.
_ANSWERS: dict[type[e.RuncardError], _Answer] = {
    e.InvalidInput: _Answer(400, "BAD_REQUEST"),
    e.MalformedBody: _Answer(400, "PARSE_ERROR"),
    e.UnreadableReport: _Answer(400, "BAD_REQUEST"),
    e.PartNumberMissing: _Answer(400, "BAD_REQUEST"),
    e.SubUnitsNotFound: _Answer(400, "BAD_REQUEST"),
    e.CircularParentage: _Answer(400, "BAD_REQUEST"),
    e.Unauthenticated: _Answer(401, "UNAUTHORIZED"),
    e.PermissionDenied: _Answer(403, "FORBIDDEN"),
    e.NotFound: _Answer(404, "NOT_FOUND"),
    e.Conflict: _Answer(409, "CONFLICT"),
    e.PayloadTooLarge: _Answer(413, "PAYLOAD_TOO_LARGE"),
    e.UnsupportedMediaType: _Answer(415, "UNSUPPORTED_MEDIA_TYPE"),
    e.PartNumberUnreadable: _Answer(422, "UNPROCESSABLE_CONTENT"),
    e.TooManyAttempts: _Answer(429, "TOO_MANY_REQUESTS"),
    e.StorageUnavailable: _Answer(502, "BAD_GATEWAY"),
}
_UNEXPECTED = _Answer(500, "INTERNAL_SERVER_ERROR")


class ErrorAnswer(NamedTuple):
    status: int
    body: bytes


def answer_error(error: Exception) -> ErrorAnswer:
    """Status and JSON body for an error: `code`, `message`, `issues`, and `error.message` for old clients.

    What is not one of Runcard's own errors is answered 500 and tells nothing of itself.
    """
    answer = next((_ANSWERS[cls] for cls in type(error).__mro__ if cls in _ANSWERS), _UNEXPECTED)
    message = str(error) if answer is not _UNEXPECTED else "Internal server error"
    issues = error.issues if isinstance(error, e.InvalidInput) else ()
    return ErrorAnswer(answer.status, error_body(answer.code, message, issues))


def not_found_body() -> bytes:
    """The body for a route that does not exist."""
    return error_body("NOT_FOUND", "Not found", ())


def error_body(code: str, message: str, issues: tuple[e.Issue, ...]) -> bytes:
    told = "; ".join(f"{issue.location}: {issue.message}" for issue in issues[:_SHOWN_ISSUES])
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "issues": [{"path": issue.path, "message": issue.message, "code": "invalid"} for issue in issues],
        # Clients of v1 show only this one, so it says what is wrong too.
        "error": {"message": f"{message}: {told}" if told else message},
    }
    return msgspec.json.encode(body)
