"""What two procedures would be as one: their yield, and the units whose attempts would be counted anew."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of
from runcard.store.lists.run_filter import RunFilter

_MOST_NAMED = 10


class MergedYield(Struct, frozen=True):
    """Over all time, of units of production; of a unit that both tested, the earlier first run counts.

    units: of both together. shared_units: those, samples too, that both tested. shared_runs: their runs, which are
    numbered anew. shared: at most 10 of these units.
    """

    units: int
    first_pass: Ratio
    shared_units: int
    shared_runs: int
    shared: Sequence[UUID]


# A unit that both tested has more than one procedure, and its runs are one row of attempts.
_FIRSTS = """SELECT count(*), count(*) FILTER (outcome = 'PASS') FROM (
    SELECT first(r.outcome ORDER BY r.started_at, r.run) AS outcome FROM runs r WHERE {conditions} GROUP BY r.unit)"""
_SHARED = """SELECT unit, count(*) FROM runs r WHERE {conditions}
    GROUP BY unit HAVING count(DISTINCT procedure) > 1 ORDER BY max(r.started_at) DESC, unit"""


def merged_yield(snapshot: Snapshot, procedure_ids: Sequence[UUID]) -> MergedYield:
    """Raises as `asking` does."""
    asking = snapshot.asking(Selection(RunFilter(procedure_ids=procedure_ids)))
    units, passed = asking.one(_FIRSTS.format(conditions=asking.runs.sql))
    of_both = snapshot.of_procedures(procedure_ids, "r.procedure")
    shared = asking.rows(_SHARED.format(conditions=of_both.sql), of_both.values)
    return MergedYield(
        units=units,
        first_pass=ratio_of(passed, units),
        shared_units=len(shared),
        shared_runs=sum(runs for _, runs in shared),
        shared=[unit for unit, _ in shared[:_MOST_NAMED]],
    )
