"""The audit trail as people read it: its entries, newest first, by person, thing, kind and time.

What a report made has no entry of its own. Its record says who sent the report, and the trail has its digest.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, union_all

from runcard.domain.evidence.entry import By, Entry, decode_entry
from runcard.store.commit.changes import ChangeKind
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.trail.things import THING_BY_NOUN, THING_OF, Thing, noun_of

# Kinds that tell of people and their access. Only admins see them.
OF_ACCESS: frozenset[ChangeKind] = frozenset(
    {
        "user_created",
        "user_changed",
        "user_logged_in",
        "user_logged_out",
        "user_log_in_failed",
        "user_sessions_ended",
        "key_created",
        "key_changed",
        "key_deleted",
        "invitation_created",
        "invitation_deleted",
    }
)
_BATCH = 500
# Stands for an entry whose text cannot be read, so that a page still shows it among the others.
DAMAGED = Entry(By("system", "An entry that cannot be read"))


class TrailFilter(NamedTuple):
    """Conditions that an entry must all meet. None: no condition.

    actor_id: the user or the station that made the change. thing_id: what was changed, or what a comment that was
    changed is about; thing_ids: one of several.
    after, before: inclusive. with_reports: also what reports made, which has no entry text; with an
    actor, what their reports made. of_access: also entries of OF_ACCESS.
    """

    actor_id: UUID | None = None
    thing_id: UUID | None = None
    thing_ids: Collection[UUID] | None = None
    kinds: Sequence[ChangeKind] | None = None
    after: datetime | None = None
    before: datetime | None = None
    with_reports: bool = False
    of_access: bool = True


class TrailEntry(NamedTuple):
    """A change as the trail keeps it. seq: its number in the order of the commits.

    entry: None if a report made the record. text: of the entry, as it is hashed. state: the digest of the record.
    """

    seq: int
    kind: ChangeKind
    thing_id: UUID
    at: datetime
    actor_id: UUID | None
    text: str | None
    state: bytes | None

    @property
    def entry(self) -> Entry | None:
        """What the text says; `DAMAGED` if somebody changed it past Runcard so that it cannot be read."""
        if self.text is None:
            return None
        try:
            return decode_entry(self.text)
        except (msgspec.DecodeError, UnicodeError):
            return DAMAGED


class EntryPage(NamedTuple):
    """rows: newest first. next_before: the number below which the next page begins; None: there is none."""

    rows: Sequence[TrailEntry]
    next_before: int | None


_COLUMNS = [
    t.changes.c[name] for name in ("seq", "kind", "entity_id", "changed_at", "actor_id", "entry", "state")
]


def list_entries(
    scope: Scope, trail_filter: TrailFilter, limit: int, before_seq: int | None = None
) -> EntryPage:
    """The newest entries that the filter finds. before_seq: only entries with smaller numbers."""
    c = t.changes.c
    query = _entries(scope.organization_id, trail_filter).order_by(c.seq.desc()).limit(limit + 1)
    if before_seq is not None:
        query = query.where(c.seq < before_seq)
    found = [TrailEntry(*row) for row in scope.connection.execute(query)]
    rows = found[:limit]
    return EntryPage(rows, rows[-1].seq if len(found) > limit else None)


def read_entries(scope: Scope, trail_filter: TrailFilter) -> Iterator[TrailEntry]:
    """All entries that the filter finds, oldest first, read in batches."""
    after = 0
    while True:
        found = list_later_entries(scope, trail_filter, after, _BATCH)
        yield from found
        if len(found) < _BATCH:
            return
        after = found[-1].seq


def list_later_entries(
    scope: Scope, trail_filter: TrailFilter, after_seq: int, limit: int
) -> Sequence[TrailEntry]:
    """At most `limit` entries that the filter finds behind the one numbered `after_seq`, oldest first."""
    c = t.changes.c
    query = _entries(scope.organization_id, trail_filter).where(c.seq > after_seq).order_by(c.seq)
    return [TrailEntry(*row) for row in scope.connection.execute(query.limit(limit))]


def find_reporters(scope: Scope, entries: Collection[TrailEntry]) -> Mapping[int, By]:
    """Who sent the reports behind these entries, by the number of the entry.

    A record says who sent the report that made it. A report that only changed it, and a record that is gone, have none.
    """
    made = [entry for entry in entries if entry.text is None and entry.kind in _MADE_BY_REPORT]
    makers: dict[UUID, By] = {}
    for kind in {entry.kind for entry in made}:
        of_kind = [entry.thing_id for entry in made if entry.kind == kind]
        makers |= _makers(scope, _MADE_BY_REPORT[kind], of_kind)
    return {entry.seq: makers[entry.thing_id] for entry in made if entry.thing_id in makers}


def find_names(scope: Scope, entries: Collection[TrailEntry]) -> Mapping[UUID, str]:
    """The present names of the things of these entries, by id. A run is named by its unit. No entry: it is gone."""
    by_noun: dict[str, set[UUID]] = defaultdict(set)
    for entry in entries:
        by_noun[noun_of(entry.kind)].add(entry.thing_id)
    found: dict[UUID, str] = {}
    for noun, ids in by_noun.items():
        for some in in_chunks(ids):
            found |= {row[0]: row[1] for row in scope.connection.execute(_named(scope, noun, some))}
    d = t.deleted_things.c
    for some in in_chunks({one.thing_id for one in entries} - found.keys()):
        gone = select(d.id, d.name).where(scope.owns(d), d.id.in_(some), d.name.is_not(None))
        found |= {row.id: row.name for row in scope.connection.execute(gone)}
    return found


# The kinds that tell of a record made by a report, which says who made it.
_MADE_BY_REPORT: Mapping[str, Thing] = {
    f"{thing.noun}_{'recorded' if thing.noun in ('run', 'repair') else 'created'}": thing
    for thing in THING_OF.values()
    if "created_by_station_id" in thing.table.c
}


def _entries(organization_id: UUID, trail_filter: TrailFilter) -> Select[Any]:
    c = t.changes.c
    conditions: list[ColumnElement[bool]] = [owned_by(organization_id, c)]
    if trail_filter.with_reports:
        # A mere signal to followers has neither.
        conditions.append(or_(c.entry.is_not(None), c.state.is_not(None)))
    else:
        conditions.append(c.entry.is_not(None))
    if trail_filter.actor_id is not None:
        mine = c.actor_id == trail_filter.actor_id
        conditions.append(
            or_(mine, _reported_by(organization_id, trail_filter.actor_id))
            if trail_filter.with_reports
            else mine
        )
    if trail_filter.thing_id is not None:
        m = t.comments.c
        about_it = select(m.id).where(owned_by(organization_id, m), m.thing_id == trail_filter.thing_id)
        conditions.append(or_(c.entity_id == trail_filter.thing_id, c.entity_id.in_(about_it)))
    if trail_filter.thing_ids is not None:
        conditions.append(c.entity_id.in_(trail_filter.thing_ids))
    if trail_filter.kinds is not None:
        conditions.append(c.kind.in_(trail_filter.kinds))
    if not trail_filter.of_access:
        conditions.append(c.kind.not_in(sorted(OF_ACCESS)))
    if trail_filter.after is not None:
        conditions.append(c.changed_at >= trail_filter.after)
    if trail_filter.before is not None:
        conditions.append(c.changed_at <= trail_filter.before)
    return select(*_COLUMNS).where(*conditions)


def _reported_by(organization_id: UUID, actor_id: UUID) -> ColumnElement[bool]:
    """The condition that a report of this user or station made the thing of a change."""
    c = t.changes.c
    ways: list[ColumnElement[bool]] = []
    for kind, thing in _MADE_BY_REPORT.items():
        m = thing.table.c
        by = or_(m.created_by_station_id == actor_id, m.created_by_user_id == actor_id)
        made = exists().where(owned_by(organization_id, m), m.id == c.entity_id, by)
        ways.append(and_(c.kind == kind, made))
    return and_(c.entry.is_(None), or_(*ways))


def _makers(scope: Scope, thing: Thing, ids: Sequence[UUID]) -> Mapping[UUID, By]:
    c, u, s = thing.table.c, t.users.c, t.stations.c
    joined = thing.table.outerjoin(t.users, u.id == c.created_by_user_id).outerjoin(
        t.stations, s.id == c.created_by_station_id
    )
    query = select(c.id, u.id, u.email, s.id, s.name).select_from(joined).where(scope.owns(c))
    found: dict[UUID, By] = {}
    for some in in_chunks(ids):
        for thing_id, user_id, email, station_id, name in scope.connection.execute(
            query.where(c.id.in_(some))
        ):
            found[thing_id] = (
                By("station", name, station_id) if user_id is None else By("user", email, user_id)
            )
    return found


def _named(scope: Scope, noun: str, ids: Sequence[UUID]) -> Select[Any]:
    r, u = t.runs.c, t.units.c
    thing = THING_BY_NOUN.get(noun)
    if noun in ("organization", "backup"):
        o = t.organizations.c
        return select(o.id, o.name).where(o.id == scope.organization_id, o.id.in_(ids))
    if noun == "thing":
        return _named_noted(scope, ids)
    if noun == "run" or thing is None or thing.named_by is None:
        # Runs are known by what their units are called now; what has no name is not found among them.
        query = select(r.id, u.serial_number).join_from(t.runs, t.units, u.id == r.unit_id)
        return query.where(scope.owns(r), r.id.in_(ids))
    c = thing.table.c
    return select(c.id, c[thing.named_by]).where(scope.owns(c), c.id.in_(ids))


def _named_noted(scope: Scope, ids: Sequence[UUID]) -> Select[Any]:
    """The things that have notes and a row of their own."""
    r, u = t.runs.c, t.units.c
    runs = select(r.id, u.serial_number).join_from(t.runs, t.units, u.id == r.unit_id)
    named = (t.units.c.serial_number, t.batches.c.number, t.stations.c.name)
    found = union_all(
        runs.where(scope.owns(r), r.id.in_(ids)),
        *(
            select(name.table.c.id, name).where(scope.owns(name.table.c), name.table.c.id.in_(ids))
            for name in named
        ),
    ).subquery()
    return select(*found.c)
