"""How often each procedure is run, and when it was last run."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.attempts import CONDITIONS, first_of
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of


class ProcedureActivity(NamedTuple):
    """The activity of a procedure that has at least one selected run.

    first_pass: of the units whose first run is in the selection, those that passed it, whichever attempts count.
    """

    runs: int
    last_started_at: datetime
    first_pass: Ratio


def procedure_activity(
    snapshot: Snapshot,
    selection: Selection,
    procedure_ids: Sequence[UUID] | None = None,
) -> Mapping[UUID, ProcedureActivity]:
    """The activity of each procedure, most runs first. procedure_ids: None: all. Raises as `Snapshot.asking` does."""
    if procedure_ids is not None:
        selection = selection._replace(runs=replace(selection.runs, procedure_ids=procedure_ids))
    asking = snapshot.asking(selection._replace(attempts="all"))
    counted, first = CONDITIONS[selection.attempts or "all"], first_of(selection.attempts)
    is_first, passed = CONDITIONS[first], "passed_completed" if first == "first_completed" else "passed_at"
    rows = asking.rows(
        "SELECT p.id, runs, last, units, passed FROM ("
        f"SELECT r.procedure AS procedure, count(*) FILTER (WHERE {counted}) AS runs, "
        f"max(r.started_at) FILTER (WHERE {counted}) AS last, count(*) FILTER (WHERE {is_first}) AS units, "
        f"count(*) FILTER (WHERE {is_first} AND r.{passed} = 1) AS passed "
        f"FROM runs r WHERE {asking.runs.sql} GROUP BY r.procedure HAVING runs > 0) "
        "JOIN procedures p USING (procedure) ORDER BY runs DESC, p.id"
    )
    return {
        procedure: ProcedureActivity(runs, last.replace(tzinfo=UTC), ratio_of(passed, units))
        for procedure, runs, last, units, passed in rows
    }
