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
    """What the standing of a run depends on. run, procedure: their numbers in the copy. voided_at: None: it counts.

    created_by_station: None: a user reported it.
    """

    run: int
    id: UUID
    procedure: int
    unit: UUID
    started_at: datetime
    outcome: RunOutcome
    voided_at: datetime | None
    created_by_station: UUID | None = None


class GoneAttempt(NamedTuple):
    """A run that was deleted. It counts in no figure, and keeps its number among the attempts."""

    id: UUID
    procedure: int
    unit: UUID
    started_at: datetime
    outcome: RunOutcome


class Standing(NamedTuple):
    """The columns of the same names in `runs`; see `schema`."""

    attempt: int
    attempts: int
    passed_at: int | None
    last_outcome: RunOutcome | None
    completed: int | None
    passed_completed: int | None
    last_completed: RunOutcome | None
    passed_station: UUID | None


def standings(runs: Iterable[CopiedAttempt], gone: Iterable[GoneAttempt] = ()) -> Mapping[int, Standing]:
    """The standing of each run, by its number, given all runs of its unit and those that were deleted."""
    found: dict[int, Standing] = {}
    by_unit: dict[tuple[int, UUID], list[CopiedAttempt | GoneAttempt]] = defaultdict(list)
    for run in runs:
        by_unit[run.procedure, run.unit].append(run)
    for deleted in gone:
        by_unit[deleted.procedure, deleted.unit].append(deleted)
    for attempts in by_unit.values():
        ordered = sorted(attempts, key=lambda attempt: (attempt.started_at, attempt.id))
        everything = _counted(ordered)
        completed = [attempt for attempt in ordered if attempt.outcome in COMPLETED]
        places = {attempt.id: place for place, attempt in enumerate(completed, start=1)}
        of_completed = _counted(completed)
        for number, attempt in enumerate(ordered, start=1):
            if isinstance(attempt, CopiedAttempt):
                found[attempt.run] = Standing(
                    number,
                    everything.last,
                    everything.passed_at,
                    everything.last_outcome,
                    places.get(attempt.id),
                    of_completed.passed_at,
                    of_completed.last_outcome,
                    everything.passed_station,
                )
    return found


class _Counted(NamedTuple):
    """Of the attempts that count: the number of the last, that of the first that passed, how the last ended, and the
    station that reported the first that passed.

    last: 0: none counts.
    """

    last: int
    passed_at: int | None
    last_outcome: RunOutcome | None
    passed_station: UUID | None


def _counted(ordered: Sequence[CopiedAttempt | GoneAttempt]) -> _Counted:
    counted = [
        (number, attempt)
        for number, attempt in enumerate(ordered, start=1)
        if isinstance(attempt, CopiedAttempt) and attempt.voided_at is None
    ]
    if not counted:
        return _Counted(0, None, None, None)
    last, newest = counted[-1]
    for number, attempt in counted:
        if attempt.outcome == "PASS":
            return _Counted(last, number, newest.outcome, attempt.created_by_station)
    return _Counted(last, None, newest.outcome, None)
