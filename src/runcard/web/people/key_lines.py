"""API keys as lines of a page, and the page that shows a new key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from starlette.responses import Response

from runcard.domain.actor import KEY_SCOPES
from runcard.domain.floor.key import KeyState, KeyTerms, key_end_of, key_name_of, key_scopes_of
from runcard.edge.requests.services import Services
from runcard.store.people.api_keys import ApiKey
from runcard.store.stations.records import StationRecord, list_procedures_of
from runcard.web.frame.formats import Moment, ago_text, moment_of
from runcard.web.frame.forms import Fields
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit
from runcard.web.people.first_run import SOME_PROCEDURE, Snippet, snippets


class KeyLine(NamedTuple):
    """prefix: how it begins. name: what uses it; empty if nobody said. scopes: empty: all that its owner may.

    expires_at: None: it never expires. replaced_by: how the key in its place begins; empty if there is none.
    used_ago: such as "3 days ago"; "never" where used_at is None.
    """

    id: UUID
    prefix: str
    name: str
    scopes: str
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    state: KeyState
    replaced_by: str
    used_at: Moment | None
    used_ago: str


class KeyMadePage(NamedTuple):
    """owner: the name of its owner. back: the page of its owner."""

    owner: str
    api_key: str
    back: str
    snippets: Sequence[Snippet]


def key_line(key: ApiKey, zone: ZoneInfo) -> KeyLine:
    now = datetime.now(UTC)
    return KeyLine(
        id=key.id,
        prefix=key.prefix,
        name=key.name or "",
        scopes="" if key.scopes is None else ", ".join(one for one in KEY_SCOPES if one in key.scopes),
        created_at=moment_of(key.created_at, zone),
        expires_at=None if key.expires_at is None else moment_of(key.expires_at, zone),
        revoked_at=None if key.revoked_at is None else moment_of(key.revoked_at, zone),
        state=key.state(now),
        replaced_by=key.replaced_by or "",
        used_at=None if key.used_at is None else moment_of(key.used_at, zone),
        used_ago="never" if key.used_at is None else ago_text(now - key.used_at),
    )


def key_terms_of(fields: Fields, zone: ZoneInfo) -> KeyTerms:
    """What a form says of a new key. zone: of the reader's clock. Raises InvalidInput."""
    name = key_name_of(fields.get("used_by", ""))
    ends = key_end_of(fields.get("expires", ""), datetime.now(UTC), zone)
    return KeyTerms(name, ends, key_scopes_of([one for one in KEY_SCOPES if f"may_{one}" in fields]))


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
