"""Merges of procedures. The target gets the versions and station links of the source; runs and deployments follow."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select

from runcard.domain.errors import Conflict
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.merging.mergeable import Follower, Mergeable
from runcard.store.merging.merges import begin_merge
from runcard.store.procedures.rows import Procedure, stage_version
from runcard.store.trail.watching import watch


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

    The target gets its versions, its station links and its deployments. Raises Conflict if both are the same procedure.
    """
    if source.id == target.id:
        raise Conflict(
            f"{source.identifier} cannot be merged into itself. Choose another procedure as target."
        )
    v = t.procedure_versions.c
    of_source = select(v.id).where(tx.owns(v), v.procedure_id == source.id).order_by(v.created_at, v.id)
    same_versions(tx, tx.connection.execute(of_source).scalars().all(), target.id, creator)
    _give_links(tx, source.id, target.id)
    begin_merge(tx, PROCEDURES, source.id, target.id, creator, None)


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


def same_versions(
    tx: Transaction, version_ids: Collection[UUID], procedure_id: UUID, creator: Creator
) -> Mapping[UUID, UUID]:
    """For each of these versions, the version of the procedure with the same tag. Missing versions are added."""
    v = t.procedure_versions.c
    found: dict[UUID, UUID] = {}
    for some in in_chunks(version_ids):
        query = select(v.id, v.tag).where(tx.owns(v), v.id.in_(some))
        tags = {row[0]: row[1] for row in tx.connection.execute(query)}
        for version_id in some:
            tag = tags[version_id]
            there = tx.catalog.version(procedure_id, tag)
            found[version_id] = there or stage_version(tx, procedure_id, tag, creator)
    return found


PROCEDURES = Mergeable(
    "procedure",
    t.procedures,
    t.procedure_merges,
    t.merged_records,
    followers=[
        Follower("run", t.runs.c.procedure_id, t.runs.c.version_id, [t.runs.c.started_at]),
        Follower("deployment", t.deployments.c.procedure_id, at_once=True),
    ],
    same=same_versions,
)


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
