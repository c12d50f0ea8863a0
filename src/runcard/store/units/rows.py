"""The rows of units: what is tested, where it belongs, and its moves."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Select, delete, select, update

from runcard.domain.errors import UnitNotFound
from runcard.domain.ids import new_id
from runcard.domain.metadata import Metadata
from runcard.domain.text import lookup_key
from runcard.store.bin.deleting import Deletion, before_deleting, bury
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.chunks import get_rows
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import (
    attachments,
    repairs,
    revisions,
    run_sub_units,
    runs,
    unit_moves,
    units,
)
from runcard.store.files.removal import delete_unneeded, remains_of
from runcard.store.metadata import delete_metadata
from runcard.store.trail.watching import stage_record, watch

MoveKind = Literal["revision", "batch", "parent"]


def stage_unit(
    tx: Transaction,
    unit: UnitRow,
    creator: Creator,
    created_during_run_id: UUID | None,
    metadata: Metadata | None = None,
) -> None:
    """Add a unit. created_during_run_id: the run that first named it; None if it was created without a run."""
    row = {
        **unit._asdict(),
        "organization_id": tx.organization_id,
        "serial_key": lookup_key(unit.serial_number),
        "created_during_run_id": created_during_run_id,
        "created_at": tx.now,
        **creator.columns,
    }
    stage_record(tx, units, row, creator, metadata)
    tx.catalog.remember_unit(tx.organization_id, unit)


def move_unit(tx: Transaction, before: UnitRow, after: UnitRow, run_id: UUID | None) -> None:
    """Move a unit to another part, revision, batch or parent, and keep a record of each move.

    run_id: the run that named the new place; None if a person or an update did.
    """
    if after == before:
        return
    places = {name: getattr(after, name) for name in ("part_id", "revision_id", "batch_id", "parent_id")}
    u = units.c
    watch(tx, units, [before.id], kind="unit_moved", by_report=run_id is not None)
    tx.connection.execute(update(units).where(tx.owns(u), u.id == before.id).values(places))
    moved: tuple[MoveKind, ...] = ("revision", "batch", "parent")
    for kind in moved:
        from_id, to_id = getattr(before, f"{kind}_id"), getattr(after, f"{kind}_id")
        if from_id != to_id:
            stage_move(tx, before.id, kind, (from_id, to_id), run_id)
    tx.note_catalog_change()
    tx.catalog.remember_unit(tx.organization_id, after)


def undo_moves(tx: Transaction, run_id: UUID, unit_id: UUID) -> None:
    """Move a unit back to the revision and the batch from which a run moved it, if nothing moved it since."""
    m, r = unit_moves.c, revisions.c
    query = select(m.kind, m.from_id, m.to_id).where(tx.owns(m), m.unit_id == unit_id, m.run_id == run_id)
    before = after = get_units_by_id(tx.scope, [unit_id])[unit_id]
    for kind, from_id, to_id in tx.connection.execute(query.where(m.kind != "parent")).all():
        if kind == "batch" and before.batch_id == to_id:
            after = after._replace(batch_id=from_id)
        if kind == "revision" and before.revision_id == to_id:
            of_part = select(r.part_id).where(tx.owns(r), r.id == from_id)
            part_id = tx.connection.execute(of_part).scalar_one_or_none()
            if part_id is not None:
                after = after._replace(part_id=part_id, revision_id=from_id)
    move_unit(tx, before, after, None)


def list_built_in(scope: Scope, run_id: UUID, parent_id: UUID) -> Sequence[UnitRow]:
    """The sub-units that a run built into a unit, and that are part of it still."""
    m, u = unit_moves.c, units.c
    moved = select(m.unit_id).where(
        scope.owns(m), m.kind == "parent", m.run_id == run_id, m.to_id == parent_id
    )
    query = _rows(scope).where(u.parent_id == parent_id, u.id.in_(moved)).order_by(u.id)
    return [UnitRow(*row) for row in scope.connection.execute(query)]


def get_units_by_id(scope: Scope, unit_ids: Collection[UUID]) -> Mapping[UUID, UnitRow]:
    """These units by id, in the order of the ids. Raises UnitNotFound."""
    rows = get_rows(scope.connection, _rows(scope), unit_ids, UnitNotFound)
    return {unit_id: UnitRow(*row) for unit_id, row in rows.items()}


# Unscoped: the unit was found in the scope.
def has_runs(connection: Connection, unit_id: UUID) -> bool:
    query = select(runs.c.id).where(runs.c.unit_id == unit_id).limit(1)
    return connection.execute(query).first() is not None


def delete_unit(tx: Transaction, unit_id: UUID, deletion: Deletion | None) -> None:
    """Delete a unit that has no runs, with its repairs and the files that nothing else needs.

    Its sub-units stay and lose their parent; the move is recorded. deletion: None: as if the unit had never been; the
    bytes of its files are then noted for removal.
    """
    a, s, u = attachments.c, run_sub_units.c, units.c
    deletion = None if deletion is None else deletion.of(unit_id)
    repaired = select(repairs.c.id).where(tx.owns(repairs.c), repairs.c.unit_id == unit_id)
    repair_ids = tx.connection.execute(repaired).scalars().all()
    files = tx.connection.execute(select(a.id).where(tx.owns(a), a.unit_id == unit_id)).scalars().all()
    remains = {
        **before_deleting(tx, units, [unit_id], deletion),
        **before_deleting(tx, repairs, repair_ids, deletion),
    }
    of_files = before_deleting(tx, attachments, files, deletion)
    for child in _children(tx.scope, unit_id):
        move_unit(tx, child, child._replace(parent_id=None), None)
    of_unit = (tx.owns(a), a.unit_id == unit_id)
    tx.connection.execute(update(attachments).where(*of_unit).values(unit_id=None))
    tx.connection.execute(delete(run_sub_units).where(s.unit_id == unit_id))
    was_here = (tx.owns(s), s.previous_parent_id == unit_id)
    tx.connection.execute(update(run_sub_units).where(*was_here).values(previous_parent_id=None))
    delete_metadata(tx, [unit_id])
    tx.connection.execute(delete(units).where(tx.owns(u), u.id == unit_id))
    gone = delete_unneeded(tx, files, deletion)
    bury(tx, [*remains.values(), *remains_of(of_files, gone)], deletion)


def _children(scope: Scope, unit_id: UUID) -> Sequence[UnitRow]:
    query = _rows(scope).where(units.c.parent_id == unit_id)
    return [UnitRow(*row) for row in scope.connection.execute(query)]


def _rows(scope: Scope) -> Select[Any]:
    u = units.c
    return select(*(u[name] for name in UnitRow._fields)).where(scope.owns(u))


def stage_move(
    tx: Transaction,
    unit_id: UUID,
    kind: MoveKind,
    places: tuple[UUID | None, UUID | None],
    run_id: UUID | None,
) -> None:
    """Record a move. places: from and to, both of this kind; None: no place. run_id: as in `move_unit`."""
    tx.stage(
        unit_moves,
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "unit_id": unit_id,
            "kind": kind,
            "from_id": places[0],
            "to_id": places[1],
            "run_id": run_id,
            "moved_at": tx.now,
        },
    )
