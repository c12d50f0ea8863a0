"""Restoring what was deleted: each thing comes back as it was, with all that was deleted along with it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Table, delete, select, update

from runcard.domain.floor.at_once import check_count
from runcard.store.bin.packing import Link, Packed, unpack
from runcard.store.commit.lookups import find_ancestors
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.restoring.coming import Coming, check_places, with_their_references
from runcard.store.restoring.contents import Deleted, count_with, get_all_in_bin
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
    [restored] = _restore(tx, get_all_in_bin(tx.scope, [head_id]), why)
    return restored


def restore_all(tx: Transaction, head_ids: Collection[UUID], why: str | None) -> Sequence[Restored]:
    """Bring these deleted things back as `restore` does, all or none. A run may come back together with its unit.

    Raises as `restore` does, Conflict for two things that cannot both be there, and InvalidInput for more than
    MAX_AT_ONCE things, with those that went along.
    """
    check_count("ids", len(head_ids), least=0)
    heads = get_all_in_bin(tx.scope, head_ids)
    check_count("ids", count_with(tx.scope, heads), least=0)
    return _restore(tx, heads, why)


def _restore(tx: Transaction, heads: Mapping[UUID, Deleted], why: str | None) -> Sequence[Restored]:
    tx.lock_assembly()
    things = _unpack(tx, heads)
    kept = checked_rows(tx, things)
    for table, ids in _ids_by_table(things).items():
        watch_restored(tx, table, ids, why=why)
    # Its links are part of what is proven of a station.
    watch(tx, t.stations, {one.row["station_id"] for one in kept.get(t.station_procedures.name, ())})
    d = t.deleted_things.c
    for some in in_chunks(heads):
        tx.connection.execute(delete(t.deleted_things).where(tx.owns(d), d.head_id.in_(some)))
    insert_again(tx, kept)
    _free_identifiers(tx, kept.get(t.procedures.name, ()))
    for link in (link for _, thing in things for link in thing.links):
        _set_again(tx, link)
    counts = Counter(head.id for head, _ in things)
    return [Restored(head, counts[head.id]) for head in heads.values()]


def checked_rows(tx: Transaction, things: Sequence[tuple[Deleted, Packed]]) -> Mapping[str, Sequence[Coming]]:
    """The rows of these things that can come back, by table, each thing with that which it went along with.

    Raises Conflict where they no longer have their place.
    """
    rows = _by_table(things)
    kept = {name: with_their_references(tx, name, some, rows) for name, some in rows.items()}
    check_places(tx, kept)
    return kept


def insert_again(tx: Transaction, rows: Mapping[str, Sequence[Coming]]) -> None:
    """Insert rows that `checked_rows` returned."""
    for name in sorted(rows, key=_ORDER.__getitem__):
        if rows[name]:
            insert_rows(tx.connection, t.metadata.tables[name], [one.row for one in rows[name]])


def _unpack(tx: Transaction, heads: Mapping[UUID, Deleted]) -> Sequence[tuple[Deleted, Packed]]:
    """What was deleted, each with the thing that it went along with."""
    d = t.deleted_things.c
    found: list[tuple[Deleted, Packed]] = []
    for some in in_chunks(heads):
        query = select(d.head_id, d.content).where(tx.owns(d), d.head_id.in_(some)).order_by(d.id)
        rows = tx.connection.execute(query)
        found += [(heads[head_id], unpack(content)) for head_id, content in rows]
    return found


def _by_table(things: Sequence[tuple[Deleted, Packed]]) -> Mapping[str, list[Coming]]:
    """The rows of all these things, by table, each with all columns that its table has now."""
    found: dict[str, list[Coming]] = defaultdict(list)
    seen: set[tuple[object, ...]] = set()
    for head, table, row in ((head, *one) for head, thing in things for one in thing.rows):
        key = (table.name, *(row[column.name] for column in table.primary_key))
        if key not in seen:
            seen.add(key)
            found[table.name].append(Coming(head, {column.name: row.get(column.name) for column in table.c}))
    return found


def _ids_by_table(things: Sequence[tuple[Deleted, Packed]]) -> Mapping[Table, Sequence[UUID]]:
    found: dict[Table, list[UUID]] = defaultdict(list)
    for table, row in (thing.own for _, thing in things):
        found[table].append(row["id"])
    return found


def _free_identifiers(tx: Transaction, restored: Sequence[Coming]) -> None:
    """Forget that the identifiers of procedures were given up when they were deleted."""
    f = t.former_identifiers.c
    keys = [one.row["identifier_key"] for one in restored]
    for some in in_chunks(keys):
        mine = (tx.owns(f), f.identifier_key.in_(some), f.procedure_id.is_(None))
        tx.connection.execute(delete(t.former_identifiers).where(*mine))


def _set_again(tx: Transaction, link: Link) -> None:
    """Let a row name a restored thing again, unless it is gone or names something else by now, or a unit would become
    part of itself.
    """
    table, c = link.table, link.table.c
    values = {name: value for name, value in link.values.items() if name in c}
    same = [c[name] == value for name, value in link.key.items()]
    free = [c[name].is_(None) for name in values if name.endswith("_id")]
    here = (tx.owns(c), *same, *free)
    if not values or tx.connection.execute(select(*table.primary_key).where(*here)).first() is None:
        return
    parent_id = values.get("parent_id") if table is t.units else None
    if parent_id is not None and link.key["id"] in find_ancestors(tx.connection, parent_id):
        return
    if table.name in THING_OF:
        watch(tx, table, [link.key["id"]], kind="unit_moved" if table is t.units else None)
    tx.connection.execute(update(table).where(*here).values(values))
    if table is t.units:
        for name, value in values.items():
            stage_move(tx, link.key["id"], _MOVES[name], (None, value), None)
