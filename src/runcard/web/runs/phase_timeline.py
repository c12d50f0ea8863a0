"""The timeline of a run's phases: a row for each phase, with a bar for each attempt."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from runcard.domain.runs.outcome import PhaseOutcome
from runcard.domain.runs.phase import Phase
from runcard.web.frame.formats import duration_text

_WIDTH = 1000
# The least width of a bar, so that a phase that took no time can be seen.
_LEAST_WIDTH = 3.0
_MARKS = 4


class PhaseBar(NamedTuple):
    """x, width: in a box of the width `Timeline.width`."""

    x: str
    width: str
    outcome: PhaseOutcome
    text: str


class TimelineRow(NamedTuple):
    """url: of the phase's first attempt."""

    name: str
    url: str
    bars: Sequence[PhaseBar]
    took: str


class Timeline(NamedTuple):
    """marks: times at even distances, from the first start to the last end. lines: where the inner marks lie."""

    width: int
    rows: Sequence[TimelineRow]
    marks: Sequence[str]
    lines: Sequence[str]


def phase_anchor(position: int) -> str:
    """The id of a phase inside the page of its run. position: its place in the document."""
    return f"phase-{position + 1}"


def phase_timeline(phases: Sequence[Phase], link_to: Callable[[int], str]) -> Timeline | None:
    """The timeline with its phases in the order of their first attempts; None if there are no phases.

    link_to: makes the address of the phase at a position in the document.
    """
    if not phases:
        return None
    start = min(phase.started_at for phase in phases)
    span = max(phase.ended_at for phase in phases) - start
    by_name: dict[tuple[str | None, str], list[int]] = {}
    for position, phase in enumerate(phases):
        by_name.setdefault((phase.sequence_path, phase.name), []).append(position)
    rows = [
        TimelineRow(
            name,
            link_to(positions[0]),
            [_bar(phases[position], start, span) for position in positions],
            duration_text(sum((_took(phases[position]) for position in positions), timedelta())),
        )
        for (_, name), positions in by_name.items()
    ]
    return Timeline(
        _WIDTH,
        rows,
        [_rough(span * number / _MARKS) for number in range(_MARKS + 1)],
        [f"{_WIDTH * number / _MARKS:g}" for number in range(1, _MARKS)],
    )


def _took(phase: Phase) -> timedelta:
    return phase.ended_at - phase.started_at


def _bar(phase: Phase, start: datetime, span: timedelta) -> PhaseBar:
    begin, took = phase.started_at - start, _took(phase)
    share = took / span if span else 1.0
    width = max(share * _WIDTH, _LEAST_WIDTH)
    x = min((begin / span if span else 0.0) * _WIDTH, _WIDTH - width)
    text = f"{phase.outcome}, after {duration_text(begin)}, for {duration_text(took)}"
    return PhaseBar(f"{x:.1f}", f"{width:.1f}", phase.outcome, text)


def _rough(duration: timedelta) -> str:
    """A duration to about three digits, for an axis."""
    seconds = duration.total_seconds()
    return duration_text(timedelta(seconds=round(seconds, 1 if seconds >= 10 else 3)))
