"""The phases of runs: the filter and the orders of their list."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from runcard.domain.errors import PhaseNotFound
from runcard.domain.ids import RunPart
from runcard.domain.runs.inside import Attempt, attempts_of
from runcard.domain.runs.outcome import PhaseOutcome
from runcard.store.contents.inside_runs import (
    Found,
    Kind,
    ScannedRun,
    is_among,
    is_within,
)

PhaseSort = Literal["started_at", "duration", "outcome", "serial_number", "phase_name"]

FoundPhase = Found[Attempt]


class PhaseFilter(Struct, frozen=True, kw_only=True):
    """Conditions that a phase must all meet. None: no condition. Bounds are inclusive.

    ids: of phases, or of runs, which stand for all their phases. only_final: leaves out attempts that were repeated.
    """

    ids: Collection[UUID] | None = None
    names: Collection[str] | None = None
    sequence_paths: Collection[str] | None = None
    outcomes: Collection[PhaseOutcome] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    duration_min: timedelta | None = None
    duration_max: timedelta | None = None
    only_final: bool = False

    def keeps(self, attempt: Attempt) -> bool:
        phase = attempt.phase
        return (
            (attempt.is_final or not self.only_final)
            and is_among(self.names, phase.name)
            and is_among(self.sequence_paths, phase.sequence_path)
            and is_among(self.outcomes, phase.outcome)
            and is_within(self.started_after, self.started_before, phase.started_at)
            and is_within(self.duration_min, self.duration_max, phase.ended_at - phase.started_at)
        )


PHASE_ORDERS: Mapping[PhaseSort, Callable[[ScannedRun, Attempt], Any]] = {
    "started_at": lambda _run, attempt: attempt.phase.started_at,
    "duration": lambda _run, attempt: attempt.phase.ended_at - attempt.phase.started_at,
    "outcome": lambda _run, attempt: attempt.phase.outcome,
    "serial_number": lambda run, _attempt: run.serial_key,
    "phase_name": lambda _run, attempt: attempt.phase.name,
}

PHASES = Kind(RunPart.PHASE, attempts_of, PHASE_ORDERS, PhaseNotFound)
