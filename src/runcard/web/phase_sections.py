"""The phases of a run as its page shows them: attempts of the same phase together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.domain.inside import Attempt, Measured, attempts_of
from runcard.domain.outcome import PhaseOutcome
from runcard.domain.run import RunDocument
from runcard.web.formats import Moment, duration_text, precise_moment_of
from runcard.web.measurements import MeasurementLine, measurement_line
from runcard.web.phase_timeline import phase_anchor


class PhaseSection(NamedTuple):
    """anchor: its id inside the page. retry: 0 for the first attempt. is_final: no attempt follows it."""

    anchor: str
    name: str
    sequence: str
    outcome: PhaseOutcome
    started_at: Moment
    duration: str
    retry: int
    is_final: bool
    docstring: str | None
    measurements: Sequence[MeasurementLine]


class PhaseGroup(NamedTuple):
    """The attempts of one phase, in their order."""

    name: str
    attempts: Sequence[PhaseSection]


class Failure(NamedTuple):
    """What to look at first in a run that did not pass: a measurement, or a phase that has none to blame."""

    anchor: str
    name: str


def phase_groups(
    document: RunDocument, run_id: UUID, procedure_id: UUID, zone: ZoneInfo
) -> Sequence[PhaseGroup]:
    """The phases in the order of their first attempts."""
    groups: dict[tuple[str | None, str], list[PhaseSection]] = {}
    for attempt in attempts_of(document):
        section = _section(attempt, run_id, procedure_id, zone)
        groups.setdefault((attempt.phase.sequence_path, attempt.phase.name), []).append(section)
    return [PhaseGroup(name, sections) for (_, name), sections in groups.items()]


def failures_of(groups: Sequence[PhaseGroup]) -> Iterator[Failure]:
    """Every measurement that failed, and every phase that failed or broke without one."""
    for phase in (section for group in groups for section in group.attempts):
        failed = [one for one in phase.measurements if one.outcome == "FAIL"]
        if not failed and phase.outcome in ("FAIL", "ERROR"):
            yield Failure(phase.anchor, phase.name)
        for one in failed:
            yield Failure(one.anchor, one.name if one.name == phase.name else f"{phase.name}: {one.name}")


def _section(attempt: Attempt, run_id: UUID, procedure_id: UUID, zone: ZoneInfo) -> PhaseSection:
    phase = attempt.phase
    return PhaseSection(
        anchor=phase_anchor(attempt.position),
        name=phase.name,
        sequence=phase.sequence_path or "",
        outcome=phase.outcome,
        started_at=precise_moment_of(phase.started_at, zone),
        duration=duration_text(phase.ended_at - phase.started_at),
        retry=phase.retry_count,
        is_final=attempt.is_final,
        docstring=phase.docstring,
        measurements=[
            measurement_line(Measured(position, measurement, attempt), run_id, procedure_id)
            for position, measurement in enumerate(phase.measurements, attempt.measured_before)
        ],
    )
