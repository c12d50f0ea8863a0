"""Restoring what was deleted: each thing comes back as it was, with all that was deleted along with it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Table, UniqueConstraint, delete, select, tuple_, update

from runcard.domain.errors import Conflict
from runcard.store.bin.packing import Link, Packed, Row, unpack
from runcard.store.commit.lookups import find_units
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.restoring.contents import Deleted, find_deleted, get_in_bin, list_with
from runcard.store.trail.things import THING_OF
from runcard.store.trail.watching import watch, watch_restored
from runcard.store.units.rows import MoveKind, stage_move

# In this order no row refers to a row that is inserted after it.
_ORDER = {table.name: place for place, table in enumerate(t.metadata.sorted_tables)}
# Columns of units that a link sets again, and the move that this is.
_MOVES: Mapping[str, MoveKind] = {"batch_id": "batch", "parent_id": "parent"}


class Restored(NamedTuple):
    """head: the thing that was asked for. things: how many came back, itself included."""

    head: Deleted
    things: int


def restore(tx: Transaction, head_id: UUID, why: str | None) -> Restored:
    """Bring a deleted thing back from the bin, with all that was deleted along with it.

    It changes records that catalogs remember. Raises as `get_in_bin` does, and Conflict where the thing no longer has
    its place: its name is taken, or what it belongs to is gone.
    """
    head = get_in_bin(tx.scope, head_id)
    things = _unpack(tx, list_with(tx.scope, head_id))
    rows = _by_table(things)
    kept = {name: _with_their_references(tx, head, name, some, rows) for name, some in rows.items()}
    for name, some in kept.items():
        _check_unique(tx, head, t.metadata.tables[name], some)
    _check_serial_numbers(tx, head, kept)
    for table, ids in _ids_by_table(things).items():
        watch_restored(tx, table, ids, why=why)
    # Its links are part of what is proven of a station.
    watch(tx, t.stations, {row["station_id"] for row in kept.get(t.station_procedures.name, ())})
    d = t.deleted_things.c
    tx.connection.execute(delete(t.deleted_things).where(tx.owns(d), d.head_id == head_id))
    for name in sorted(kept, key=_ORDER.__getitem__):
        if kept[name]:
            insert_rows(tx.connection, t.metadata.tables[name], kept[name])
    _free_identifiers(tx, kept.get(t.procedures.name, ()))
    for link in (link for thing in things for link in thing.links):
        _set_again(tx, link)
    return Restored(head, len(things))


def _unpack(tx: Transaction, thing_ids: Collection[UUID]) -> Sequence[Packed]:
    d = t.deleted_things.c
    found: list[Packed] = []
    for some in in_chunks(thing_ids):
        query = select(d.content).where(tx.owns(d), d.id.in_(some)).order_by(d.id)
        found += [unpack(content) for content in tx.connection.execute(query).scalars()]
    return found


def _by_table(things: Sequence[Packed]) -> Mapping[str, list[Row]]:
    """The rows of all these things, by table, each with all columns that its table has now."""
    found: dict[str, list[Row]] = defaultdict(list)
    seen: set[tuple[Any, ...]] = set()
    for table, row in (row for thing in things for row in thing.rows):
        key = (table.name, *(row[column.name] for column in table.primary_key))
        if key not in seen:
            seen.add(key)
            found[table.name].append({column.name: row.get(column.name) for column in table.c})
    return found


def _ids_by_table(things: Sequence[Packed]) -> Mapping[Table, Sequence[UUID]]:
    found: dict[Table, list[UUID]] = defaultdict(list)
    for table, row in (thing.own for thing in things):
        found[table].append(row["id"])
    return found


def _with_their_references(
    tx: Transaction, head: Deleted, name: str, rows: Sequence[Row], restored: Mapping[str, Sequence[Row]]
) -> Sequence[Row]:
    """The rows that can come back. A row that is no thing itself stays away if what it must name is gone.

    A reference that may be empty is emptied if what it names is gone. Raises Conflict for a thing that must name it.
    """
    table = t.metadata.tables[name]
    kept = [dict(row) for row in rows]
    for column in table.c:
        for key in column.foreign_keys:
            there = _existing(tx, key.column, {row[column.name] for row in kept} - {None})
            there |= {row[key.column.name] for row in restored.get(key.column.table.name, ())}
            lost = [row for row in kept if row[column.name] is not None and row[column.name] not in there]
            for row in lost:
                if column.nullable:
                    row[column.name] = None
                elif name in THING_OF:
                    raise _misses(tx, head, THING_OF[key.column.table.name].noun, row[column.name])
            if not column.nullable:
                kept = [row for row in kept if row not in lost]
    return kept


def _existing(tx: Transaction, column: Column[Any], ids: Collection[Any]) -> set[Any]:
    """Those of these values that a row of the organization has in a column."""
    table = column.table
    found: set[Any] = set()
    for some in in_chunks(ids):
        owned = column == tx.organization_id if table is t.organizations else tx.owns(table.c)
        found |= {*tx.connection.execute(select(column).where(owned, column.in_(some))).scalars()}
    return found


def _misses(tx: Transaction, head: Deleted, noun: str, thing_id: UUID) -> Conflict:
    """The error that a thing cannot come back, because what it belongs to is gone."""
    lost = find_deleted(tx.scope, thing_id)
    called = f"{noun} {thing_id if lost is None or lost.name is None else lost.name}"
    mend = "which is gone for good"
    if lost is not None and lost.purged_at is None:
        mend = f"which was deleted too. Restore that first; its ID is {lost.head_id}"
    return Conflict(f"The {head.called} cannot be restored: it belongs to the {called}, {mend}.")


def _check_unique(tx: Transaction, head: Deleted, table: Table, rows: Sequence[Row]) -> None:
    """Check that nothing has taken the place of these rows since. Raises Conflict."""
    for columns in _unique_columns(table):
        values = [tuple(row[column.name] for column in columns) for row in rows]
        values = [value for value in values if None not in value]
        for some in in_chunks(values):
            same = tuple_(*columns).in_([tuple_(*one, types=[c.type for c in columns]) for one in some])
            taken = tx.connection.execute(select(*columns).where(tx.owns(table.c), same).limit(1)).first()
            if taken is not None:
                named = zip(columns, taken, strict=True)
                shown = ", ".join(str(value) for column, value in named if column.name != "organization_id")
                raise Conflict(
                    f"The {head.called} cannot be restored: {table.name.replace('_', ' ')} have {shown!r} again. "
                    "Rename or delete what has it now."
                )


def _check_serial_numbers(tx: Transaction, head: Deleted, restored: Mapping[str, Sequence[Row]]) -> None:
    """Check that no other unit is found by a serial number that a restored unit has or had. Raises Conflict."""
    rows = [row for table in (t.units, t.former_serial_numbers) for row in restored.get(table.name, ())]
    keys = {(tx.organization_id, row["serial_key"]): row["serial_number"] for row in rows}
    for key, unit in find_units(tx.connection, keys).items():
        raise Conflict(
            f"The {head.called} cannot be restored: the serial number {keys[key]} means unit {unit.serial_number} now. "
            "Rename or delete that unit, or let it give up the number on its page."
        )


def _unique_columns(table: Table) -> Iterator[Sequence[Column[Any]]]:
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [*constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield [*index.columns]


def _free_identifiers(tx: Transaction, restored: Sequence[Row]) -> None:
    """Forget that the identifiers of procedures were given up when they were deleted."""
    f = t.former_identifiers.c
    keys = [row["identifier_key"] for row in restored]
    for some in in_chunks(keys):
        mine = (tx.owns(f), f.identifier_key.in_(some), f.procedure_id.is_(None))
        tx.connection.execute(delete(t.former_identifiers).where(*mine))


def _set_again(tx: Transaction, link: Link) -> None:
    """Let a row name a restored thing again, unless it is gone or names something else by now."""
    table, c = link.table, link.table.c
    values = {name: value for name, value in link.values.items() if name in c}
    same = [c[name] == value for name, value in link.key.items()]
    free = [c[name].is_(None) for name in values if name.endswith("_id")]
    here = (tx.owns(c), *same, *free)
    if not values or tx.connection.execute(select(*table.primary_key).where(*here)).first() is None:
        return
    if table.name in THING_OF:
        watch(tx, table, [link.key["id"]], kind="unit_moved" if table is t.units else None)
    tx.connection.execute(update(table).where(*here).values(values))
    if table is t.units:
        for name, value in values.items():
            stage_move(tx, link.key["id"], _MOVES[name], (None, value), None)
