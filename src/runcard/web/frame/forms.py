"""Forms: reads their fields, and checks that a form comes from one of our own pages."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.responses import Response

from runcard.domain.errors import InvalidInput, RuncardError
from runcard.domain.floor.reason import check_reason
from runcard.edge.requests.bodies import read_body
from runcard.edge.requests.services import Services, WithServices
from runcard.web.frame.cookies import keep_secret, read_secret
from runcard.web.frame.visit import WithVisit

T = TypeVar("T")

TOKEN_FIELD = "form_token"  # noqa: S105 (the name of a field)
_VISITOR_COOKIE = "runcard_visitor"

# Far above what any form of ours sends; strangers may send forms too.
_MAX_FORM_BYTES = 16_384
_MAX_FIELDS = 250
# A form with a text as long as a comment; a character of it may be twelve bytes there.
_MAX_TEXT_FORM_BYTES = 160_000

Fields = Mapping[str, str]


async def read_fields(request: Request, max_bytes: int, max_fields: int) -> Fields:
    """The fields of a URL-encoded form; a body of another kind has none. Raises PayloadTooLarge and InvalidInput."""
    body = await read_body(request.receive, max_bytes)
    try:
        return dict(
            parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=max_fields)
        )
    except ValueError as error:
        raise InvalidInput.at("form", f"It has more than {max_fields} fields; send fewer") from error


async def _read_fields(request: Request) -> Fields:
    return await read_fields(request, _MAX_FORM_BYTES, _MAX_FIELDS)


WithFields = Annotated[Fields, Depends(_read_fields)]


def _check_member_form(services: WithServices, visit: WithVisit, fields: WithFields) -> Fields:
    services.form_tokens.check(visit.session, fields.get(TOKEN_FIELD, ""))
    return fields


# The fields of a form that a page gave to the member who sends it.
WithForm = Annotated[Fields, Depends(_check_member_form)]


async def _read_text_form(request: Request, visit: WithVisit, services: WithServices) -> Fields:
    fields = await read_fields(request, _MAX_TEXT_FORM_BYTES, _MAX_FIELDS)
    services.form_tokens.check(visit.session, fields.get(TOKEN_FIELD, ""))
    return fields


# The same, of a form that may hold a comment.
WithTextForm = Annotated[Fields, Depends(_read_text_form)]


def reason_in(fields: Fields) -> str | None:
    """The reason in a form; None if it was left empty. Raises InvalidInput."""
    reason = fields.get("reason", "").strip()
    return check_reason(reason) if reason else None


def problems_of(error: RuncardError | None) -> Sequence[str]:
    """What is wrong with the fields, to show beside the form."""
    if isinstance(error, InvalidInput):
        return [issue.message for issue in error.issues]
    return [str(error)] if error else []


def whole_number(fields: Fields, field: str, of: str) -> int | None:
    """The number in a field; None if it is empty. of: what the number counts, such as days. Raises InvalidInput."""
    text = fields.get(field, "").strip()
    if not text:
        return None
    # int() would take signs and the digits of other scripts too, and any number of them.
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidInput.at(field, f"{text!r} is no number of {of}; give a whole number, or leave it empty")
    return int(text)


def one_of(fields: Fields, field: str, known: Mapping[str, T]) -> T:
    """What the choice in a field stands for. Raises InvalidInput."""
    chosen = fields.get(field, "")
    if chosen not in known:
        raise InvalidInput.at(field, f"{chosen[:60]!r} is not offered; choose one of {', '.join(known)}")
    return known[chosen]


def visitor_of(request: Request) -> str:
    """The secret that tells a browser from others before anyone logs in; a fresh one if it has none."""
    return read_secret(request, _VISITOR_COOKIE) or secrets.token_urlsafe(24)


def remember_visitor(response: Response, request: Request, visitor: str) -> None:
    keep_secret(response, request, _VISITOR_COOKIE, visitor)


def check_visitor_form(request: Request, services: Services, fields: Fields) -> None:
    """Check that this browser got the form from us, without a log-in. Raises FormExpired."""
    services.form_tokens.check(read_secret(request, _VISITOR_COOKIE), fields.get(TOKEN_FIELD, ""))
