"""Taking merges back: the source is a thing of its own again, and its records go back in groups.

A merge that was taken back stays until nothing that it noted is left to go back. So the notes of such merges say what
is left to do, and a killed process loses nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import Connection, delete, func, or_, select, update

from runcard.domain.errors import Conflict
from runcard.store.commit.changes import ChangeKind
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.merging.mergeable import Follower, Mergeable
from runcard.store.merging.merges import give_records, read_records
from runcard.store.trail.things import THING_OF
from runcard.store.trail.watching import watch


class SplitPreview(NamedTuple):
    """What taking a merge back would do, in numbers by noun.

    back: records that go back. left: records that the source still has. stay: records that were moved and do not go
    back, because they were deleted or moved elsewhere since. later: what the target got since the merge, which stays
    with it, whatever it named. along: what was merged into the source, and goes with it.
    """

    back: Mapping[str, int]
    left: Mapping[str, int]
    stay: Mapping[str, int]
    later: Mapping[str, int]
    along: Sequence[UUID]


class Returning(NamedTuple):
    """A split whose records are still on their way back. left: how many there are, by noun."""

    source_id: UUID
    source: str
    left: Mapping[str, int]


class _Split(NamedTuple):
    id: UUID
    source_id: UUID
    target_id: UUID
    creator: Creator


def split(tx: Transaction, mergeable: Mergeable, source_id: UUID, target_id: UUID, why: str) -> None:
    """Take the merge of a thing into the target back: whatever names the source means the source again.

    What was merged into the source goes along. `bring_back` moves its records, but for the few that follow at once.
    why: the reason. Raises Conflict if there is no such merge.
    """
    m, thing = mergeable.merges.c, mergeable.things.c
    found = (
        select(m.id, m.source_id, m.target_id, m.created_by_user_id, m.created_by_station_id)
        .join_from(mergeable.merges, mergeable.things, thing.id == m.source_id)
        .where(tx.owns(m), m.source_id == source_id, m.ended_at.is_(None), thing.merged_into_id == target_id)
    )
    row = tx.connection.execute(found).one_or_none()
    if row is None:
        raise Conflict(f"This {mergeable.noun} is not merged into that one now. Read its page again.")
    one = _Split(*row[:3], Creator(*row[3:]))
    along = _merged_along(tx.scope, mergeable, source_id, target_id)
    watch(tx, mergeable.things, [source_id], kind=cast("ChangeKind", f"{mergeable.noun}_split"), why=why)
    watch(tx, mergeable.things, along, why=why)
    for ids, target in (([source_id], None), (along, source_id)):
        for some in in_chunks(ids):
            of_them = (tx.owns(thing), thing.id.in_(some))
            tx.connection.execute(update(mergeable.things).where(*of_them).values(merged_into_id=target))
    tx.connection.execute(update(mergeable.merges).where(tx.owns(m), m.id == one.id).values(ended_at=tx.now))
    for follower in mergeable.followers:
        if follower.at_once:
            _give_back(tx, mergeable, one, follower, _noted(tx, mergeable, one.id, follower))


def list_splitting_organizations(connection: Connection, mergeable: Mergeable) -> Sequence[UUID]:
    """The organizations with a merge that was taken back and may still have something to bring back."""
    m = mergeable.merges.c
    query = select(m.organization_id).where(m.ended_at.is_not(None)).distinct()
    return connection.execute(query).scalars().all()


def bring_back(tx: Transaction, mergeable: Mergeable, at_most: int) -> int:
    """Move at most `at_most` records to the things from which a merge brought them that was taken back.

    Records that were deleted or moved elsewhere since stay where they are. Returns how many it looked at; 0: nothing is
    left.
    """
    m = mergeable.merges.c
    # The last merge first: a record that came by way of two goes back by way of both. Ids are in the order of creation.
    query = (
        select(m.id, m.source_id, m.target_id, m.created_by_user_id, m.created_by_station_id)
        .where(tx.owns(m), m.ended_at.is_not(None))
        .order_by(m.id.desc())
    )
    for row in tx.connection.execute(query).all():
        one = _Split(*row[:3], Creator(*row[3:]))
        for follower in mergeable.followers:
            if noted := _noted(tx, mergeable, one.id, follower, at_most):
                _give_back(tx, mergeable, one, follower, noted)
                return len(noted)
        tx.connection.execute(delete(mergeable.merges).where(tx.owns(m), m.id == one.id))
    return 0


def preview_split(scope: Scope, mergeable: Mergeable, merge_id: UUID, target_id: UUID) -> SplitPreview:
    """What would happen if this merge into the target were taken back now."""
    m, n, thing = mergeable.merges.c, mergeable.notes.c, mergeable.things.c
    of_merge = (scope.owns(n), n.merge_id == merge_id)
    merged = select(m.source_id, m.created_at).where(scope.owns(m), m.id == merge_id)
    source_id, merged_at = scope.connection.execute(merged).one()
    back, left, stay, later = dict[str, int](), dict[str, int](), dict[str, int](), dict[str, int]()
    for follower in mergeable.followers:
        table, noun = follower.table, follower.noun
        of_noun = (*of_merge, n.kind == noun)
        noted = select(n.record_id).where(*of_noun)
        there = (
            select(func.count())
            .join_from(mergeable.notes, table, table.c.id == n.record_id)
            .join(mergeable.things, thing.id == follower.of)
            .where(*of_noun, func.coalesce(thing.merged_into_id, thing.id) == target_id)
        )
        waits = select(func.count()).where(scope.owns(table.c), follower.is_of(source_id))
        newer = select(func.count()).where(
            scope.owns(table.c),
            follower.is_of(target_id),
            table.c.created_at >= merged_at,
            table.c.id.not_in(noted),
        )
        counted = select(func.count()).select_from(mergeable.notes).where(*of_noun)
        back[noun] = scope.connection.execute(there).scalar_one()
        left[noun] = scope.connection.execute(waits).scalar_one()
        stay[noun] = scope.connection.execute(counted).scalar_one() - back[noun]
        later[noun] = scope.connection.execute(newer).scalar_one()
    return SplitPreview(back, left, stay, later, _merged_along(scope, mergeable, source_id, target_id))


def list_returning(scope: Scope, mergeable: Mergeable, thing_id: UUID) -> Sequence[Returning]:
    """The splits that still have records to bring back, from this thing or to it."""
    m, n, thing = mergeable.merges.c, mergeable.notes.c, mergeable.things.c
    named = thing[THING_OF[mergeable.things.name].named_by or "id"]
    splits = select(m.id).where(scope.owns(m), m.ended_at.is_not(None))
    if scope.connection.execute(splits.limit(1)).first() is None:
        return []
    found: dict[tuple[UUID, str], dict[str, int]] = defaultdict(dict)
    for follower in mergeable.followers:
        query = (
            select(thing.id, named, func.count())
            .join_from(mergeable.merges, mergeable.things, thing.id == m.source_id)
            .join(mergeable.notes, n.merge_id == m.id)
            .join(follower.table, follower.table.c.id == n.record_id)
            .where(
                scope.owns(m),
                m.ended_at.is_not(None),
                n.kind == follower.noun,
                or_(follower.of == thing_id, thing.id == thing_id),
            )
            .group_by(thing.id, named)
        )
        for source_id, name, count in scope.connection.execute(query):
            found[source_id, name][follower.noun] = count
    return [Returning(*source, left) for source, left in sorted(found.items(), key=lambda one: one[0][1])]


def check_none_returning(scope: Scope, mergeable: Mergeable, thing_id: UUID) -> None:
    """Check that no record is on its way back from a thing or to it. Raises Conflict."""
    for one in list_returning(scope, mergeable, thing_id):
        left = " and ".join(f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in one.left.items())
        raise Conflict(
            f"Still on their way back to {one.source}, whose merge was taken back: {left}. Wait until they are there, "
            "and try again."
        )


def _merged_along(scope: Scope, mergeable: Mergeable, source_id: UUID, target_id: UUID) -> Sequence[UUID]:
    """What was merged into the source, directly or through others, before that was merged into the target."""
    m, thing = mergeable.merges.c, mergeable.things.c
    query = (
        select(m.source_id, m.target_id)
        .join_from(mergeable.merges, mergeable.things, thing.id == m.source_id)
        .where(scope.owns(m), m.ended_at.is_(None), thing.merged_into_id == target_id)
    )
    into: Mapping[UUID, list[UUID]] = defaultdict(list)
    for source, target in scope.connection.execute(query.order_by(m.id)):
        into[target].append(source)
    found = list(into[source_id])
    for one in found:
        found += into[one]
    return found


def _noted(
    tx: Transaction, mergeable: Mergeable, merge_id: UUID, follower: Follower, at_most: int | None = None
) -> Sequence[UUID]:
    """The records that a merge noted, oldest first. at_most: None: all."""
    n = mergeable.notes.c
    query = select(n.record_id).where(tx.owns(n), n.merge_id == merge_id, n.kind == follower.noun)
    return tx.connection.execute(query.order_by(n.record_id).limit(at_most)).scalars().all()


def _give_back(
    tx: Transaction, mergeable: Mergeable, one: _Split, follower: Follower, noted: Sequence[UUID]
) -> None:
    """Move those of the noted records back that may go, and forget the notes of all.

    Those that are back were moved by no later merge either.
    """
    back = _still_there(tx, mergeable, follower, noted, one.target_id)
    give_records(tx, mergeable, follower, read_records(tx, follower, back), (one.source_id, one.creator))
    m, n = mergeable.merges.c, mergeable.notes.c
    later = select(m.id).where(tx.owns(m), m.id >= one.id)
    for ids, merges in ((noted, [one.id]), (back, later)):
        for some in in_chunks(ids):
            mine = (tx.owns(n), n.record_id.in_(some), n.merge_id.in_(merges))
            tx.connection.execute(delete(mergeable.notes).where(*mine))


def _still_there(
    tx: Transaction, mergeable: Mergeable, follower: Follower, ids: Collection[UUID], target_id: UUID
) -> Sequence[UUID]:
    """Those of these records that are where a merge into the target brought them, or a later merge from there."""
    thing, table, found = mergeable.things.c, follower.table, list[UUID]()
    now = func.coalesce(thing.merged_into_id, thing.id)
    goal = tx.connection.execute(select(now).where(tx.owns(thing), thing.id == target_id)).scalar_one()
    for some in in_chunks(ids):
        query = (
            select(table.c.id)
            .join_from(table, mergeable.things, thing.id == follower.of)
            .where(tx.owns(table.c), table.c.id.in_(some), now == goal)
        )
        found += tx.connection.execute(query.order_by(table.c.id)).scalars()
    return found
