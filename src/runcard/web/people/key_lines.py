"""API keys as lines of a page, and the page that shows a new key."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from runcard.edge.requests.services import Services
from runcard.store.people.api_keys import ApiKey
from runcard.store.stations.records import StationRecord, list_procedures_of
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit
from runcard.web.people.first_run import SOME_PROCEDURE, Snippet, snippets


class KeyLine(NamedTuple):
    """prefix: how it begins. revoked_at: None while it works."""

    id: UUID
    prefix: str
    created_at: Moment
    revoked_at: Moment | None


class KeyMadePage(NamedTuple):
    """owner: the name of its owner. back: the page of its owner."""

    owner: str
    api_key: str
    back: str
    snippets: Sequence[Snippet]


def key_line(key: ApiKey, zone: ZoneInfo) -> KeyLine:
    revoked = None if key.revoked_at is None else moment_of(key.revoked_at, zone)
    return KeyLine(key.id, key.prefix, moment_of(key.created_at, zone), revoked)


class MadeKey(NamedTuple):
    """owner: the name of its owner. back: the page of its owner. procedure: the identifier for a first run."""

    owner: str
    api_key: str
    back: str
    procedure: str


def show_new_key(request: Request, services: Services, visit: Visit, made: MadeKey) -> Response:
    """The only page that ever shows this key, as the answer to the form that made it."""
    root = services.links.root(str(request.base_url))
    page = KeyMadePage(made.owner, made.api_key, made.back, snippets(root, made.api_key, made.procedure))
    return render("people/key_made.html", page, visit)


def show_key_of_station(
    request: Request, services: Services, visit: Visit, station: StationRecord, api_key: str
) -> Response:
    """The page of `show_new_key` for a station, with a procedure that the station may report."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        linked = list_procedures_of(scope, [station])[station.id]
    procedure = linked[0].identifier if linked else SOME_PROCEDURE
    made = MadeKey(station.name, api_key, f"/stations/{station.id}", procedure)
    return show_new_key(request, services, visit, made)
