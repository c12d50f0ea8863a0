"""Where a request came from, as the audit trail keeps it."""

import re
from typing import TypeVar

from fastapi import Request
from msgspec.structs import replace

from runcard.domain.actor import Actor, Origin
from runcard.request_ids import request_id

A = TypeVar("A", bound=Actor)

_DOORS = re.compile(
    r"/+(?:api/)?(v1|v2|analytics|export|quarantine|repairs|cli|trail|proof)(?:/|$)", re.IGNORECASE
)
# Several paths of one door. Pages have paths of these names too.
_NOTES = re.compile(r"/+api/(?:notes|comments|tags|causes)(?:/|$)", re.IGNORECASE)


def origin_of(request: Request, key: str | None = None) -> Origin:
    """Where a request came from. key: the first characters of its API key; None: it came with none."""
    return Origin(
        door=_door_of(request.url.path),
        address=None if request.client is None else request.client.host,
        key=key,
        request_id=request_id(),
    )


def _door_of(path: str) -> str:
    if _NOTES.match(path):
        return "notes"
    door = _DOORS.match(path)
    return "page" if door is None else door[1].lower()


def from_request(actor: A, request: Request) -> A:
    """The actor, who acts by this request."""
    return replace(actor, origin=origin_of(request, actor.origin.key))
