"""Whether records are what the audit trail says that they became."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import zstandard
from msgspec import MsgspecError
from sqlalchemy import case, func, select

from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.trail.adoption import is_adopting
from runcard.store.trail.things import (
    THING_BY_NOUN,
    TOMBSTONE,
    KeptThing,
    Thing,
    is_owned,
    next_ids,
    noun_of,
    read_things,
)

_PAGE = 500
_DELETED = "_deleted"
# The last change of a thing that is gone; its state, if it has one, is the digest of the tombstone.
_GONE = (_DELETED, "_purged", "unit_merged", f"{TOMBSTONE}_changed")
# What reading a row raises if SQLite keeps something in it that its column cannot have.
UNREADABLE = (zstandard.ZstdError, MsgspecError, TypeError, ValueError, OverflowError)


class Misfit(NamedTuple):
    """A record that is not what the trail says. problem: what is wrong, as the end of a sentence about it."""

    noun: str
    thing_id: UUID
    problem: str


class CheckedPage(NamedTuple):
    """compared: how many records. misfits: those that do not fit. waiting: how many are from before the trail, and
    have no digest yet.
    """

    compared: int
    misfits: Sequence[Misfit]
    waiting: int = 0


class _LastState(NamedTuple):
    """What the trail says last of a record. state: None: it was deleted, and left no tombstone."""

    seq: int
    kind: str
    state: bytes | None

    @property
    def is_gone(self) -> bool:
        return self.kind.endswith(_GONE)


def check_records(scope: Scope) -> Iterator[CheckedPage]:
    """Compare every record that the trail covers with its last digest there, some at a time."""
    for thing in THING_BY_NOUN.values():
        after: UUID | None = None
        while ids := next_ids(scope, thing.table, after, _PAGE):
            yield _check(scope, thing, ids)
            after = ids[-1]
    yield _check_metadata(scope)
    yield from _check_absent(scope)


def _check(scope: Scope, thing: Thing, ids: Sequence[UUID]) -> CheckedPage:
    known = _last_states(scope, ids)
    found, misfits = _read(scope, thing, ids)
    unknown = found.keys() - known.keys()
    waiting = len(unknown) if unknown and is_adopting(scope) else 0
    if not waiting:
        problem = "the trail knows nothing of it: somebody added it"
        misfits += [Misfit(thing.noun, thing_id, problem) for thing_id in sorted(unknown)]
    for thing_id, last in known.items():
        kept = found.get(thing_id)
        if kept is None:
            continue
        if last.state is None or (last.is_gone and thing.noun != TOMBSTONE):
            problem = f"the trail says that it was deleted (change {last.seq}), but it is there"
            misfits.append(Misfit(thing.noun, thing_id, problem))
        elif thing.noun == TOMBSTONE and not last.is_gone:
            problem = f"the trail says that the thing is there ({last.kind}, change {last.seq})"
            misfits.append(Misfit(thing.noun, thing_id, problem))
        elif last.state != kept.digest:
            problem = f"it is not what change {last.seq} ({last.kind}) made of it"
            misfits.append(Misfit(thing.noun, thing_id, problem))
    return CheckedPage(len(found), misfits, waiting)


def _read(scope: Scope, thing: Thing, ids: Sequence[UUID]) -> tuple[dict[UUID, KeptThing], list[Misfit]]:
    """These records, and those of them that nobody can read."""
    try:
        return dict(read_things(scope, thing.table, ids)), []
    except UNREADABLE as error:
        if len(ids) == 1:
            return {}, [Misfit(thing.noun, ids[0], f"it cannot be read: {error}")]
    found: dict[UUID, KeptThing] = {}
    misfits: list[Misfit] = []
    for one in ids:
        read, unreadable = _read(scope, thing, [one])
        found |= read
        misfits += unreadable
    return found, misfits


def _last_states(scope: Scope, ids: Collection[UUID]) -> Mapping[UUID, _LastState]:
    """What the trail says last of each of these records; no entry for a record that it does not cover."""
    c = t.changes.c
    told = c.state.is_not(None) | (c.entry.is_not(None) & c.kind.endswith(_DELETED, autoescape=True))
    newest = select(func.max(c.seq)).where(scope.owns(c), c.entity_id.in_(ids), told).group_by(c.entity_id)
    query = select(c.entity_id, c.seq, c.kind, c.state).where(c.seq.in_(newest))
    return {row[0]: _LastState(*row[1:]) for row in scope.connection.execute(query)}


def _check_absent(scope: Scope) -> Iterator[CheckedPage]:
    """Find the records that the trail says are there, and that are not."""
    c = t.changes.c
    after: UUID | None = None
    while True:
        query = select(c.entity_id).where(scope.owns(c), c.state.is_not(None)).distinct()
        if after is not None:
            query = query.where(c.entity_id > after)
        ids = scope.connection.execute(query.order_by(c.entity_id).limit(_PAGE)).scalars().all()
        if not ids:
            return
        known = {one: last for one, last in _last_states(scope, ids).items() if last.state is not None}
        there = _find_there(scope, known)
        gone = [
            Misfit("record", one, f"change {last.seq} ({last.kind}) made it, but it is not there")
            for one, last in known.items()
            if one not in there
        ]
        yield CheckedPage(0, gone)
        after = ids[-1]


def _find_there(scope: Scope, known: Mapping[UUID, _LastState]) -> set[UUID]:
    """Those of these records that are there. The kind of the last change says in which table; else all are searched."""
    by_noun: dict[str, list[UUID]] = defaultdict(list)
    for one, last in known.items():
        by_noun[TOMBSTONE if last.is_gone else noun_of(last.kind)].append(one)
    there: set[UUID] = set()
    for noun, ids in by_noun.items():
        things = [THING_BY_NOUN[noun]] if noun in THING_BY_NOUN else THING_BY_NOUN.values()
        for table in (thing.table for thing in things):
            query = select(table.c.id).where(is_owned(scope, table), table.c.id.in_(ids))
            there |= {*scope.connection.execute(query).scalars()}
    return there


def _check_metadata(scope: Scope) -> CheckedPage:
    """Find values of the metadata that are of two types at once, or of none."""
    e = t.metadata_entries.c
    kinds = [case((column.is_not(None), 1), else_=0) for column in (e.text, e.number, e.boolean)]
    query = select(e.entity_id, e.key).where(scope.owns(e), kinds[0] + kinds[1] + kinds[2] != 1)
    found = scope.connection.execute(query.limit(_PAGE)).all()
    return CheckedPage(
        0, [Misfit("record", one, f"its metadata {key!r} has not exactly one value") for one, key in found]
    )
