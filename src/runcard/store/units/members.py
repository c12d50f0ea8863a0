"""The units that belong to a part, a revision, a batch or another unit now."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import parts, revisions, units
from runcard.store.lists.refs import Numbered, PartRef

# How many units one answer shows. The list of units has pages for more.
MAX_MEMBERS = 10_000


class MemberUnit(NamedTuple):
    id: UUID
    serial_number: str
    created_at: datetime
    part: PartRef
    revision: Numbered


def count_sub_units(scope: Scope, part_id: UUID) -> int:
    """How many units of a part are part of another unit."""
    u = units.c
    query = select(func.count()).where(scope.owns(u), u.part_id == part_id, u.parent_id.is_not(None))
    return scope.connection.execute(query).scalar_one()


def count_units(
    scope: Scope,
    place: Literal["part", "revision", "batch", "parent"],
    ids: Collection[UUID],
) -> Mapping[UUID, int]:
    """How many units belong to each of these parts, revisions, batches or units; no entry for one without units."""
    u = units.c
    reference = u[f"{place}_id"]
    counts: dict[UUID, int] = {}
    for some in in_chunks(ids):
        query = select(reference, func.count()).where(scope.owns(u), reference.in_(some)).group_by(reference)
        counts.update((place_id, count) for place_id, count in scope.connection.execute(query))
    return counts


def list_units_of_revision(scope: Scope, revision_id: UUID) -> Sequence[MemberUnit]:
    """The units of a revision, newest first, at most MAX_MEMBERS."""
    return _members(scope, units.c.revision_id == revision_id)


def list_units_of_batch(scope: Scope, batch_id: UUID) -> Sequence[MemberUnit]:
    """The units of a batch, newest first, at most MAX_MEMBERS."""
    return _members(scope, units.c.batch_id == batch_id)


def _members(scope: Scope, belongs: ColumnElement[bool]) -> Sequence[MemberUnit]:
    u, p, r = units.c, parts.c, revisions.c
    query = (
        select(u.id, u.serial_number, u.created_at, p.id, p.number, p.name, r.id, r.number)
        .join_from(units, parts, p.id == u.part_id)
        .join(revisions, r.id == u.revision_id)
        .where(scope.owns(u), belongs)
        .order_by(u.created_at.desc(), u.id.desc())
        .limit(MAX_MEMBERS)
    )
    return [
        MemberUnit(*row[:3], PartRef(*row[3:6]), Numbered(*row[6:]))
        for row in scope.connection.execute(query)
    ]
