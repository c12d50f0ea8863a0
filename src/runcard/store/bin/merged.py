"""Units that were merged into others: each waits beside the bin, and what named it names the other."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import deleted_things


class MergedUnit(NamedTuple):
    """A unit that was merged into another, and can be split from it. merged_by_id: None: Runcard itself."""

    id: UUID
    serial_number: str
    into_id: UUID
    merged_at: datetime
    merged_by_id: UUID | None
    why: str | None


_d = deleted_things.c
_COLUMNS = (_d.id, _d.name, _d.merged_into_id, _d.deleted_at, _d.deleted_by_id, _d.why)


def list_merged_into(scope: Scope, unit_id: UUID) -> Sequence[MergedUnit]:
    """The units that were merged into this one itself, last merged first."""
    query = select(*_COLUMNS).where(scope.owns(_d), _d.merged_into_id == unit_id, _d.content.is_not(None))
    rows = scope.connection.execute(query.order_by(_d.deleted_at.desc(), _d.id.desc()))
    return [MergedUnit(*row) for row in rows]


def find_merged(scope: Scope, unit_id: UUID) -> MergedUnit | None:
    """The merged unit with this id; None if there is none that can be split."""
    query = select(*_COLUMNS).where(
        scope.owns(_d), _d.id == unit_id, _d.merged_into_id.is_not(None), _d.content.is_not(None)
    )
    row = scope.connection.execute(query).one_or_none()
    return None if row is None else MergedUnit(*row)


def follow_merged(scope: Scope, unit_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """For each of these units that was merged, the unit that stands for it now, through all merges since."""
    found: dict[UUID, UUID] = {}
    fresh: set[UUID] = {*unit_ids}
    while fresh:
        step: dict[UUID, UUID] = {}
        for some in in_chunks(fresh):
            query = select(_d.id, _d.merged_into_id)
            query = query.where(scope.owns(_d), _d.id.in_(some), _d.merged_into_id.is_not(None))
            step |= {row[0]: row[1] for row in scope.connection.execute(query)}
        found |= step
        fresh = {*step.values()} - found.keys()
    return {unit_id: _end_of(unit_id, found) for unit_id in unit_ids if unit_id in found}


def with_merged(scope: Scope, thing_ids: Collection[UUID]) -> Sequence[UUID]:
    """These things, and the units that were merged into units among them, at any depth."""
    found = dict.fromkeys(thing_ids)
    fresh = list(found)
    while fresh:
        merged: list[UUID] = []
        for some in in_chunks(fresh):
            query = select(_d.id).where(scope.owns(_d), _d.merged_into_id.in_(some), _d.content.is_not(None))
            merged += scope.connection.execute(query).scalars()
        fresh = [one for one in merged if one not in found]
        found |= dict.fromkeys(fresh)
    return list(found)


def _end_of(unit_id: UUID, steps: Mapping[UUID, UUID]) -> UUID:
    while unit_id in steps:
        unit_id = steps[unit_id]
    return unit_id
