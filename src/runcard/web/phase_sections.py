"""The phases of a run as its page shows them: attempts of the same phase together, in pages where there are many."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.inside import Attempt, Measured, attempts_of
from runcard.domain.outcome import PhaseOutcome
from runcard.domain.run import RunDocument
from runcard.store.run_records import RunRecord
from runcard.web.filters import url_of
from runcard.web.formats import Moment, count_text, duration_text, precise_moment_of
from runcard.web.measurements import MeasurementLine, measurement_anchor, measurement_line
from runcard.web.phase_timeline import Timeline, phase_anchor, phase_timeline
from runcard.web.run_view import RunQuery

# A page of phases ends after so many of them, or of measurements, whichever comes first.
_PHASES, _MEASUREMENTS = 100, 250
_MAX_FAILURES = 20

Attempts = Sequence[Attempt]


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

    url: str
    name: str


class PhaseList(NamedTuple):
    """total: how many attempts the run has. failures: the first of them, of all pages; `more_failures` are left out.

    earlier_url, later_url: may be empty.
    """

    total: str
    groups: Sequence[PhaseGroup]
    failures: Sequence[Failure]
    more_failures: int
    timeline: Timeline | None
    earlier_url: str
    later_url: str


class _Places:
    """Where each phase stands: on which page, and at which address."""

    def __init__(self, pages: Sequence[Sequence[Attempts]], here: str, asked: RunQuery) -> None:
        self._page_of: Mapping[int, int] = {
            attempt.position: number
            for number, page in enumerate(pages, start=1)
            for attempts in page
            for attempt in attempts
        }
        self._here, self._asked = here, asked
        self.shown = min(asked.phases, len(pages))

    def url(self, position: int, anchor: str) -> str:
        """Inside the page that is shown, or on another one."""
        page = self._page_of[position]
        return f"#{anchor}" if page == self.shown else f"{self.page_url(page)}#{anchor}"

    def page_url(self, page: int) -> str:
        return url_of(self._here, self._asked, phases=page)


def phase_list(
    record: RunRecord, document: RunDocument, asked: RunQuery, here: str, zone: ZoneInfo
) -> PhaseList:
    """The phases in the order of their first attempts."""
    pages = _pages(_grouped(document))
    places = _Places(pages, here, asked)
    shown = pages[places.shown - 1] if pages else []
    failures = list(_failures(document, places))
    return PhaseList(
        total=count_text(len(document.phases)),
        groups=[
            PhaseGroup(attempts[0].phase.name, [_section(one, record, zone) for one in attempts])
            for attempts in shown
        ],
        failures=failures[:_MAX_FAILURES],
        more_failures=len(failures[_MAX_FAILURES:]),
        timeline=phase_timeline(document.phases, lambda at: places.url(at, phase_anchor(at))),
        earlier_url=f"{places.page_url(places.shown - 1)}#phases" if places.shown > 1 else "",
        later_url=f"{places.page_url(places.shown + 1)}#phases" if places.shown < len(pages) else "",
    )


def _grouped(document: RunDocument) -> Sequence[Attempts]:
    groups: dict[tuple[str | None, str], list[Attempt]] = {}
    for attempt in attempts_of(document):
        groups.setdefault((attempt.phase.sequence_path, attempt.phase.name), []).append(attempt)
    return list(groups.values())


def _pages(groups: Sequence[Attempts]) -> Sequence[Sequence[Attempts]]:
    """Pages of whole groups: at least one each, and no more than a page holds."""
    pages: list[list[Attempts]] = []
    phases = measurements = 0
    for attempts in groups:
        more = sum(len(one.phase.measurements) for one in attempts)
        is_full = phases + len(attempts) > _PHASES or measurements + more > _MEASUREMENTS
        if is_full or not pages:
            pages.append([])
            phases = measurements = 0
        pages[-1].append(attempts)
        phases, measurements = phases + len(attempts), measurements + more
    return pages


def _failures(document: RunDocument, places: _Places) -> Iterator[Failure]:
    """Every measurement that failed, and every phase that failed or broke without one."""
    for position, phase, _, before in attempts_of(document):
        failed = [
            (number, one.name)
            for number, one in enumerate(phase.measurements, before)
            if one.outcome == "FAIL"
        ]
        if not failed and phase.outcome in ("FAIL", "ERROR"):
            yield Failure(places.url(position, phase_anchor(position)), phase.name)
        for number, name in failed:
            shown = name if name == phase.name else f"{phase.name}: {name}"
            yield Failure(places.url(position, measurement_anchor(number)), shown)


def _section(attempt: Attempt, record: RunRecord, zone: ZoneInfo) -> PhaseSection:
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
            measurement_line(Measured(position, measurement, attempt), record.id, record.procedure.id)
            for position, measurement in enumerate(phase.measurements, attempt.measured_before)
        ],
    )
