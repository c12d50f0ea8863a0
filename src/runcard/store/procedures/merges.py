"""Merges of procedures: whatever names the source now finds the target, and the runs are moved in groups.

A merged procedure keeps its row, name, identifier, versions and links, and each run that is moved is noted. So a merge
can be taken back; see `store.procedures.splits`.
"""

from collections.abc import Collection, Mapping, Sequence
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
    """A merged procedure. id: of the merge. moved: how many runs were moved. left: how many must still be."""

    id: UUID
    source_id: UUID
    name: str
    identifier: str
    merged_at: datetime
    moved: int
    left: int
    merged_by: CreatedBy


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
    v = t.procedure_versions.c
    of_source = select(v.id).where(tx.owns(v), v.procedure_id == source.id).order_by(v.created_at, v.id)
    same_versions(tx, tx.connection.execute(of_source).scalars().all(), target.id, creator)
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
    _note(tx, merge_id, "deployment", ids)
    give_deployments(tx, ids, target.id)
    tx.connection.execute(update(t.procedures).where(tx.owns(p), merged).values(merged_into_id=target.id))


def list_open_merges(connection: Connection) -> Sequence[OpenMerge]:
    """The merges of all organizations whose source still has runs to move, even if others were merged into it.

    The target is that of the merge. If it was merged too since, its own merge moves them on, so that each merge notes
    what it moved.
    """
    p, m, r = t.procedures.c, t.procedure_merges.c, t.runs.c
    has_runs = select(r.id).where(r.procedure_id == p.id).exists()
    query = (
        select(m.id, m.organization_id, p.id, m.target_id, m.created_by_user_id, m.created_by_station_id)
        .join_from(t.procedures, t.procedure_merges, m.source_id == p.id)
        .where(p.merged_into_id.is_not(None), m.ended_at.is_(None), has_runs)
    )
    return [OpenMerge(*row[:4], Creator(*row[4:])) for row in connection.execute(query)]


def move_runs(tx: Transaction, merge: OpenMerge, at_most: int) -> int:
    """Move at most `at_most` runs of the source to the target, oldest first. Returns how many were moved.

    It moves none if the merge was taken back since it was listed.
    """
    m, p, r = t.procedure_merges.c, t.procedures.c, t.runs.c
    is_open = select(m.id).join_from(t.procedure_merges, t.procedures, p.id == m.source_id)
    is_open = is_open.where(tx.owns(m), m.id == merge.id, m.ended_at.is_(None), p.merged_into_id.is_not(None))
    query = (
        select(r.id, r.version_id)
        .where(tx.owns(r), r.procedure_id == merge.source_id, is_open.exists())
        .order_by(r.started_at, r.id)
        .limit(at_most)
    )
    found = {row[0]: row[1] for row in tx.connection.execute(query)}
    give_runs(tx, found, merge.target_id, merge.creator)
    _note(tx, merge.id, "run", found)
    return len(found)


def give_runs(
    tx: Transaction, runs: Mapping[UUID, UUID | None], procedure_id: UUID, creator: Creator
) -> None:
    """Move runs to a procedure. runs: the version of each. Each gets the version with the same tag there."""
    r = t.runs.c
    by_version: dict[UUID | None, list[UUID]] = {}
    for run_id, version_id in runs.items():
        by_version.setdefault(version_id, []).append(run_id)
    versions = same_versions(tx, [one for one in by_version if one is not None], procedure_id, creator)
    watch(tx, t.runs, runs.keys())
    for version_id, run_ids in by_version.items():
        values = {"procedure_id": procedure_id, "version_id": version_id and versions[version_id]}
        for some in in_chunks(run_ids):
            tx.connection.execute(update(t.runs).where(tx.owns(r), r.id.in_(some)).values(values))


def give_deployments(tx: Transaction, deployment_ids: Collection[UUID], procedure_id: UUID) -> None:
    """Move deployments to a procedure."""
    d = t.deployments.c
    watch(tx, t.deployments, deployment_ids)
    for some in in_chunks(deployment_ids):
        mine = (tx.owns(d), d.id.in_(some))
        tx.connection.execute(update(t.deployments).where(*mine).values(procedure_id=procedure_id))


def same_versions(
    tx: Transaction, version_ids: Collection[UUID], procedure_id: UUID, creator: Creator
) -> Mapping[UUID, UUID]:
    """For each of these versions, the version of the procedure with the same tag. Missing versions are added."""
    v = t.procedure_versions.c
    found: dict[UUID, UUID] = {}
    for some in in_chunks(version_ids):
        tags = dict(tx.connection.execute(select(v.id, v.tag).where(tx.owns(v), v.id.in_(some))).all())
        for version_id in some:
            tag = tags[version_id]
            there = tx.catalog.version(procedure_id, tag)
            found[version_id] = there or stage_version(tx, procedure_id, tag, creator)
    return found


def list_merges_into(scope: Scope, procedure_id: UUID) -> Sequence[Merge]:
    """The procedures that were merged into this one, directly or through another, last merged first."""
    p, m, n, r = t.procedures.c, t.procedure_merges.c, t.merged_records.c, t.runs.c
    moved = select(func.count()).where(n.merge_id == m.id, n.kind == "run").scalar_subquery()
    left = select(func.count()).where(r.procedure_id == p.id).scalar_subquery()
    joined = t.procedure_merges.join(t.procedures, p.id == m.source_id)
    query = (
        select(m.id, p.id, p.name, p.identifier, m.created_at, moved, left, *CREATOR_COLUMNS)
        .select_from(with_creator(t.procedure_merges, joined))
        .where(scope.owns(m), p.merged_into_id == procedure_id, m.ended_at.is_(None))
        .order_by(m.created_at.desc(), m.id.desc())
    )
    return [Merge._make((*row[:7], created_by(*row[7:]))) for row in scope.connection.execute(query)]


def list_merged_into(scope: Scope, procedure_id: UUID) -> Sequence[UUID]:
    """The ids of the procedures that were merged into this one."""
    p = t.procedures.c
    query = select(p.id).where(scope.owns(p), p.merged_into_id == procedure_id)
    return scope.connection.execute(query).scalars().all()


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


def _note(tx: Transaction, merge_id: UUID, kind: str, record_ids: Collection[UUID]) -> None:
    """Note the records that a merge moves. One that came back to the source since it was moved is noted already."""
    n = t.merged_records.c
    row = {"merge_id": merge_id, "organization_id": tx.organization_id, "kind": kind}
    for some in in_chunks(record_ids):
        noted = select(n.record_id).where(tx.owns(n), n.merge_id == merge_id, n.record_id.in_(some))
        known = {*tx.connection.execute(noted).scalars()}
        rows = [{**row, "record_id": one} for one in some if one not in known]
        if rows:
            insert_rows(tx.connection, t.merged_records, rows)
