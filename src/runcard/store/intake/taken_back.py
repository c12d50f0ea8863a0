"""Taking back the runs and repairs of a file that must be recorded whole or not at all."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, exists, or_, select

from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import (
    attachments,
    deleted_things,
    file_imports,
    imported_runs,
    repairs,
    run_sub_units,
    runs,
    units,
)
from runcard.store.metadata import delete_metadata
from runcard.store.runs.rows import delete_runs
from runcard.store.trail.watching import watch
from runcard.store.units.rows import delete_unit


def take_back(
    tx: Transaction,
    run_ids: Collection[UUID],
    repair_ids: Collection[UUID],
    attachment_id: UUID,
) -> None:
    """Delete runs and repairs, at most as many as a group has, and the units that came with the runs.

    The file with their reports stays, for quarantine. Units that something else needs stay, and units that were moved
    stay where they are now. Parts, revisions, batches and versions that came with the runs stay too.
    """
    r = repairs.c
    made = _units_made_by(tx, run_ids)
    watch(tx, repairs, repair_ids)
    delete_runs(tx, run_ids, None, spared=attachment_id)
    tx.connection.execute(delete(repairs).where(tx.owns(r), r.id.in_(repair_ids)))
    _delete_free_units(tx, made)


def forget_import(tx: Transaction, import_id: UUID) -> None:
    """Delete an import, unless runs or repairs of it are left."""
    f, i, r = file_imports.c, imported_runs.c, repairs.c
    is_left = (exists().where(i.file_import_id == f.id), exists().where(r.file_import_id == f.id))
    mine = (tx.owns(f), f.id == import_id)
    tx.connection.execute(delete(file_imports).where(*mine, *(~exists_ for exists_ in is_left)))


def _units_made_by(tx: Transaction, run_ids: Collection[UUID]) -> Sequence[UUID]:
    r, s, u = runs.c, run_sub_units.c, units.c
    tested = select(r.unit_id).where(tx.owns(r), r.id.in_(run_ids))
    moved = select(s.unit_id).where(tx.owns(s), s.run_id.in_(run_ids))
    query = select(u.id).where(
        tx.owns(u),
        u.id.in_(tested.union(moved)),
        u.created_during_run_id.in_(run_ids),
    )
    return tx.connection.execute(query).scalars().all()


def _delete_free_units(tx: Transaction, unit_ids: Collection[UUID]) -> None:
    """Delete those of these units that nothing needs. Units that no other unit refers to are deleted together."""
    u, other = units.c, units.alias().c
    needed_by = (
        runs.c.unit_id,
        repairs.c.unit_id,
        run_sub_units.c.unit_id,
        attachments.c.unit_id,
        deleted_things.c.merged_into_id,
    )
    known_by = (other.parent_id, run_sub_units.c.previous_parent_id)
    query = select(u.id, or_(*(exists().where(column == u.id) for column in known_by))).where(
        tx.owns(u),
        u.id.in_(unit_ids),
        *(~exists().where(column == u.id) for column in needed_by),
    )
    free = tx.connection.execute(query).all()
    for unit_id, is_known in free:
        if is_known:
            delete_unit(tx, unit_id, None)
    alone = [unit_id for unit_id, is_known in free if not is_known]
    watch(tx, units, alone)
    delete_metadata(tx, alone)
    tx.connection.execute(delete(units).where(tx.owns(u), u.id.in_(alone)))
