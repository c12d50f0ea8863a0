"""Merges of procedures: whatever names the source now finds the target, and the runs are moved in groups.

A merged procedure keeps its row, name, identifier, versions and links, and each run that is moved is noted with the
version that it had. So a merge can be undone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, insert, or_, select, update

from runcard.domain.errors import Conflict
from runcard.domain.ids import new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.procedures.rows import Procedure, stage_version
from runcard.store.trail.watching import watch


class OpenMerge(NamedTuple):
    """A merge that still has runs to move. creator: who merged; records made on the way are made in their name."""

    id: UUID
    organization_id: UUID
    source_id: UUID
    target_id: UUID
    creator: Creator


class Merge(NamedTuple):
    """A merged procedure. left: how many of its runs must still be moved. moved: how many were moved."""

    source_id: UUID
    name: str
    identifier: str
    merged_at: datetime
    merged_by: CreatedBy
    moved: int
    left: int


def merge_procedures(tx: Transaction, source: Procedure, target: Procedure, creator: Creator) -> None:
    """Merge the source into the target: from now on, whatever names the source means the target.

    The target gets its versions, its station links and its deployments; `move_runs` moves its runs. Raises Conflict
    if both are the same procedure.
    """
    if source.id == target.id:
        raise Conflict(
            f"{source.identifier} cannot be merged into itself. Choose another procedure as target."
        )
    p, d = t.procedures.c, t.deployments.c
    _give_versions(tx, source.id, target.id, creator)
    _give_links(tx, source.id, target.id)
    merged = or_(p.id == source.id, p.merged_into_id == source.id)
    watch(tx, t.procedures, [source.id], kind="procedure_merged")
    watch(tx, t.procedures, list_merged_into(tx.scope, source.id))
    merge_id = new_id()
    row = {
        "id": merge_id,
        "organization_id": tx.organization_id,
        "source_id": source.id,
        "target_id": target.id,
        "created_at": tx.now,
        **creator.columns,
    }
    tx.connection.execute(insert(t.procedure_merges).values(row))
    deployed = select(d.id).where(tx.owns(d), d.procedure_id == source.id)
    ids = tx.connection.execute(deployed).scalars().all()
    _note(tx, merge_id, "deployment", [(deployment_id, None) for deployment_id in ids])
    watch(tx, t.deployments, ids)
    for some in in_chunks(ids):
        tx.connection.execute(
            update(t.deployments).where(tx.owns(d), d.id.in_(some)).values(procedure_id=target.id)
        )
    tx.connection.execute(update(t.procedures).where(tx.owns(p), merged).values(merged_into_id=target.id))


def list_open_merges(connection: Connection) -> Sequence[OpenMerge]:
    """The merges of all organizations whose source still has runs to move, even if others were merged into it."""
    p, m, r = t.procedures.c, t.procedure_merges.c, t.runs.c
    has_runs = select(r.id).where(r.procedure_id == p.id).exists()
    query = (
        select(m.id, m.organization_id, p.id, p.merged_into_id, m.created_by_user_id, m.created_by_station_id)
        .join_from(t.procedures, t.procedure_merges, m.source_id == p.id)
        .where(p.merged_into_id.is_not(None), has_runs)
    )
    return [OpenMerge(*row[:4], Creator(*row[4:])) for row in connection.execute(query)]


def move_runs(tx: Transaction, merge: OpenMerge, at_most: int) -> int:
    """Move at most `at_most` runs of the source to the target, oldest first. Returns how many were moved."""
    r = t.runs.c
    query = (
        select(r.id, r.version_id)
        .where(tx.owns(r), r.procedure_id == merge.source_id)
        .order_by(r.started_at, r.id)
        .limit(at_most)
    )
    found = [(row[0], row[1]) for row in tx.connection.execute(query)]
    by_version: dict[UUID | None, list[UUID]] = {}
    for run_id, version_id in found:
        by_version.setdefault(version_id, []).append(run_id)
    versions = _give_versions(tx, merge.source_id, merge.target_id, merge.creator)
    watch(tx, t.runs, [run_id for run_id, _ in found])
    for version_id, run_ids in by_version.items():
        values = {"procedure_id": merge.target_id, "version_id": version_id and versions[version_id]}
        for some in in_chunks(run_ids):
            mine = (tx.owns(r), r.id.in_(some))
            tx.connection.execute(update(t.runs).where(*mine).values(values))
    _note(tx, merge.id, "run", found)
    return len(found)


def list_merges_into(scope: Scope, procedure_id: UUID) -> Sequence[Merge]:
    """The procedures that were merged into this one, directly or through another, last merged first."""
    p, m, n, r = t.procedures.c, t.procedure_merges.c, t.merged_records.c, t.runs.c
    moved = select(func.count()).where(n.merge_id == m.id, n.kind == "run").scalar_subquery()
    left = select(func.count()).where(r.procedure_id == p.id).scalar_subquery()
    joined = t.procedure_merges.join(t.procedures, p.id == m.source_id)
    query = (
        select(p.id, p.name, p.identifier, m.created_at, moved, left, *CREATOR_COLUMNS)
        .select_from(with_creator(t.procedure_merges, joined))
        .where(scope.owns(m), p.merged_into_id == procedure_id)
        .order_by(m.created_at.desc(), m.id.desc())
    )
    rows = scope.connection.execute(query)
    return [
        Merge(source_id, name, identifier, merged_at, created_by(*creator), moved_count, left_count)
        for source_id, name, identifier, merged_at, moved_count, left_count, *creator in rows
    ]


def list_merged_into(scope: Scope, procedure_id: UUID) -> Sequence[UUID]:
    """The ids of the procedures that were merged into this one."""
    p = t.procedures.c
    query = select(p.id).where(scope.owns(p), p.merged_into_id == procedure_id)
    return scope.connection.execute(query).scalars().all()


def _give_versions(tx: Transaction, source_id: UUID, target_id: UUID, creator: Creator) -> dict[UUID, UUID]:
    """For each version of the source, the target's version with the same tag. Missing versions are added."""
    v = t.procedure_versions.c
    query = select(v.id, v.tag).where(tx.owns(v), v.procedure_id == source_id)
    found = tx.connection.execute(query.order_by(v.created_at, v.id)).all()
    return {
        version_id: tx.catalog.version(target_id, tag) or stage_version(tx, target_id, tag, creator)
        for version_id, tag in found
    }


def _give_links(tx: Transaction, source_id: UUID, target_id: UUID) -> None:
    link = t.station_procedures.c
    there = select(link.station_id).where(link.procedure_id == target_id)
    query = select(link.station_id).where(
        tx.owns(link),
        link.procedure_id == source_id,
        link.station_id.not_in(there),
    )
    linked = tx.connection.execute(query).scalars().all()
    watch(tx, t.stations, linked)
    for station_id in linked:
        row = {"station_id": station_id, "procedure_id": target_id, "organization_id": tx.organization_id}
        tx.connection.execute(insert(t.station_procedures).values(row))


def _note(
    tx: Transaction,
    merge_id: UUID,
    kind: str,
    records: Sequence[tuple[UUID, UUID | None]],
) -> None:
    """Note the records that a merge moves, each with the version that it had."""
    if not records:
        return
    insert_rows(
        tx.connection,
        t.merged_records,
        [
            {
                "merge_id": merge_id,
                "record_id": record_id,
                "organization_id": tx.organization_id,
                "kind": kind,
                "version_id": version_id,
            }
            for record_id, version_id in records
        ],
    )
