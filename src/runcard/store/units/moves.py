"""The recorded moves of units, with the names of the places."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select

from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import batches, parts, revisions, runs, unit_moves, units
from runcard.store.lists.refs import SerialRef
from runcard.store.units.rows import MoveKind


class UnitPlace(NamedTuple):
    """A revision, a batch or a unit. number: empty if the place is deleted. part_number: only of a revision."""

    number: str
    part_number: str = ""


class Move(NamedTuple):
    """before, after: None if the unit was, or is, in no place of this kind.

    run_id: the run that moved the unit; None if a person moved it, or the run is deleted. at: when that run started, so
    that moves are among the runs in the order of what happened; without a run, when the move was recorded.
    """

    unit: SerialRef
    kind: MoveKind
    before: UnitPlace | None
    after: UnitPlace | None
    run_id: UUID | None
    at: datetime


def list_moves(scope: Scope, unit_id: UUID, at_most: int) -> Sequence[Move]:
    """The moves of a unit, and the moves that brought its present sub-units to it; newest first."""
    m, u = unit_moves.c, units.c
    of_unit = _moves(scope, at_most, m.unit_id == unit_id)
    of_children = _moves(scope, at_most, u.parent_id == unit_id, m.kind == "parent", m.to_id == unit_id)
    return sorted([*of_unit, *of_children], key=lambda move: move.at, reverse=True)


def _moves(scope: Scope, at_most: int, *conditions: ColumnElement[bool]) -> Sequence[Move]:
    m, u, r = unit_moves.c, units.c, runs.c
    query = (
        select(u.id, u.serial_number, m.kind, m.from_id, m.to_id, r.id, r.started_at, m.moved_at)
        .join_from(unit_moves, units, u.id == m.unit_id)
        .outerjoin(runs, r.id == m.run_id)
        .where(scope.owns(m), *conditions)
        .order_by(m.moved_at.desc(), m.id.desc())
        .limit(at_most)
    )
    rows = scope.connection.execute(query).all()
    ids = {place for row in rows for place in (row.from_id, row.to_id) if place is not None}
    places = _places(scope, ids)

    def place(place_id: UUID | None) -> UnitPlace | None:
        return None if place_id is None else places.get(place_id, UnitPlace(""))

    return [
        Move(
            SerialRef(*row[:2]),
            row.kind,
            place(row.from_id),
            place(row.to_id),
            row[5],
            row[6] or row.moved_at,
        )
        for row in rows
    ]


def _places(scope: Scope, ids: Collection[UUID]) -> Mapping[UUID, UnitPlace]:
    """The places with these ids. Ids are unique across tables, so each id is looked up in all of them."""
    r, p, b, u = revisions.c, parts.c, batches.c, units.c
    found: dict[UUID, UnitPlace] = {}
    for some in in_chunks(ids):
        for query in (
            select(r.id, r.number, p.number)
            .join_from(revisions, parts, p.id == r.part_id)
            .where(scope.owns(r), r.id.in_(some)),
            select(b.id, b.number).where(scope.owns(b), b.id.in_(some)),
            select(u.id, u.serial_number).where(scope.owns(u), u.id.in_(some)),
        ):
            found |= {row[0]: UnitPlace(*row[1:]) for row in scope.connection.execute(query)}
    return found
