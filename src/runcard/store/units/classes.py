"""The sample class of units, and of their runs."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update

from runcard.domain.errors import InvalidInput, UnitNotFound
from runcard.domain.floor.at_once import MAX_AT_ONCE, check_count
from runcard.domain.floor.sample import SampleClass
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import get_rows, in_chunks
from runcard.store.engine.tables import units
from runcard.store.runs.rows import find_runs_of_other_classes, give_class
from runcard.store.trail.watching import watch


class Classified(NamedTuple):
    """The units and the runs whose class changed."""

    unit_ids: Sequence[UUID]
    run_ids: Sequence[UUID]


def classify_units(
    tx: Transaction, unit_ids: Collection[UUID], sample: SampleClass | None, *, with_runs: bool
) -> Classified:
    """Give units this sample class; None: production. Returns what changed, each with an entry.

    with_runs: give the class to their recorded runs too. It changes records that catalogs remember. Raises
    UnitNotFound, and InvalidInput for more than MAX_AT_ONCE units, or if more than MAX_AT_ONCE runs would change.
    """
    check_count("unit_ids", len(unit_ids), least=0)
    changing = _find_of_other_classes(tx, unit_ids, sample)
    run_ids = find_runs_of_other_classes(tx.scope, unit_ids, sample) if with_runs else []
    if len(run_ids) > MAX_AT_ONCE:
        raise InvalidInput.at(
            "runs",
            f"{len(run_ids)} runs of these units would get the new class, and at most {MAX_AT_ONCE} change at once; "
            "choose fewer units, or let their runs keep their class",
        )
    _give(tx, changing, run_ids, sample)
    return Classified(changing, run_ids)


def classify_unit(tx: Transaction, unit_id: UUID, sample: SampleClass | None, *, with_runs: bool) -> None:
    """Give a unit this sample class; None: production. with_runs: give the class to its recorded runs too, all of them.

    It changes a record that catalogs remember.
    """
    run_ids = find_runs_of_other_classes(tx.scope, [unit_id], sample) if with_runs else []
    _give(tx, [unit_id], run_ids, sample)


def _give(
    tx: Transaction, unit_ids: Collection[UUID], run_ids: Collection[UUID], sample: SampleClass | None
) -> None:
    u = units.c
    watch(tx, units, unit_ids)
    for some in in_chunks(unit_ids):
        tx.connection.execute(update(units).where(tx.owns(u), u.id.in_(some)).values(sample=sample))
    give_class(tx, run_ids, sample)


def _find_of_other_classes(
    tx: Transaction, unit_ids: Collection[UUID], sample: SampleClass | None
) -> Sequence[UUID]:
    """Those of these units that have another class. On PostgreSQL nobody else may change them until the commit."""
    u = units.c
    query = select(u.id, u.sample).where(tx.owns(u)).with_for_update()
    rows = get_rows(tx.connection, query, unit_ids, UnitNotFound)
    return [unit_id for unit_id, row in rows.items() if row.sample != sample]
