"""Whole lists of runs: all that a filter finds, and how many were recorded since somebody looked."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select

from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.run_filter import RunFilter, run_conditions
from runcard.store.runs.records import RunSort, run_ids_in_order

_ID_BYTES = 16
_FETCHED = 5000


class PackedIds:
    """Ids of 16 bytes each, so that the ids of a million runs take 16 MB."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes) // _ID_BYTES

    def add(self, entity_id: UUID) -> None:
        self._bytes += entity_id.bytes

    def in_chunks(self, size: int) -> Iterator[list[UUID]]:
        """The ids in order, at most `size` at a time."""
        step = size * _ID_BYTES
        for start in range(0, len(self._bytes), step):
            part = bytes(self._bytes[start : start + step])
            yield [UUID(bytes=part[at : at + _ID_BYTES]) for at in range(0, len(part), _ID_BYTES)]


def find_run_ids(scope: Scope, run_filter: RunFilter, order: RunSort, *, descending: bool) -> PackedIds:
    """The ids of all runs that a filter finds, in the order of RUN_ORDERS with this name."""
    run_filter = with_merges(scope, run_filter)
    query = run_ids_in_order(scope.organization_id, run_filter, order, descending=descending)
    found = PackedIds()
    for run_id in scope.connection.execute(query.execution_options(yield_per=_FETCHED)).scalars():
        found.add(run_id)
    return found


def count_runs(scope: Scope, run_filter: RunFilter, at_most: int) -> int:
    """Return how many runs a filter finds. Counting stops at `at_most`."""
    run_filter = with_merges(scope, run_filter)
    # In the order of the list, so that the database finds them by the same index as a page of it.
    found = run_ids_in_order(scope.organization_id, run_filter, "started_at", descending=True).limit(at_most)
    return scope.connection.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def count_new_runs(scope: Scope, run_filter: RunFilter, after_seq: int, at_most: int) -> int:
    """How many runs that a filter finds were recorded after the change `after_seq`. Counting stops at `at_most`."""
    c, r, run_filter = t.changes.c, t.runs.c, with_merges(scope, run_filter)
    new = (
        select(r.id)
        .join_from(t.changes, t.runs, r.id == c.entity_id)
        .where(
            c.seq > after_seq, c.kind == "run_recorded", *run_conditions(scope.organization_id, run_filter)
        )
        .limit(at_most)
    )
    return scope.connection.execute(select(func.count()).select_from(new.subquery())).scalar_one()
