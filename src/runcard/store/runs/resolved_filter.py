"""What a filter of runs names, as ids: for whoever keeps runs by ids only, because names change."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.run_filter import RunFilter, named_ids, run_conditions

# More of one kind, and asking the truth is faster.
MAX_IDS = 10_000


def resolve(scope: Scope, run_filter: RunFilter) -> Mapping[str, Sequence[UUID]] | None:
    """By the name of a column of runs, the ids that a run must have one of there; None where these are too many.

    It stands for the filter's names, search and metadata.
    """
    queries: dict[str, Select[Any]] = dict(named_ids(scope.organization_id, run_filter))
    if run_filter.search_query is not None or run_filter.metadata:
        said = with_merges(
            scope,
            RunFilter(
                search_query=run_filter.search_query,
                metadata=run_filter.metadata,
                procedure_ids=run_filter.procedure_ids,
            ),
        )
        queries["id"] = select(t.runs.c.id).where(*run_conditions(scope.organization_id, said))
    found = {
        column: scope.connection.execute(query.limit(MAX_IDS + 1)).scalars().all()
        for column, query in queries.items()
    }
    return None if any(len(ids) > MAX_IDS for ids in found.values()) else found
