"""Splitting a unit from the one that it was merged into: it comes back as it was, and what was moved goes back."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, select, tuple_, update

from runcard.domain.errors import Conflict, NotFound
from runcard.domain.text import lookup_key
from runcard.store.bin.merged import MergedUnit, find_merged, list_merged_into
from runcard.store.bin.packing import BESIDE_OTHERS, Packed, unpack
from runcard.store.commit.lookups import find_ancestors
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.store.restoring.contents import find_deleted, get_deleted
from runcard.store.restoring.restore import checked_rows, insert_again
from runcard.store.trail.things import THING_OF
from runcard.store.trail.watching import watch, watch_restored
from runcard.store.unit_merges.merge import NotesThen, hold_units, watch_moved
from runcard.store.units.rows import get_units_by_id, list_built_in, move_unit

_BESIDE = {column.table: column for column in BESIDE_OTHERS}


class Split(NamedTuple):
    """id, serial_number: of the unit that came back. later_runs: how many runs, reported under its serial number since
    the merge, went with it.
    """

    id: UUID
    serial_number: str
    later_runs: int


def get_merged(scope: Scope, unit_id: UUID) -> MergedUnit:
    """The merged unit with this id. Raises NotFound."""
    found = find_merged(scope, unit_id)
    if found is None:
        raise NotFound(f"No unit with ID {unit_id} is merged into another.")
    return found


def list_later_runs(scope: Scope, merged: MergedUnit) -> Sequence[UUID]:
    """The runs of the other unit that were reported under a serial number of the merged one since the merge."""
    return _later_runs(scope, merged, _read(scope, merged))


def count_moved_runs(scope: Scope, merged: MergedUnit) -> int:
    """How many runs the merge moved."""
    return sum(link.table is t.runs for link in _read(scope, merged).links)


def split_unit(tx: Transaction, unit_id: UUID, why: str, *, with_later_runs: bool) -> Split:
    """Bring a merged unit back as it was, with everything that was moved and is still there.

    with_later_runs: the runs that `list_later_runs` finds go with it. It changes records that catalogs remember.
    Raises NotFound, and Conflict where the unit no longer has its place, or what was moved waits in the bin.
    """
    merged = get_merged(tx.scope, unit_id)
    _check_is_last(tx.scope, merged)
    (other,) = hold_units(tx, merged.into_id)
    packed = _read(tx.scope, merged)
    _check_nothing_waits(tx.scope, merged, packed)
    later = _later_runs(tx.scope, merged, packed) if with_later_runs else []
    watch(tx, t.units, [other.id], kind="unit_split", why=why)
    noted = NotesThen(tx.scope, other)
    head = get_deleted(tx.scope, unit_id)
    d = t.deleted_things.c
    # First, so that the id of the unit leads on no more.
    tx.connection.execute(delete(t.deleted_things).where(tx.owns(d), d.id == unit_id))
    rows = checked_rows(tx, [(head, _without_lost_numbers(tx, merged, packed))])
    watch_restored(tx, t.units, [unit_id], kind="unit_split", why=why)
    _take_beside(tx, packed)
    insert_again(tx, rows)
    _give_back(tx, merged, packed, why)
    _give_runs(tx, later, (other.id, unit_id), why)
    _leave_place(tx, merged, packed)
    _check_no_ring(tx, merged)
    noted.note_difference(tx)
    # Also if only deleted runs went back, which count among the attempts of both.
    tx.note_change("unit_changed", other.id)
    return Split(unit_id, merged.serial_number, len(later))


def _read(scope: Scope, merged: MergedUnit) -> Packed:
    d = t.deleted_things.c
    query = select(d.content).where(scope.owns(d), d.id == merged.id)
    return unpack(scope.connection.execute(query).scalar_one())


def _check_is_last(scope: Scope, merged: MergedUnit) -> None:
    """Check that the other unit is there, and that nothing was merged into it since. Raises Conflict."""
    last = list_merged_into(scope, merged.into_id)[0]
    if last.id != merged.id:
        raise Conflict(
            f"Unit {last.serial_number} was merged after {merged.serial_number}. Split that first; its ID is {last.id}."
        )
    gone = find_deleted(scope, merged.into_id)
    if gone is None:
        return
    if gone.merged_into_id is not None:
        mend = f"was merged into another itself. Split that first; its ID is {gone.id}"
    else:
        mend = f"was deleted. Restore it first; its ID is {gone.head_id}"
    raise Conflict(f"Unit {gone.name}, into which {merged.serial_number} was merged, {mend}.")


def _check_nothing_waits(scope: Scope, merged: MergedUnit, packed: Packed) -> None:
    """Check that nothing that was moved was deleted since and can be restored. Raises Conflict."""
    d = t.deleted_things.c
    ids = {link.key["id"] for link in packed.links if link.table.name in THING_OF}
    for some in in_chunks(ids):
        since = (d.content.is_not(None), d.deleted_at >= merged.merged_at)
        query = select(d.id).where(scope.owns(d), d.id.in_(some), *since).limit(1)
        for waiting in scope.connection.execute(query).scalars():
            thing = get_deleted(scope, waiting)
            if thing.merged_into_id is None:
                mend = f"was deleted since. Restore it first, or remove it from the bin; its ID is {thing.head_id}"
            else:
                mend = f"was merged into another unit since. Split that first; its ID is {thing.id}"
            raise Conflict(f"The {thing.called}, which was moved with unit {merged.serial_number}, {mend}.")


def _without_lost_numbers(tx: Transaction, merged: MergedUnit, packed: Packed) -> Packed:
    """The packed unit without former serial numbers that do not lead to the other unit any more. The rest lead nowhere
    from now on.
    """
    f = t.former_serial_numbers.c
    former = {row["serial_key"] for row in packed.rows_of(t.former_serial_numbers)}
    keys = [lookup_key(merged.serial_number), *former]
    mine = (tx.owns(f), f.unit_id == merged.into_id, f.serial_key.in_(keys))
    gone = delete(t.former_serial_numbers).where(*mine).returning(f.serial_key)
    left = former - {*tx.connection.execute(gone).scalars()}
    rows = [
        (table, row)
        for table, row in packed.rows
        if table is not t.former_serial_numbers or row["serial_key"] not in left
    ]
    return packed._replace(rows=rows)


def _take_beside(tx: Transaction, packed: Packed) -> None:
    """Take the tags, the cause and the metadata that came with the unit from the other one, if they are still so."""
    for link in packed.links:
        if (column := _BESIDE.get(link.table)) is None or column.name not in link.key:
            continue
        others = {name: value for name, value in link.key.items() if name != column.name}
        (came,) = [
            row
            for row in packed.rows_of(link.table)
            if all(row[name] == value for name, value in others.items())
        ]
        said = {**came, **link.key}
        same = [link.table.c[name].is_not_distinct_from(value) for name, value in said.items()]
        tx.connection.execute(delete(link.table).where(tx.owns(link.table.c), *same))


def _give_back(tx: Transaction, merged: MergedUnit, packed: Packed, why: str) -> None:
    """Let everything that was moved, and is still with the other unit, name the unit again."""
    moved: dict[tuple[Table, str], list[Mapping[str, Any]]] = defaultdict(list)
    for link in packed.links:
        (name,) = link.values
        if link.table not in _BESIDE and link.values[name] == merged.id:
            moved[link.table, name].append(link.key)
    # A run may have been deleted or restored since.
    run_ids = [*moved[t.runs, "unit_id"], *moved[t.deleted_things, "unit_id"]]
    moved[t.runs, "unit_id"] = moved[t.deleted_things, "unit_id"] = run_ids
    for (table, name), keys in moved.items():
        for some in in_chunks(keys):
            mine = (tx.owns(table.c), table.c[name] == merged.into_id, _is_one_of(table, some))
            if table.name in THING_OF:
                there = tx.connection.execute(select(table.c.id).where(*mine)).scalars().all()
                watch_moved(tx, table, there, why)
            tx.connection.execute(update(table).where(*mine).values({name: merged.id}))


def _is_one_of(table: Table, keys: Sequence[Mapping[str, Any]]) -> ColumnElement[bool]:
    """The condition that a row has one of these primary keys."""
    if [*table.primary_key] == [table.c.get("id")]:
        return table.c.id.in_([key["id"] for key in keys])
    columns = [*table.primary_key]
    types = [column.type for column in columns]
    return tuple_(*columns).in_(
        [tuple_(*(key[column.name] for column in columns), types=types) for key in keys]
    )


def _give_runs(tx: Transaction, run_ids: Collection[UUID], units: tuple[UUID, UUID], why: str) -> None:
    """Give runs of one unit to another, with the sub-units that they built into it. units: from and to."""
    r, (from_id, to_id) = t.runs.c, units
    watch(tx, t.runs, run_ids, why=why)
    for some in in_chunks(run_ids):
        mine = (tx.owns(r), r.id.in_(some))
        tx.connection.execute(update(t.runs).where(*mine).values(unit_id=to_id))
    for run_id in run_ids:
        for unit in list_built_in(tx.scope, run_id, from_id):
            move_unit(tx, unit, unit._replace(parent_id=to_id), run_id)


def _leave_place(tx: Transaction, merged: MergedUnit, packed: Packed) -> None:
    """Take the other unit out of the parent that it got with the merge, if it is still there."""
    u, (_, row) = t.units.c, packed.own
    if any(link.table is t.units and link.values == {"parent_id": None} for link in packed.links):
        there = (tx.owns(u), u.id == merged.into_id, u.parent_id == row["parent_id"])
        tx.connection.execute(update(t.units).where(*there).values(parent_id=None))


def _check_no_ring(tx: Transaction, merged: MergedUnit) -> None:
    """Check that the unit is not inside itself. Raises Conflict."""
    parent_id = get_units_by_id(tx.scope, [merged.id])[merged.id].parent_id
    if parent_id is not None and merged.id in find_ancestors(tx.connection, parent_id):
        parent = names_of(tx.scope, "unit", [parent_id])[parent_id]
        raise Conflict(
            f"Unit {merged.serial_number} was part of unit {parent}, which is part of it by now. "
            f"Take {parent} out first."
        )


def _later_runs(scope: Scope, merged: MergedUnit, packed: Packed) -> Sequence[UUID]:
    r = t.runs.c
    numbers = [
        merged.serial_number,
        *(row["serial_number"] for row in packed.rows_of(t.former_serial_numbers)),
    ]
    keys = {lookup_key(number) for number in numbers}
    moved = {link.key["id"] for link in packed.links if link.table in (t.runs, t.deleted_things)}
    query = select(r.id, r.serial_number).where(
        scope.owns(r), r.unit_id == merged.into_id, r.created_at >= merged.merged_at
    )
    return [
        run_id
        for run_id, number in scope.connection.execute(query.order_by(r.id))
        if number is not None and lookup_key(number) in keys and run_id not in moved
    ]
