"""Procedures that were merged: a filter that names one means the procedure that it was merged into."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import select

from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter


def follow_merges(scope: Scope, procedure_ids: Collection[UUID]) -> Sequence[UUID]:
    """These procedures, in order and each once. The target of its merge stands for each that was merged."""
    targets = merge_targets(scope, procedure_ids)
    return list(dict.fromkeys(targets.get(id_, id_) for id_ in procedure_ids))


def merge_targets(scope: Scope, procedure_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """For each of these procedures that was merged, the procedure that stands for it now."""
    p = t.procedures.c
    merged: dict[UUID, UUID] = {}
    for some in in_chunks(procedure_ids):
        query = select(p.id, p.merged_into_id).where(
            scope.owns(p), p.id.in_(some), p.merged_into_id.is_not(None)
        )
        merged |= {row[0]: row[1] for row in scope.connection.execute(query)}
    return merged


def with_merges(scope: Scope, run_filter: RunFilter) -> RunFilter:
    """The filter with the target of the merge in place of each merged procedure that it names."""
    if run_filter.procedure_ids is None:
        return run_filter
    return replace(run_filter, procedure_ids=follow_merges(scope, run_filter.procedure_ids))
