"""Entries of the audit trail as rows: for JSON, and flat for CSV."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from runcard.domain.evidence.entry import By, Entry
from runcard.exports.formats import ENCODINGS
from runcard.store.commit.changes import ChangeKind
from runcard.store.engine.readable import Readable
from runcard.store.engine.scope import Scope
from runcard.store.trail.entries import TrailEntry, TrailFilter, find_reporters, list_later_entries

TrailFormat = Literal["csv", "jsonl"]

_ENTRIES_AT_ONCE = 1000


class TrailAuthor(Struct, frozen=True):
    """The name is the one that they had then. id: null if Runcard itself made the change."""

    kind: Literal["user", "station", "system"]
    name: str
    id: UUID | None


class TrailItem(Struct, frozen=True):
    """kind: what happened. by: null if a report caused it and does not say who sent it. name: of the thing, then.

    door, address, key, request_id: where the request came from. why: the reason that was given. what: the fields that
    changed, each with its old and its new value. state: SHA-256 of the record after the change, in hexadecimal digits.
    """

    seq: int
    at: datetime
    kind: ChangeKind
    thing_id: UUID
    by: TrailAuthor | None
    door: str | None
    address: str | None
    key: str | None
    request_id: str | None
    name: str | None
    why: str | None
    what: dict[str, tuple[Any, Any]]
    state: str | None


class TrailLine(Struct, frozen=True):
    """A TrailItem as a row of a table. what: as JSON."""

    seq: int
    at: datetime
    kind: ChangeKind
    thing_id: UUID
    name: str | None
    by_kind: str | None
    by_name: str | None
    by_id: UUID | None
    door: str | None
    address: str | None
    key: str | None
    request_id: str | None
    why: str | None
    what: str | None
    state: str | None


def trail_items(scope: Scope, entries: Sequence[TrailEntry]) -> Sequence[TrailItem]:
    """The entries with who made each. Of what a report made, that is who sent the report."""
    reporters = find_reporters(scope, entries)
    return [_item(one, reporters.get(one.seq)) for one in entries]


def trail_file(
    database: Readable, organization_id: UUID, trail_filter: TrailFilter, file_format: TrailFormat
) -> Iterator[bytes]:
    """The pieces of a file of all entries that the filter finds, oldest first.

    No transaction stays open between two pieces. So what is noted meanwhile is in the file too.
    """
    pages = _pages(database, organization_id, trail_filter)
    if file_format == "jsonl":
        return ENCODINGS["jsonl"].encode(TrailItem, pages)
    return ENCODINGS["csv"].encode(TrailLine, ([_line(item) for item in page] for page in pages))


def _pages(
    database: Readable, organization_id: UUID, trail_filter: TrailFilter
) -> Iterator[Sequence[TrailItem]]:
    after = 0
    while True:
        with database.read_in(organization_id) as scope:
            entries = list_later_entries(scope, trail_filter, after, _ENTRIES_AT_ONCE)
            items = trail_items(scope, entries)
        yield items
        if len(entries) < _ENTRIES_AT_ONCE:
            return
        after = entries[-1].seq


def _item(one: TrailEntry, reporter: By | None) -> TrailItem:
    entry = one.entry
    by = reporter if entry is None else entry.by
    said = entry or Entry(By("system", ""))
    return TrailItem(
        seq=one.seq,
        at=one.at,
        kind=one.kind,
        thing_id=one.thing_id,
        by=None if by is None else TrailAuthor(by.kind, by.name, by.id),
        door=said.door,
        address=said.address,
        key=said.key,
        request_id=said.request_id,
        name=said.name,
        why=said.why,
        what=dict(said.what),
        state=None if one.state is None else one.state.hex(),
    )


def _line(item: TrailItem) -> TrailLine:
    by = item.by
    return TrailLine(
        seq=item.seq,
        at=item.at,
        kind=item.kind,
        thing_id=item.thing_id,
        name=item.name,
        by_kind=None if by is None else by.kind,
        by_name=None if by is None else by.name,
        by_id=None if by is None else by.id,
        door=item.door,
        address=item.address,
        key=item.key,
        request_id=item.request_id,
        why=item.why,
        what=msgspec.json.encode(item.what).decode() if item.what else None,
        state=item.state,
    )
