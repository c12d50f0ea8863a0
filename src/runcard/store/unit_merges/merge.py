"""Merging a unit into another: all that named the one names the other from then on, in one write.

The row of the unit that goes is kept beside the bin, with what it had that the other has too, and with a list of all
that was changed. So a split finds its way back.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Table, delete, select, update

from runcard.domain.notes.cause import Cause
from runcard.store.bin.deleting import Deletion, Remains, bury
from runcard.store.bin.packing import BESIDE_OTHERS, Link, find_rows, pack_merged
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.former_names import SERIAL_NUMBERS, lead_on
from runcard.store.notes.causes import causes_of, note_caused
from runcard.store.notes.tags import Tag, note_tagged, tags_of
from runcard.store.trail.things import THING_OF, read_things
from runcard.store.trail.watching import watch
from runcard.store.unit_merges.obstacles import Kept, check_can_be_one, check_kept
from runcard.store.units.rows import get_units_by_id

# The columns that name a unit, in rows that both units may have any number of.
NAMING = (
    t.runs.c.unit_id,
    t.deleted_things.c.unit_id,
    t.repairs.c.unit_id,
    t.attachments.c.unit_id,
    t.comments.c.thing_id,
    t.units.c.parent_id,
    t.run_sub_units.c.unit_id,
    t.run_sub_units.c.previous_parent_id,
    t.unit_moves.c.unit_id,
    t.unit_moves.c.from_id,
    t.unit_moves.c.to_id,
)
# What people are told of, which each has one such column.
_TOLD: Mapping[str, Table] = {
    "runs": t.runs,
    "repairs": t.repairs,
    "attachments": t.attachments,
    "comments": t.comments,
    "sub_units": t.units,
}


class DoneMerge(NamedTuple):
    """id: of the unit that went. serial_number: that of the unit that stays. moved: how many things, by the nouns of
    `_TOLD`.
    """

    id: UUID
    serial_number: str
    moved: Mapping[str, int]


def merge_units(tx: Transaction, source_id: UUID, into_id: UUID, kept: Kept, why: str) -> DoneMerge:
    """Merge the source into another unit, which gets all that is the source's and is found by its serial numbers.

    Where both have something of which a unit has one, that of the other stays. It changes records that catalogs
    remember. Raises UnitNotFound, and Conflict as `check_can_be_one` and `check_kept` do.
    """
    source, into = hold_units(tx, source_id, into_id)
    check_can_be_one(tx.scope, source, into)
    check_kept(tx.scope, source, into, kept)
    thing = read_things(tx.scope, t.units, [source_id])[source_id]
    watch(tx, t.units, [source_id], kind="unit_merged", why=why)
    watch(tx, t.units, [into_id], kind="unit_took_over", why=why)
    named, beside = _naming(tx.scope, source_id), _beside(tx.scope, source_id, into_id)
    place = _place(source, into)
    content = pack_merged(tx.scope, thing.row, [*named, *beside, *place])
    noted = NotesThen(tx.scope, into)
    _name_the_other(tx, named, source_id, into_id, why)
    _move_beside(tx, beside, source_id, into_id)
    u = t.units.c
    if place:
        of_other = (tx.owns(u), u.id == into_id)
        tx.connection.execute(update(t.units).where(*of_other).values(parent_id=source.parent_id))
    tx.connection.execute(delete(t.units).where(tx.owns(u), u.id == source_id))
    lead_on(tx, SERIAL_NUMBERS, source.serial_number, into_id)
    noted.note_difference(tx)
    bury(tx, [Remains(t.units, thing, content)], Deletion(why=why, merged_into_id=into_id))
    moved = Counter(link.table for link in named)
    return DoneMerge(source_id, into.serial_number, {noun: moved[table] for noun, table in _TOLD.items()})


def hold_units(tx: Transaction, *unit_ids: UUID) -> Sequence[UnitRow]:
    """These units, which nobody else changes until the commit, nor what names units. Raises UnitNotFound."""
    tx.lock_assembly()
    tx.lock_notes()
    u = t.units.c
    mine = (tx.owns(u), u.id.in_(unit_ids))
    tx.connection.execute(select(u.id).where(*mine).order_by(u.id).with_for_update())
    found = get_units_by_id(tx.scope, unit_ids)
    return [found[unit_id] for unit_id in unit_ids]


class NotesThen:
    """The tags and the cause of a unit before a write, of whose difference the unit gets entries."""

    def __init__(self, scope: Scope, unit: UnitRow) -> None:
        self._unit = unit
        self._tags, self._cause = _notes(scope, unit.id)

    def note_difference(self, tx: Transaction) -> None:
        tags, cause = _notes(tx.scope, self._unit.id)
        about = f"unit {self._unit.serial_number}"
        if tags != self._tags:
            note_tagged(tx, self._unit.id, about, (self._tags, tags))
        if cause != self._cause:
            note_caused(tx, self._unit.id, about, (self._cause, cause))


def _notes(scope: Scope, unit_id: UUID) -> tuple[Sequence[Tag], Cause | None]:
    return tags_of(scope, [unit_id]).get(unit_id, []), causes_of(scope, [unit_id]).get(unit_id)


def _naming(scope: Scope, source_id: UUID) -> Sequence[Link]:
    """All rows that name the source in a column of NAMING."""
    found: list[Link] = []
    for column in NAMING:
        key = [*column.table.primary_key]
        for _, row in find_rows(scope, column, [source_id], key):
            found.append(
                Link(
                    column.table, {str(one.name): row[one.name] for one in key}, {str(column.name): source_id}
                )
            )
    return found


def _beside(scope: Scope, source_id: UUID, into_id: UUID) -> Sequence[Link]:
    """The tags, the cause, the metadata and the former serial numbers of the source that the other unit has not."""
    found: list[Link] = []
    for column in BESIDE_OTHERS:
        key = [*column.table.primary_key]
        others = [one.name for one in key if one is not column]
        rows: dict[UUID, list[tuple[object, ...]]] = defaultdict(list)
        for unit_id, row in find_rows(scope, column, [source_id, into_id], key):
            rows[unit_id].append(tuple(row[name] for name in others))
        for values in rows[source_id]:
            if values not in rows[into_id]:
                named = dict(zip(others, values, strict=True))
                if column in key:
                    named[column.name] = into_id
                found.append(Link(column.table, named, {column.name: source_id}))
    return found


def _place(source: UnitRow, into: UnitRow) -> Sequence[Link]:
    """That the other unit had no parent, if it gets that of the source."""
    if source.parent_id is None or into.parent_id is not None:
        return []
    return [Link(t.units, {"id": into.id}, {"parent_id": None})]


def _name_the_other(tx: Transaction, named: Sequence[Link], source_id: UUID, into_id: UUID, why: str) -> None:
    for column in NAMING:
        table = column.table
        if table.name in THING_OF:
            watch_moved(tx, table, [one.key["id"] for one in named if one.table is table], why)
        mine = (tx.owns(table.c), column == source_id)
        tx.connection.execute(update(table).where(*mine).values({column.name: into_id}))


def watch_moved(tx: Transaction, table: Table, ids: Collection[UUID], why: str) -> None:
    """Watch records that go from one unit to another. A comment that is moved was not edited."""
    watch(tx, table, ids, kind="comment_moved" if table is t.comments else None, why=why)


def _move_beside(tx: Transaction, beside: Sequence[Link], source_id: UUID, into_id: UUID) -> None:
    """Give the other unit these rows of the source, and delete the rest of them."""
    for link in beside:
        table, (name,) = link.table, link.values
        same = [table.c[one] == value for one, value in link.key.items() if one != name]
        mine = (tx.owns(table.c), table.c[name] == source_id, *same)
        tx.connection.execute(update(table).where(*mine).values({name: into_id}))
    for column in BESIDE_OTHERS:
        mine = (tx.owns(column.table.c), column == source_id)
        tx.connection.execute(delete(column.table).where(*mine))
