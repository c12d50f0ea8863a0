"""The search: finds anything by its name."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.requests.services import WithServices
from runcard.store.lists.name_search import Hit, Kind, find_named, find_similar
from runcard.store.metadata import find_keys_of_value
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import thing_url
from runcard.web.frame.visit import WithVisit
from runcard.web.lists.filters import page_query
from runcard.web.lists.metadata_words import metadata_words_for

router = APIRouter()

_MOST = 10
# The heading of each kind, and the list that can show more hits; empty if no list can.
_GROUPS: dict[Kind, tuple[str, str]] = {
    "unit": ("Units", "/units"),
    "run": ("Runs", ""),
    "part": ("Parts", "/parts"),
    "procedure": ("Procedures", ""),
    "batch": ("Batches", "/batches"),
    "station": ("Stations", ""),
}


class SearchQuery(Struct, kw_only=True):
    q: Annotated[str, Meta(max_length=200)] = ""


class HitLine(NamedTuple):
    """is_named: its name is exactly the text, not more."""

    url: str
    name: str
    aside: str
    outcome: RunOutcome | None
    is_named: bool


class HitGroup(NamedTuple):
    """more_url: a list with the other hits of this kind; empty if there are none, or no such list."""

    kind: str
    title: str
    hits: Sequence[HitLine]
    has_more: bool
    more_url: str


class SearchPage(NamedTuple):
    """groups: those with hits."""

    text: str
    groups: Sequence[HitGroup]


@router.get("/search")
def search(
    services: WithServices, visit: WithVisit, query: Annotated[SearchQuery, page_query(SearchQuery)]
) -> Response:
    """Everything whose name contains the text. If exactly one thing has this name, go straight to its page."""
    text, organization_id = query.q.strip(), visit.actor.organization_id
    if not text:
        return render("floor/search.html", SearchPage("", ()), visit)
    with services.database.read_in(organization_id) as scope:
        named = find_named(scope, text)
        if len(named) == 1:
            return redirect(_url(named[0]))
        similar = find_similar(scope, text, _MOST + 1)
        keys = find_keys_of_value(scope, text, _MOST)
    groups = [_group(kind, named, similar.get(kind, ()), text) for kind in _GROUPS]
    groups.append(_noted(keys, text))
    return render("floor/search.html", SearchPage(text, [group for group in groups if group.hits]), visit)


def _group(kind: Kind, named: Sequence[Hit], similar: Sequence[Hit], text: str) -> HitGroup:
    first = [hit for hit in named if hit.kind == kind]
    hits = [*first, *(hit for hit in similar if hit not in first)]
    title, more = _GROUPS[kind]
    has_more = len(hits) > _MOST
    return HitGroup(
        kind,
        title,
        [_line(hit, is_named=hit in first) for hit in hits[:_MOST]],
        has_more,
        f"{more}?{urlencode({'search': text})}" if more and has_more else "",
    )


def _noted(keys: Sequence[str], text: str) -> HitGroup:
    """Links to lists of runs: one for each key of metadata that has this value."""
    hits = [
        HitLine(f"/runs?{urlencode({'metadata': query_text})}", f"{key}: {text}", "", None, is_named=False)
        for key in keys
        if (query_text := metadata_words_for(key, text)) is not None
    ]
    return HitGroup("metadata", "Runs with this in their metadata", hits, has_more=False, more_url="")


def _line(hit: Hit, *, is_named: bool) -> HitLine:
    return HitLine(_url(hit), hit.name, "" if hit.aside == hit.name else hit.aside, hit.outcome, is_named)


def _url(hit: Hit) -> str:
    return thing_url(hit.kind, hit.id, hit.name)
