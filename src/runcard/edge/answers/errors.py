"""The answers to errors: one table from classes to statuses, and one error body."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from runcard.domain import errors as e

_log = logging.getLogger(__name__)


class StatusAnswer(NamedTuple):
    """retry_after_s: after how long a retry is worthwhile; None: never without a change, or not known."""

    status: int
    code: str
    media_type: str = "application/json"
    retry_after_s: int | None = None


Answers = Mapping[type[e.RuncardError], StatusAnswer]

# The most derived class of an error that is in this table decides.
ANSWERS: Answers = {
    e.InvalidInput: StatusAnswer(400, "BAD_REQUEST"),
    e.MalformedBody: StatusAnswer(400, "PARSE_ERROR"),
    e.UnreadableReport: StatusAnswer(400, "BAD_REQUEST"),
    e.ReportRefused: StatusAnswer(400, "BAD_REQUEST"),
    e.PartNumberMissing: StatusAnswer(400, "BAD_REQUEST"),
    e.SubUnitsNotFound: StatusAnswer(400, "BAD_REQUEST"),
    e.CircularParentage: StatusAnswer(400, "BAD_REQUEST"),
    e.NotAChild: StatusAnswer(400, "BAD_REQUEST"),
    e.Unauthenticated: StatusAnswer(401, "UNAUTHORIZED"),
    e.PermissionDenied: StatusAnswer(403, "FORBIDDEN"),
    e.NotFound: StatusAnswer(404, "NOT_FOUND"),
    e.QueryTooSlow: StatusAnswer(408, "TIMEOUT"),
    e.Conflict: StatusAnswer(409, "CONFLICT"),
    e.PayloadTooLarge: StatusAnswer(413, "PAYLOAD_TOO_LARGE"),
    e.UnsupportedMediaType: StatusAnswer(415, "UNSUPPORTED_MEDIA_TYPE"),
    e.HostNotAllowed: StatusAnswer(421, "MISDIRECTED_REQUEST"),
    e.PartNumberUnreadable: StatusAnswer(422, "UNPROCESSABLE_CONTENT"),
    e.TooManyAttempts: StatusAnswer(429, "TOO_MANY_REQUESTS", retry_after_s=300),
    e.TooMuchAtOnce: StatusAnswer(429, "TOO_MANY_REQUESTS"),
    e.TooManyLargeBodies: StatusAnswer(503, "SERVICE_UNAVAILABLE"),
    e.StorageUnavailable: StatusAnswer(502, "BAD_GATEWAY"),
    e.FiguresUnavailable: StatusAnswer(503, "SERVICE_UNAVAILABLE", retry_after_s=10),
    e.Outage: StatusAnswer(503, "SERVICE_UNAVAILABLE", retry_after_s=5),
    # No Retry-After: a report that is sent again might be recorded twice.
    e.CommitInDoubt: StatusAnswer(503, "SERVICE_UNAVAILABLE"),
    e.DocumentUnavailable: StatusAnswer(503, "SERVICE_UNAVAILABLE", retry_after_s=60),
    e.StorageReadOnly: StatusAnswer(503, "SERVICE_UNAVAILABLE", retry_after_s=60),
    e.StorageFull: StatusAnswer(507, "INSUFFICIENT_STORAGE", retry_after_s=60),
}
_UNEXPECTED = StatusAnswer(500, "INTERNAL_SERVER_ERROR")


class ErrorAnswer(NamedTuple):
    status: int
    body: bytes
    media_type: str
    headers: Mapping[str, str]


def answer_error(error: Exception, answers: Answers = ANSWERS, request_id: str | None = None) -> ErrorAnswer:
    """The status and JSON body for an error: `code`, `message`, `issues`, and `error.message` for old clients.

    An error that is not one of Runcard's own is answered 500, without any detail. answers: the table of an API that
    has its own. request_id: None for an API whose error bodies are frozen.
    """
    answer = next((answers[cls] for cls in type(error).__mro__ if cls in answers), _UNEXPECTED)
    message = str(error) if answer is not _UNEXPECTED else "Internal server error"
    issues = error.issues if isinstance(error, e.InvalidInput) else ()
    retry_after_s = error.retry_after_s if isinstance(error, e.TooMuchAtOnce) else answer.retry_after_s
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:.0f}"}
    body = error_body(answer.code, message, issues, request_id)
    return ErrorAnswer(answer.status, body, answer.media_type, headers)


def not_found_body(request_id: str | None = None) -> bytes:
    """The body for a route that does not exist."""
    return error_body("NOT_FOUND", "Not found", (), request_id)


def error_body(code: str, message: str, issues: tuple[e.Issue, ...], request_id: str | None = None) -> bytes:
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "issues": [
            {"path": issue.path, "message": _message_of(issue), "code": "invalid"} for issue in issues
        ],
        # Clients of v1 show only this message, so it includes the issues.
        "error": {"message": e.in_one_line(message, issues)},
    }
    if request_id is not None:
        body["request_id"] = request_id
    return msgspec.json.encode(body)


def _message_of(issue: e.Issue) -> str:
    """The message of an issue, for readers who see no path: it names the field in words and as the wire does."""
    name = next((step for step in reversed(issue.path) if isinstance(step, str)), None)
    if name is None or name in issue.message:
        return issue.message
    return f"{name.replace('_', ' ').capitalize()} ({issue.location}): {issue.message}"
