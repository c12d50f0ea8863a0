"""The names in a filter of runs, as ids, for the columnar copy, which keeps only ids because names change."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.run_filter import Query, RunFilter, named_ids, run_conditions

# With more ids of one kind, the truth answers faster than the copy.
MAX_IDS = 10_000


def resolve(scope: Scope, run_filter: RunFilter) -> Mapping[str, Sequence[UUID]] | None:
    """For each column of `runs`, the ids that are allowed there; None if one column has more than MAX_IDS.

    They stand for the filter's names, search, tags, causes, corrections and metadata.
    """
    queries: dict[str, Query] = dict(named_ids(scope.organization_id, run_filter))
    if run_filter.is_noted or run_filter.search_query is not None or run_filter.metadata:
        searched = with_merges(
            scope,
            RunFilter(
                search_query=run_filter.search_query,
                metadata=run_filter.metadata,
                tags=run_filter.tags,
                causes=run_filter.causes,
                corrected=run_filter.corrected,
                procedure_ids=run_filter.procedure_ids,
            ),
        )
        queries["id"] = select(t.runs.c.id).where(*run_conditions(scope.organization_id, searched))
    found = {
        column: scope.connection.execute(query.limit(MAX_IDS + 1)).scalars().all()
        for column, query in queries.items()
    }
    return None if any(len(ids) > MAX_IDS for ids in found.values()) else found
