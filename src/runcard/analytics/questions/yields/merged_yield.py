"""What a merge of two procedures would give: their yield, and the units whose attempts would be renumbered."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of
from runcard.store.lists.run_filter import RunFilter

_MOST_NAMED = 10


class MergedYield(Struct, frozen=True):
    """The yield of production units over all time. For a unit that both procedures tested, its earlier run counts.

    units: of both procedures together. shared_units: those that both tested, samples included. shared_runs: their
    runs, whose attempts are renumbered. shared: ids of at most 10 of these units.
    """

    units: int
    first_pass: Ratio
    shared_units: int
    shared_runs: int
    shared: Sequence[UUID]


# After the merge, the runs of a unit on both procedures are one sequence of attempts. A run before which another was
# deleted is no first run.
_FIRSTS = """SELECT count(*), count(*) FILTER (WHERE outcome = 'PASS') FROM (
    SELECT arg_min(r.outcome, (r.started_at, r.id)) AS outcome, arg_min(r.attempt, (r.started_at, r.id)) AS number
    FROM runs r WHERE {conditions} GROUP BY r.unit) WHERE number = 1"""
_SHARED = """SELECT unit, count(*) FROM runs r WHERE {conditions}
    GROUP BY unit HAVING count(DISTINCT procedure) > 1 ORDER BY max(r.started_at) DESC, unit"""


def merged_yield(snapshot: Snapshot, procedure_ids: Sequence[UUID]) -> MergedYield:
    """What a merge of these procedures would give. Raises as `Snapshot.asking` does."""
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
