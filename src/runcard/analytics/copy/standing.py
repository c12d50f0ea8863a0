"""The standing of a run: what it is among the runs of its unit on its procedure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from runcard.domain.runs.outcome import RunOutcome

# The outcomes of runs that reached a verdict on their unit.
COMPLETED: Collection[RunOutcome] = ("PASS", "FAIL")


class CopiedAttempt(NamedTuple):
    """What the standing of a run depends on. run, procedure: their numbers in the copy."""

    run: int
    procedure: int
    unit: UUID
    started_at: datetime
    outcome: RunOutcome


class Standing(NamedTuple):
    """The columns of the same names in `runs`; see `schema`."""

    attempt: int
    attempts: int
    passed_at: int | None
    last_outcome: RunOutcome
    completed: int | None
    passed_completed: int | None
    last_completed: RunOutcome | None


def standings(runs: Iterable[CopiedAttempt]) -> Mapping[int, Standing]:
    """The standing of each run, by its number, given all runs of its unit."""
    found: dict[int, Standing] = {}
    by_unit: dict[tuple[int, UUID], list[CopiedAttempt]] = defaultdict(list)
    for run in runs:
        by_unit[run.procedure, run.unit].append(run)
    for runs_of_unit in by_unit.values():
        ordered = sorted(runs_of_unit, key=lambda run: (run.started_at, run.run))
        passed_at, last, count = _first_pass(ordered), ordered[-1].outcome, len(ordered)
        completed = [run for run in ordered if run.outcome in COMPLETED]
        places = {run.run: place for place, run in enumerate(completed, start=1)}
        of_completed = (_first_pass(completed), completed[-1].outcome if completed else None)
        for attempt, run in enumerate(ordered, start=1):
            found[run.run] = Standing(attempt, count, passed_at, last, places.get(run.run), *of_completed)
    return found


def _first_pass(runs: Sequence[CopiedAttempt]) -> int | None:
    return next((attempt for attempt, run in enumerate(runs, start=1) if run.outcome == "PASS"), None)
