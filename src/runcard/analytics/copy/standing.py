"""What a run is among the runs of its unit on its procedure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from runcard.domain.runs.outcome import RunOutcome

# Of runs that came to a verdict on their unit.
COMPLETED: Collection[RunOutcome] = ("PASS", "FAIL")


class CopiedAttempt(NamedTuple):
    """A run as far as its standing goes. run, procedure: numbers of the copy."""

    run: int
    procedure: int
    unit: UUID
    started_at: datetime
    outcome: RunOutcome


class Standing(NamedTuple):
    """The columns of the same names; see `schema`."""

    attempt: int
    attempts: int
    passed_at: int | None
    last_outcome: RunOutcome
    completed: int | None
    passed_completed: int | None
    last_completed: RunOutcome | None


def standings(runs: Iterable[CopiedAttempt]) -> Mapping[int, Standing]:
    """Where each run stands, by its number, given all runs of its unit."""
    found: dict[int, Standing] = {}
    together: dict[tuple[int, UUID], list[CopiedAttempt]] = defaultdict(list)
    for one in runs:
        together[one.procedure, one.unit].append(one)
    for some in together.values():
        some.sort(key=lambda one: (one.started_at, one.run))
        passed_at, last = _first_pass(some), some[-1].outcome
        completed = [one for one in some if one.outcome in COMPLETED]
        places = {one.run: place for place, one in enumerate(completed, start=1)}
        of_completed = (_first_pass(completed), completed[-1].outcome if completed else None)
        for attempt, one in enumerate(some, start=1):
            found[one.run] = Standing(attempt, len(some), passed_at, last, places.get(one.run), *of_completed)
    return found


def _first_pass(runs: Sequence[CopiedAttempt]) -> int | None:
    return next((attempt for attempt, one in enumerate(runs, start=1) if one.outcome == "PASS"), None)
