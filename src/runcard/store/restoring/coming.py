"""What is about to come back from the bin: whether it still has its place."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, Table, UniqueConstraint, select, tuple_

from runcard.domain.errors import Conflict
from runcard.store.bin.merged import follow_merged
from runcard.store.commit.lookups import find_units
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.restoring.contents import Deleted, find_deleted
from runcard.store.trail.things import THING_OF


class Coming(NamedTuple):
    """A row that is about to come back. head: the thing that it was deleted with, or is itself."""

    head: Deleted
    row: dict[str, Any]


def with_their_references(
    tx: Transaction, name: str, rows: Sequence[Coming], restored: Mapping[str, Sequence[Coming]]
) -> Sequence[Coming]:
    """Return the rows of a table that can come back. restored: all rows that come back, by table.

    A row that is no thing itself stays away if what it must name is gone. A reference that may be empty is emptied if
    what it names is gone. Raises Conflict for a thing that must name it.
    """
    table = t.metadata.tables[name]
    kept = [one._replace(row=dict(one.row)) for one in rows]
    for column in table.c:
        for key in column.foreign_keys:
            if key.column is t.units.c.id:
                _lead_on(tx, column.name, kept)
            there = _existing(tx, key.column, {one.row[column.name] for one in kept} - {None})
            there |= {one.row[key.column.name] for one in restored.get(key.column.table.name, ())}
            there.add(None)
            lost = [one for one in kept if one.row[column.name] not in there]
            for head, row in lost:
                if column.nullable:
                    row[column.name] = None
                elif name in THING_OF:
                    raise _misses(tx, head, THING_OF[key.column.table.name].noun, row[column.name])
            if lost and not column.nullable:
                kept = [one for one in kept if one.row[column.name] in there]
    return kept


def check_places(tx: Transaction, restored: Mapping[str, Sequence[Coming]]) -> None:
    """Check that nothing has taken the place of these rows since, and that no two of them want one place.

    Raises Conflict.
    """
    for name, rows in restored.items():
        for columns in _unique_columns(t.metadata.tables[name]):
            _check_unique(tx, columns, rows)
    _check_serial_numbers(tx, restored)


def _lead_on(tx: Transaction, name: str, rows: Collection[Coming]) -> None:
    """Let these rows name, in place of units that were merged since, the units that stand for them now."""
    targets = follow_merged(tx.scope, {one.row[name] for one in rows} - {None})
    for one in rows:
        one.row[name] = targets.get(one.row[name], one.row[name])


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


def _check_unique(tx: Transaction, columns: Sequence[Column[Any]], rows: Sequence[Coming]) -> None:
    heads: dict[tuple[Any, ...], Deleted] = {}
    for head, row in rows:
        value = tuple(row[column.name] for column in columns)
        if None in value:
            continue
        if value in heads:
            raise _are_twins(heads[value], head, _shown(columns, value))
        heads[value] = head
    table = columns[0].table
    for some in in_chunks(heads):
        same = tuple_(*columns).in_([tuple_(*one, types=[c.type for c in columns]) for one in some])
        taken = tx.connection.execute(select(*columns).where(tx.owns(table.c), same).limit(1)).first()
        if taken is not None:
            raise Conflict(
                f"The {heads[tuple(taken)].called} cannot be restored: {table.name.replace('_', ' ')} have "
                f"{_shown(columns, taken)!r} again. Rename or delete what has it now."
            )


def _shown(columns: Sequence[Column[Any]], values: Sequence[Any]) -> str:
    named = zip(columns, values, strict=True)
    return ", ".join(str(value) for column, value in named if column.name != "organization_id")


def _are_twins(one: Deleted, other: Deleted, value: str) -> Conflict:
    return Conflict(
        f"The {one.called} and the {other.called} cannot both be restored: each has {value!r}. Restore one of them, "
        f"whose IDs are {one.id} and {other.id}."
    )


def _check_serial_numbers(tx: Transaction, restored: Mapping[str, Sequence[Coming]]) -> None:
    """Check that each serial number that a restored unit has or had means that unit alone. Raises Conflict."""
    claimed: dict[str, tuple[UUID, Coming]] = {}
    for name, field in ((t.units.name, "id"), (t.former_serial_numbers.name, "unit_id")):
        for one in restored.get(name, ()):
            unit_id, other = claimed.setdefault(one.row["serial_key"], (one.row[field], one))
            if unit_id != one.row[field]:
                raise _are_twins(other.head, one.head, one.row["serial_number"])
    keys = {(tx.organization_id, key): one for key, (_, one) in claimed.items()}
    for key, unit in find_units(tx.connection, keys).items():
        head, row = keys[key]
        raise Conflict(
            f"The {head.called} cannot be restored: the serial number {row['serial_number']} means unit "
            f"{unit.serial_number} now. Rename or delete that unit, or let it give up the number on its page."
        )


def _unique_columns(table: Table) -> Iterator[Sequence[Column[Any]]]:
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [*constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield [*index.columns]
