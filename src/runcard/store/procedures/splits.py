"""Taking merges of procedures back: the source is a procedure of its own again, and its runs go home in groups.

A merge that was taken back stays until nothing that it noted is left to go home. So the notes of such merges say what
is left to do, and a killed process loses nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Table, delete, func, select, update

from runcard.domain.errors import Conflict
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.procedures.merges import Merge, give_deployments, give_runs
from runcard.store.procedures.rows import Procedure
from runcard.store.trail.watching import watch


class SplitPreview(NamedTuple):
    """What taking a merge back would do.

    runs, deployments: how many go home. stay: how many that were moved do not, because they were deleted or moved
    elsewhere since. later: how many runs the target got since the merge, which stay with it, whatever they named.
    along: the names of the procedures that were merged into the source, and go with it.
    """

    runs: int
    deployments: int
    stay: int
    later: int
    along: Sequence[str]


class Homecoming(NamedTuple):
    """A split whose runs are still on their way home. left: how many there are."""

    source_id: UUID
    source: str
    left: int


class _Split(NamedTuple):
    id: UUID
    source_id: UUID
    target_id: UUID
    creator: Creator


def split_procedure(tx: Transaction, source_id: UUID, target: Procedure, why: str) -> None:
    """Take the merge of a procedure into the target back: whatever names the source means the source again.

    What was merged into the source goes along. Its deployments go home at once, and `bring_home` moves its runs. The
    target keeps versions and station links that it got. why: the reason. Raises Conflict if there is no such merge.
    """
    m, p = t.procedure_merges.c, t.procedures.c
    found = (
        select(m.id, m.source_id, m.target_id, m.created_by_user_id, m.created_by_station_id)
        .join_from(t.procedure_merges, t.procedures, p.id == m.source_id)
        .where(tx.owns(m), m.source_id == source_id, m.ended_at.is_(None), p.merged_into_id == target.id)
    )
    row = tx.connection.execute(found).one_or_none()
    if row is None:
        raise Conflict(f"This procedure is not merged into {target.identifier} now. Read its page again.")
    split = _Split(*row[:3], Creator(*row[3:]))
    along = _merged_along(tx.scope, source_id, target.id)
    watch(tx, t.procedures, [source_id], kind="procedure_split", why=why)
    watch(tx, t.procedures, along, why=why)
    tx.connection.execute(
        update(t.procedures).where(tx.owns(p), p.id == source_id).values(merged_into_id=None)
    )
    for some in in_chunks(along):
        of_them = (tx.owns(p), p.id.in_(some))
        tx.connection.execute(update(t.procedures).where(*of_them).values(merged_into_id=source_id))
    tx.connection.execute(
        update(t.procedure_merges).where(tx.owns(m), m.id == split.id).values(ended_at=tx.now)
    )
    deployments = _noted(tx, split.id, "deployment")
    home = _still_there(tx, t.deployments, deployments, split.target_id)
    give_deployments(tx, home, source_id)
    _forget(tx, split, deployments, home)


def list_splitting_organizations(connection: Connection) -> Sequence[UUID]:
    """The organizations with a merge that was taken back and still has something to bring home."""
    m = t.procedure_merges.c
    query = select(m.organization_id).where(m.ended_at.is_not(None)).distinct()
    return connection.execute(query).scalars().all()


def bring_home(tx: Transaction, at_most: int) -> int:
    """Move at most `at_most` runs to the procedures from which a merge brought them that was taken back.

    Runs that were deleted or moved elsewhere since stay where they are. Returns how many runs it looked at; 0: nothing
    is left.
    """
    m = t.procedure_merges.c
    # The last merge first: a run that came by way of two goes back by way of both. Ids are in the order of creation.
    query = (
        select(m.id, m.source_id, m.target_id, m.created_by_user_id, m.created_by_station_id)
        .where(tx.owns(m), m.ended_at.is_not(None))
        .order_by(m.id.desc())
    )
    for row in tx.connection.execute(query).all():
        split = _Split(*row[:3], Creator(*row[3:]))
        noted = _noted(tx, split.id, "run", at_most)
        if noted:
            home = _still_there(tx, t.runs, noted, split.target_id)
            give_runs(tx, _versions_of(tx, home), split.source_id, split.creator)
            _forget(tx, split, noted, home)
            return len(noted)
        tx.connection.execute(delete(t.procedure_merges).where(tx.owns(m), m.id == split.id))
    return 0


def preview_split(scope: Scope, merge: Merge, target_id: UUID) -> SplitPreview:
    """What would happen if this merge into the target were taken back now."""
    n, p, r = t.merged_records.c, t.procedures.c, t.runs.c
    of_merge = (scope.owns(n), n.merge_id == merge.id)
    counts = {
        table: scope.connection.execute(
            select(func.count())
            .join_from(t.merged_records, table, table.c.id == n.record_id)
            .join(t.procedures, p.id == table.c.procedure_id)
            .where(*of_merge, func.coalesce(p.merged_into_id, p.id) == target_id)
        ).scalar_one()
        for table in (t.runs, t.deployments)
    }
    noted = select(func.count()).select_from(t.merged_records).where(*of_merge)
    later = (
        select(func.count())
        .select_from(t.runs)
        .where(
            scope.owns(r),
            r.procedure_id == target_id,
            r.created_at >= merge.merged_at,
            r.id.not_in(select(n.record_id).where(*of_merge)),
        )
    )
    along = _merged_along(scope, merge.source_id, target_id)
    named = select(p.name, p.identifier).where(scope.owns(p), p.id.in_(along)).order_by(p.created_at, p.id)
    return SplitPreview(
        runs=counts[t.runs],
        deployments=counts[t.deployments],
        stay=scope.connection.execute(noted).scalar_one() - sum(counts.values()),
        later=scope.connection.execute(later).scalar_one(),
        along=[f"{name} ({identifier})" for name, identifier in scope.connection.execute(named)],
    )


def list_homecomings(scope: Scope, procedure_id: UUID) -> Sequence[Homecoming]:
    """The splits that still have runs of this procedure to bring home, from it or to it."""
    m, n, p, r = t.procedure_merges.c, t.merged_records.c, t.procedures.c, t.runs.c
    query = (
        select(p.id, p.name, func.count())
        .join_from(t.procedure_merges, t.procedures, p.id == m.source_id)
        .join(t.merged_records, n.merge_id == m.id)
        .join(t.runs, r.id == n.record_id)
        .where(
            scope.owns(m),
            m.ended_at.is_not(None),
            (r.procedure_id == procedure_id) | (p.id == procedure_id),
        )
        .group_by(p.id, p.name)
        .order_by(p.name, p.id)
    )
    return [Homecoming(*row) for row in scope.connection.execute(query)]


def check_no_homecoming(scope: Scope, procedure_id: UUID) -> None:
    """Check that no run is on its way home from a procedure or to it. Raises Conflict."""
    for one in list_homecomings(scope, procedure_id):
        raise Conflict(
            f"{one.left} runs are still on their way back to {one.source}, whose merge was taken back. "
            "Wait until they are there, and try again."
        )


def _merged_along(scope: Scope, source_id: UUID, target_id: UUID) -> Sequence[UUID]:
    """The procedures that were merged into the source, directly or through others, before it was into the target."""
    m, p = t.procedure_merges.c, t.procedures.c
    query = (
        select(m.source_id, m.target_id)
        .join_from(t.procedure_merges, t.procedures, p.id == m.source_id)
        .where(scope.owns(m), m.ended_at.is_(None), p.merged_into_id == target_id)
    )
    into: Mapping[UUID, list[UUID]] = defaultdict(list)
    for source, target in scope.connection.execute(query.order_by(m.created_at, m.id)):
        into[target].append(source)
    found = list(into[source_id])
    for one in found:
        found += into[one]
    return found


def _noted(tx: Transaction, merge_id: UUID, kind: str, at_most: int | None = None) -> Sequence[UUID]:
    """The records of this kind that a merge noted, oldest first. at_most: None: all."""
    n = t.merged_records.c
    query = select(n.record_id).where(tx.owns(n), n.merge_id == merge_id, n.kind == kind)
    return tx.connection.execute(query.order_by(n.record_id).limit(at_most)).scalars().all()


def _still_there(
    tx: Transaction, table: Table, record_ids: Collection[UUID], target_id: UUID
) -> Sequence[UUID]:
    """Those of these records that are where a merge into the target brought them, or a later merge from there."""
    p, found = t.procedures.c, list[UUID]()
    now = func.coalesce(p.merged_into_id, p.id)
    goal = tx.connection.execute(select(now).where(tx.owns(p), p.id == target_id)).scalar_one()
    for some in in_chunks(record_ids):
        query = (
            select(table.c.id)
            .join_from(table, t.procedures, p.id == table.c.procedure_id)
            .where(tx.owns(table.c), table.c.id.in_(some), now == goal)
        )
        found += tx.connection.execute(query.order_by(table.c.id)).scalars()
    return found


def _versions_of(tx: Transaction, run_ids: Collection[UUID]) -> Mapping[UUID, UUID | None]:
    r = t.runs.c
    found: dict[UUID, UUID | None] = {}
    for some in in_chunks(run_ids):
        query = select(r.id, r.version_id).where(tx.owns(r), r.id.in_(some))
        found |= {row[0]: row[1] for row in tx.connection.execute(query)}
    return found


def _forget(tx: Transaction, split: _Split, noted: Collection[UUID], home: Collection[UUID]) -> None:
    """Forget the notes of these records. Those that are home were moved by no later merge either."""
    m, n = t.procedure_merges.c, t.merged_records.c
    later = select(m.id).where(tx.owns(m), m.id >= split.id)
    for ids, merges in ((noted, [split.id]), (home, later)):
        for some in in_chunks(ids):
            tx.connection.execute(
                delete(t.merged_records).where(tx.owns(n), n.record_id.in_(some), n.merge_id.in_(merges))
            )
