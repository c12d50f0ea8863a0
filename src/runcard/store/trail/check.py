"""Whether records are what the audit trail says that they became."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import zstandard
from sqlalchemy import Select, Table, func, select

from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.trail.things import THING_OF, Thing, read_things

_PAGE = 500
_DELETED = "_deleted"


class Misfit(NamedTuple):
    """A record that is not what the trail says. problem: what is wrong, as the end of a sentence about it."""

    noun: str
    thing_id: UUID
    problem: str


class CheckedPage(NamedTuple):
    """compared: how many records. misfits: those that do not fit. uncovered: how many the trail knows not."""

    compared: int
    misfits: Sequence[Misfit]
    uncovered: int


class _LastState(NamedTuple):
    """What the trail says last of a record. state: None: it was deleted."""

    seq: int
    kind: str
    state: bytes | None


def check_records(scope: Scope) -> Iterator[CheckedPage]:
    """Compare every record that the trail covers with its last digest there, some at a time."""
    for thing in THING_OF.values():
        after: UUID | None = None
        while ids := _next_ids(scope, thing.table, after):
            yield _check(scope, thing, ids)
            after = ids[-1]
    yield from _check_absent(scope)


def _next_ids(scope: Scope, table: Table, after: UUID | None) -> Sequence[UUID]:
    owner = table.c.id if table is t.organizations else table.c.organization_id
    query = select(table.c.id).where(owner == scope.organization_id)
    if after is not None:
        query = query.where(table.c.id > after)
    return scope.connection.execute(query.order_by(table.c.id).limit(_PAGE)).scalars().all()


def _check(scope: Scope, thing: Thing, ids: Sequence[UUID]) -> CheckedPage:
    known = _last_states(scope, ids)
    misfits: list[Misfit] = []
    try:
        found = read_things(scope, thing.table, ids)
    except zstandard.ZstdError:
        found = {}
        for one in ids:
            try:
                found |= read_things(scope, thing.table, [one])
            except zstandard.ZstdError:
                misfits.append(Misfit(thing.noun, one, "its document cannot be unpacked"))
    for thing_id, kept in found.items():
        last = known.get(thing_id)
        if last is None:
            continue
        if last.state is None:
            problem = f"the trail says that it was deleted (change {last.seq}), but it is there"
            misfits.append(Misfit(thing.noun, thing_id, problem))
        elif last.state != kept.digest:
            problem = f"it is not what change {last.seq} ({last.kind}) made of it"
            misfits.append(Misfit(thing.noun, thing_id, problem))
    return CheckedPage(len(found), misfits, len(found.keys() - known.keys()))


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
        there: set[UUID] = set()
        for thing in THING_OF.values():
            there |= {*scope.connection.execute(_among(scope, thing.table, known)).scalars()}
        gone = [
            Misfit("record", one, f"change {last.seq} ({last.kind}) made it, but it is not there")
            for one, last in known.items()
            if one not in there
        ]
        yield CheckedPage(0, gone, 0)
        after = ids[-1]


def _among(scope: Scope, table: Table, ids: Collection[UUID]) -> Select[tuple[UUID]]:
    owner = table.c.id if table is t.organizations else table.c.organization_id
    return select(table.c.id).where(owner == scope.organization_id, table.c.id.in_(ids))
