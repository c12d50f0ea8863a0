"""Entries of the audit trail as lines of a page, with links to what still exists."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.auth.permissions import may_administer, may_manage
from runcard.domain.evidence.entry import By
from runcard.store.commit.changes import ChangeKind
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.store.trail.entries import (
    TrailEntry,
    TrailFilter,
    find_names,
    find_reporters,
    list_entries,
)
from runcard.store.trail.named import find_part_numbers
from runcard.store.trail.things import noun_of
from runcard.web.evidence.words import (
    HAD_VALUES,
    FieldChange,
    KnownThing,
    Piece,
    changes_of,
    in_sentence,
    sentence_of,
    thing_pieces,
)
from runcard.web.frame.facts import Fact
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.urls import (
    notes_url,
    revision_url,
    station_url,
    thing_url,
)
from runcard.web.frame.visit import Visit

PATH = "/trail"
_LATEST = 10
# A sentence names so many fields; the details have all.
_MOST_FIELDS = 3
_DOORS = {
    "page": "a page",
    "v1": "API v1",
    "v2": "API v2",
    "cli": "a command line",
    "quarantine": "the API of the quarantine",
    "notes": "the API of comments, tags and causes",
}


class HistoryLine(NamedTuple):
    """changes: the fields that the sentence names. more: how many it leaves out. why: the reason; empty if none.

    fields: all fields, if the sentence does not say it all. origin: where the change came from; empty for readers who
    may not know.
    """

    at: Moment
    kind: ChangeKind
    sentence: Sequence[Piece]
    changes: Sequence[FieldChange]
    more: int
    why: str
    fields: Sequence[FieldChange]
    origin: Sequence[Fact]


class ThingHistory(NamedTuple):
    """The latest changes of a thing. all_url: leads to all of them; empty if the reader may not see that page."""

    lines: Sequence[HistoryLine]
    all_url: str


class _Known(NamedTuple):
    """What the database knows now of what entries are about. here: the thing whose page shows them, if it is one."""

    names: Mapping[UUID, str]
    reporters: Mapping[int, By]
    parts: Mapping[UUID, str]
    stations: Mapping[UUID, str]
    here: UUID | None


def history_of(scope: Scope, visit: Visit, thing_id: UUID) -> ThingHistory:
    """The latest changes of a thing, for everyone who sees its page."""
    trail_filter = TrailFilter(thing_id=thing_id, with_reports=True, of_access=may_administer(visit.actor))
    lines = _latest(scope, visit, trail_filter)
    return ThingHistory(lines, f"{PATH}?thing={thing_id}&reports=yes" if may_manage(visit.actor) else "")


def history_of_kinds(scope: Scope, visit: Visit, kinds: Sequence[ChangeKind], all_url: str) -> ThingHistory:
    """The latest changes of some kinds. all_url: of the page of all of them."""
    return ThingHistory(_latest(scope, visit, TrailFilter(kinds=kinds)), all_url)


def history_lines(
    scope: Scope, visit: Visit, entries: Sequence[TrailEntry], here: UUID | None = None
) -> Sequence[HistoryLine]:
    """The entries as lines, in their order. here: the thing whose page shows them, which is not linked."""
    known = _known(scope, entries, here)
    return [_line(one, known, visit) for one in entries]


def thing_of(scope: Scope, thing_id: UUID, entries: Sequence[TrailEntry]) -> Sequence[Piece]:
    """What one thing is called, from the first of its entries; its id if there are none."""
    if not entries:
        return [Piece(str(thing_id), is_name=True)]
    return thing_pieces(entries[0].kind, _thing(entries[0], _known(scope, entries[:1], None)))


def _latest(scope: Scope, visit: Visit, trail_filter: TrailFilter) -> Sequence[HistoryLine]:
    return history_lines(scope, visit, list_entries(scope, trail_filter, _LATEST).rows, trail_filter.thing_id)


def _known(scope: Scope, entries: Sequence[TrailEntry], here: UUID | None) -> _Known:
    reporters = find_reporters(scope, entries)
    authors = [*reporters.values(), *(one.entry.by for one in entries if one.entry is not None)]
    stations = {by.id for by in authors if by.kind == "station" and by.id is not None}
    revisions = [one.thing_id for one in entries if noun_of(one.kind) == "revision"]
    return _Known(
        find_names(scope, entries),
        reporters,
        find_part_numbers(scope, revisions),
        names_of(scope, "station", stations),
        here,
    )


def _line(one: TrailEntry, known: _Known, visit: Visit) -> HistoryLine:
    entry = one.entry
    by = known.reporters.get(one.seq) if entry is None else entry.by
    by_url = station_url(by.id) if by is not None and by.id is not None and by.id in known.stations else ""
    fields = [] if entry is None else changes_of(one.kind, entry.what, visit.zone)
    told = [in_sentence(field) for field in fields[:_MOST_FIELDS]] if one.kind.endswith(HAD_VALUES) else []
    return HistoryLine(
        at=moment_of(one.at, visit.zone),
        kind=one.kind,
        sentence=sentence_of(one.kind, by, _thing(one, known), by_url),
        changes=told,
        more=len(fields) - len(told) if told else 0,
        why="" if entry is None else entry.why or "",
        fields=[] if fields == told else fields,
        origin=_origin(one) if may_manage(visit.actor) else [],
    )


def _thing(one: TrailEntry, known: _Known) -> KnownThing:
    """The thing by the name that it had, or has if the entry has none. It is linked if it still exists."""
    present = known.names.get(one.thing_id, "")
    then = one.entry.name if one.entry is not None else None
    url = _url(one, present, known) if present and one.thing_id != known.here else ""
    return KnownThing(str(one.thing_id), then or present, url)


def _url(one: TrailEntry, name: str, known: _Known) -> str:
    match noun_of(one.kind):
        case "revision":
            return revision_url(known.parts[one.thing_id], name)
        case "user":
            return "/settings/members"
        case "thing" | "comment":
            return notes_url(one.thing_id)
        case "tag":
            return "/settings/tags"
        case "cause":
            return "/settings/causes"
        case "organization":
            return "/settings/organization"
        case noun:
            return thing_url(noun, one.thing_id, name)


def _origin(one: TrailEntry) -> Sequence[Fact]:
    entry = one.entry
    facts = [
        Fact("Through", "" if entry is None or entry.door is None else _DOORS.get(entry.door, entry.door)),
        Fact("Address", entry.address or "" if entry else ""),
        Fact("Key", f"{entry.key}…" if entry and entry.key else ""),
        Fact("Request", entry.request_id or "" if entry else ""),
        Fact("Entry", str(one.seq)),
        Fact("Record then (SHA-256)", "" if one.state is None else one.state.hex()),
    ]
    return [fact for fact in facts if fact.value]
