"""What keeps two units from being merged."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from runcard.domain.errors import Conflict
from runcard.domain.floor.at_once import MAX_AT_ONCE
from runcard.store.commit.lookups import UnitRow, find_ancestors
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import runs
from runcard.store.lists.names import names_of


class Kept(NamedTuple):
    """What somebody chose that the unit which stays keeps, where the other has another: its part, and its parent."""

    part: bool = False
    parent: bool = False


def check_can_be_one(scope: Scope, source: UnitRow, into: UnitRow, most_runs: int = MAX_AT_ONCE) -> None:
    """Check that two units may be one. Raises Conflict if they are one already, if one is inside the other, and if the
    source has more runs than one merge moves.
    """
    old, new = source.serial_number, into.serial_number
    if source.id == into.id:
        raise Conflict(f"Unit {new} cannot be merged into itself. Choose another unit.")
    above, below = find_ancestors(scope.connection, into.id), find_ancestors(scope.connection, source.id)
    if source.id in above or into.id in below:
        outer, inner = (old, new) if source.id in above else (new, old)
        raise Conflict(
            f"Unit {inner} is part of unit {outer}, so the two cannot be one. If it is not, take it out of that first."
        )
    r = runs.c
    of_source = select(func.count()).where(scope.owns(r), r.unit_id == source.id)
    count = scope.connection.execute(of_source).scalar_one()
    if count > most_runs:
        raise Conflict(
            f"Unit {old} has {count} runs, and a merge moves {most_runs} at most. Merge {new} into {old} instead."
        )


def have_two_parts(source: UnitRow, into: UnitRow) -> bool:
    """Whether somebody must say that the part of the unit that stays is the right one."""
    return source.part_id != into.part_id


def have_two_parents(source: UnitRow, into: UnitRow) -> bool:
    """Whether somebody must say that the parent of the unit that stays is the right one."""
    return None not in (source.parent_id, into.parent_id) and source.parent_id != into.parent_id


def check_kept(scope: Scope, source: UnitRow, into: UnitRow, kept: Kept) -> None:
    """Check that somebody chose what stays where the units differ. Raises Conflict."""
    old, new = source.serial_number, into.serial_number
    if have_two_parts(source, into) and not kept.part:
        parts = names_of(scope, "part", [source.part_id, into.part_id])
        raise Conflict(
            f"Unit {old} is of part {parts[source.part_id]}, and unit {new} of part {parts[into.part_id]}. Correct one "
            f"of them, or say with keep_part that the part of {new} stays."
        )
    if have_two_parents(source, into) and not kept.parent:
        parents = names_of(scope, "unit", [one for one in (source.parent_id, into.parent_id) if one])
        above_old, above_new = (_named(parents, one.parent_id) for one in (source, into))
        raise Conflict(
            f"Unit {old} is part of {above_old}, and unit {new} is part of {above_new}. Take one of them out, or say "
            f"with keep_parent that {new} stays where it is."
        )


def _named(names: Mapping[UUID, str], unit_id: UUID | None) -> str:
    return "" if unit_id is None else names[unit_id]
