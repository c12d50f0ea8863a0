"""Merges of parts: one part under two numbers. Its units and runs follow, each with the revision of the same number."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from runcard.domain.errors import Conflict
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.merging.merges import begin_merge, bring_over
from runcard.store.products.mergeable_parts import PARTS, same_revisions
from runcard.store.products.parts import PartRecord, get_former_part, get_part_by_id
from runcard.store.units.rows import get_units_by_id


class PartMerge(NamedTuple):
    """A merged part. id: of the merge."""

    id: UUID
    source_id: UUID
    number: str
    merged_at: datetime
    merged_by: CreatedBy


def merge_parts(tx: Transaction, source: PartRecord, target: PartRecord, creator: Creator, why: str) -> None:
    """Merge the source into the target: from now on, whatever names the source means the target.

    The target gets the revisions that it lacks. why: the reason. It changes records that catalogs remember. Raises
    Conflict if both are the same part.
    """
    if source.id == target.id:
        raise Conflict(f"Part {source.number} cannot be merged into itself. Choose another part as target.")
    r = t.revisions.c
    of_source = select(r.id).where(tx.owns(r), r.part_id == source.id).order_by(r.created_at, r.id)
    same_revisions(tx, tx.connection.execute(of_source).scalars().all(), target.id, creator)
    begin_merge(tx, PARTS, source.id, target.id, creator, why)


def get_unmerged(scope: Scope, part_id: UUID) -> PartRecord:
    """The part with this id. Raises PartNotFound, and Conflict if it was merged into another."""
    part = get_former_part(scope, part_id)
    now = get_part_by_id(scope, part_id)
    if now.id != part_id:
        raise Conflict(
            f"Part {part.number} was merged into {now.number}. Merge {now.number}, or take that merge back first."
        )
    return part


def list_part_merges(scope: Scope, part_id: UUID) -> Sequence[PartMerge]:
    """The parts that were merged into this one, directly or through another, last merged first."""
    p, m = t.parts.c, t.part_merges.c
    joined = t.part_merges.join(t.parts, p.id == m.source_id)
    query = (
        select(m.id, p.id, p.number, m.created_at, *CREATOR_COLUMNS)
        .select_from(with_creator(t.part_merges, joined))
        .where(scope.owns(m), p.merged_into_id == part_id, m.ended_at.is_(None))
        .order_by(m.created_at.desc(), m.id.desc())
    )
    return [PartMerge._make((*row[:4], created_by(*row[4:]))) for row in scope.connection.execute(query)]


def bring_unit_over(tx: Transaction, unit: UnitRow) -> UnitRow:
    """The unit as it is once it has followed its part, if that was merged and the unit still waits."""
    if not bring_over(tx, PARTS, "unit", unit.id):
        return unit
    after = get_units_by_id(tx.scope, [unit.id])[unit.id]
    tx.note_catalog_change()
    tx.catalog.remember_unit(tx.organization_id, after)
    return after
