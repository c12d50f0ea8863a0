"""Taking back what was recorded of a file of which all or nothing is to be kept."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete, exists, or_, select

from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import (
    attachments,
    file_imports,
    imported_runs,
    repairs,
    run_sub_units,
    runs,
    units,
)
from runcard.store.metadata import delete_metadata
from runcard.store.runs.rows import delete_runs
from runcard.store.units.rows import delete_unit


def take_back(
    tx: Transaction,
    run_ids: Collection[UUID],
    repair_ids: Collection[UUID],
    attachment_id: UUID,
) -> None:
    """Delete runs and repairs, and the units that came with these runs, as far as nothing else needs them.

    The file that told of them stays, for quarantine.
    What else came with them (parts, revisions, batches, versions) stays, and so do units where they moved to. As many
    runs as one group has.
    """
    r = repairs.c
    made = _units_made_by(tx, run_ids)
    delete_runs(tx, run_ids, spared=attachment_id)
    tx.connection.execute(delete(repairs).where(tx.owns(r), r.id.in_(repair_ids)))
    _delete_free_units(tx, made)


def forget_import(tx: Transaction, import_id: UUID) -> None:
    """Delete what notes an import, unless something is left of it."""
    f, i, r = file_imports.c, imported_runs.c, repairs.c
    is_left = (exists().where(i.file_import_id == f.id), exists().where(r.file_import_id == f.id))
    mine = (tx.owns(f), f.id == import_id)
    tx.connection.execute(delete(file_imports).where(*mine, *(~one for one in is_left)))


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
    """Delete those of these units that nothing needs: most of them together, since other units know nothing of them."""
    u, other = units.c, units.alias().c
    needed_by = (runs.c.unit_id, repairs.c.unit_id, run_sub_units.c.unit_id, attachments.c.unit_id)
    known_by = (other.parent_id, run_sub_units.c.previous_parent_id)
    query = select(u.id, or_(*(exists().where(one == u.id) for one in known_by))).where(
        tx.owns(u),
        u.id.in_(unit_ids),
        *(~exists().where(one == u.id) for one in needed_by),
    )
    free = tx.connection.execute(query).all()
    for unit_id, is_known in free:
        if is_known:
            delete_unit(tx, unit_id)
    alone = [unit_id for unit_id, is_known in free if not is_known]
    delete_metadata(tx, alone)
    tx.connection.execute(delete(units).where(tx.owns(u), u.id.in_(alone)))
    for unit_id in alone:
        tx.note_change("unit_deleted", unit_id)
