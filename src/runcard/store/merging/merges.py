"""Merges: whatever names the source now finds the target, and the records of the source follow in groups.

A merged thing keeps its row, its names and its versions or revisions, and each record that is moved is noted. So a
merge can be taken back; see `store.merging.splits`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, insert, or_, select, update

from runcard.domain.ids import new_id
from runcard.store.commit.changes import ChangeKind
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.merging.mergeable import Follower, Mergeable, OpenMerge
from runcard.store.trail.watching import watch

# Of a follower: the ids of some records, and the version or revision of each.
Records = Mapping[UUID, UUID | None]


def begin_merge(
    tx: Transaction, mergeable: Mergeable, source_id: UUID, target_id: UUID, creator: Creator, why: str | None
) -> None:
    """Let the target stand for the source, and for what was merged into that. Both must be there and differ.

    `move_records` moves what follows, but for the few that follow at once. why: the reason, if one was given.
    """
    things = mergeable.things
    before = list_merged_into(tx.scope, mergeable, source_id)
    watch(tx, things, [source_id], kind=cast("ChangeKind", f"{mergeable.noun}_merged"), why=why)
    watch(tx, things, before)
    merge = OpenMerge(new_id(), tx.organization_id, source_id, target_id, creator)
    row = {
        "id": merge.id,
        "organization_id": tx.organization_id,
        "source_id": source_id,
        "target_id": target_id,
        "created_at": tx.now,
        **creator.columns,
    }
    tx.connection.execute(insert(mergeable.merges).values(row))
    for follower in mergeable.followers:
        if follower.at_once:
            _move(tx, mergeable, follower, merge, _records(tx, follower, follower.is_of(source_id)))
    for some in in_chunks([source_id, *before]):
        merged = (tx.owns(things.c), things.c.id.in_(some))
        tx.connection.execute(update(things).where(*merged).values(merged_into_id=target_id))


# Unscoped: a thread moves the records of all organizations.
def list_open_merges(connection: Connection, mergeable: Mergeable) -> Sequence[OpenMerge]:
    """The merges of all organizations whose source still has records to move, even if others were merged into it.

    The target is that of the merge. If it was merged too since, its own merge moves them on, so that each merge notes
    what it moved.
    """
    m, thing = mergeable.merges.c, mergeable.things.c
    has_records = or_(
        *(select(one.table.c.id).where(one.is_of(m.source_id)).exists() for one in mergeable.followers)
    )
    query = _merges(mergeable).where(thing.merged_into_id.is_not(None), m.ended_at.is_(None), has_records)
    return [_merge(*row) for row in connection.execute(query)]


def move_records(tx: Transaction, mergeable: Mergeable, merge: OpenMerge, at_most: int) -> int:
    """Move at most `at_most` records of the source to the target. Returns how many were moved.

    It moves none if the merge was taken back since it was listed.
    """
    m, thing, moved = mergeable.merges.c, mergeable.things.c, 0
    is_open = _merges(mergeable).where(
        tx.owns(m), m.id == merge.id, m.ended_at.is_(None), thing.merged_into_id.is_not(None)
    )
    if tx.connection.execute(is_open).first() is None:
        return 0
    for follower in mergeable.followers:
        if moved < at_most:
            found = _records(tx, follower, follower.is_of(merge.source_id), at_most - moved)
            _move(tx, mergeable, follower, merge, found)
            moved += len(found)
    return moved


def bring_over(tx: Transaction, mergeable: Mergeable, noun: str, record_id: UUID) -> bool:
    """Move one record that still waits to follow a merge. Returns whether it was moved.

    noun: what it is. By way of several merges it is moved as far as all of them go.
    """
    [follower] = [one for one in mergeable.followers if one.noun == noun]
    m, thing, moved = mergeable.merges.c, mergeable.things.c, False
    here = (tx.owns(m), m.ended_at.is_(None), thing.merged_into_id.is_not(None))
    while True:
        of_record = select(follower.of).where(tx.owns(follower.table.c), follower.table.c.id == record_id)
        query = _merges(mergeable).where(*here, m.source_id == of_record.scalar_subquery())
        row = tx.connection.execute(query).one_or_none()
        if row is None:
            return moved
        found = _records(tx, follower, follower.table.c.id == record_id)
        _move(tx, mergeable, follower, _merge(*row), found)
        moved = True


def give_records(
    tx: Transaction,
    mergeable: Mergeable,
    follower: Follower,
    records: Records,
    owner: tuple[UUID, Creator],
) -> None:
    """Give records to a thing, each with the version or revision there that is called the same.

    owner: the thing, and in whose name missing versions or revisions are added.
    """
    thing_id, creator = owner
    table = follower.table
    by_child: dict[UUID | None, list[UUID]] = {}
    for record_id, child_id in records.items():
        by_child.setdefault(child_id, []).append(record_id)
    children = mergeable.same(tx, [one for one in by_child if one is not None], thing_id, creator)
    watch(tx, table, records.keys(), kind=follower.kind)
    for child_id, record_ids in by_child.items():
        values: dict[str, UUID | None] = {follower.of.name: thing_id}
        if follower.child is not None:
            values[follower.child.name] = child_id and children[child_id]
        for some in in_chunks(record_ids):
            mine = (tx.owns(table.c), table.c.id.in_(some))
            tx.connection.execute(update(table).where(*mine).values(values))


def read_records(tx: Transaction, follower: Follower, record_ids: Collection[UUID]) -> Records:
    """Those of these records that exist, each with its version or revision."""
    found: dict[UUID, UUID | None] = {}
    for some in in_chunks(record_ids):
        found |= _records(tx, follower, follower.table.c.id.in_(some))
    return found


def list_merged_into(scope: Scope, mergeable: Mergeable, target_id: UUID) -> Sequence[UUID]:
    """The ids of the things that were merged into this one, directly or through another, oldest first."""
    thing = mergeable.things.c
    query = select(thing.id).where(scope.owns(thing), thing.merged_into_id == target_id)
    return scope.connection.execute(query.order_by(thing.created_at, thing.id)).scalars().all()


def count_records(scope: Scope, mergeable: Mergeable, thing_id: UUID) -> Mapping[str, int]:
    """How many records follow a thing when it is merged, by noun. Of one that was merged: how many still wait."""
    counted = {
        one.noun: select(func.count())
        .select_from(one.table)
        .where(scope.owns(one.table.c), one.is_of(thing_id))
        for one in mergeable.followers
    }
    return {noun: scope.connection.execute(query).scalar_one() for noun, query in counted.items()}


# Unscoped: the caller says of which organization.
def _merges(mergeable: Mergeable) -> Select[UUID, UUID, UUID, UUID, UUID | None, UUID | None]:
    m = mergeable.merges.c
    columns = (
        m.id,
        m.organization_id,
        m.source_id,
        m.target_id,
        m.created_by_user_id,
        m.created_by_station_id,
    )
    return select(*columns).join_from(
        mergeable.merges, mergeable.things, mergeable.things.c.id == m.source_id
    )


def _merge(
    id_: UUID,
    organization_id: UUID,
    source_id: UUID,
    target_id: UUID,
    user_id: UUID | None,
    station_id: UUID | None,
) -> OpenMerge:
    return OpenMerge(id_, organization_id, source_id, target_id, Creator(user_id, station_id))


def _records(
    tx: Transaction, follower: Follower, condition: ColumnElement[bool], at_most: int | None = None
) -> dict[UUID, UUID | None]:
    """The records that meet a condition, in their order, each with its version or revision.

    On PostgreSQL they are locked, so that no other process moves them elsewhere before this write ends.
    """
    c = follower.table.c
    child = c.id if follower.child is None else follower.child
    query = select(c.id, child).where(tx.owns(c), condition).order_by(*follower.order).limit(at_most)
    rows = tx.connection.execute(query.with_for_update())
    return {record_id: None if follower.child is None else child_id for record_id, child_id in rows}


def _move(
    tx: Transaction, mergeable: Mergeable, follower: Follower, merge: OpenMerge, records: Records
) -> None:
    """Give records to the target of a merge, and note them. One that came back since it was moved is noted already."""
    give_records(tx, mergeable, follower, records, (merge.target_id, merge.creator))
    n = mergeable.notes.c
    row = {"merge_id": merge.id, "organization_id": tx.organization_id, "kind": follower.noun}
    for some in in_chunks(records):
        noted = select(n.record_id).where(tx.owns(n), n.merge_id == merge.id, n.record_id.in_(some))
        known = {*tx.connection.execute(noted).scalars()}
        rows = [{**row, "record_id": one} for one in some if one not in known]
        if rows:
            insert_rows(tx.connection, mergeable.notes, rows)
