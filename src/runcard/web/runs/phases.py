"""The phases on the page of a run: the attempts of a phase stand together, and many phases are split into pages."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.inside import Attempt, Measured, attempts_of
from runcard.domain.runs.outcome import PhaseOutcome
from runcard.domain.runs.run import RunDocument
from runcard.store.runs.records import RunRecord
from runcard.web.frame.formats import Moment, count_text, counted_text, duration_text, precise_moment_of
from runcard.web.frame.urls import notes_url
from runcard.web.lists.filters import url_of
from runcard.web.measurements.rows import MeasurementLine, measurement_line
from runcard.web.runs.failures import FailureList, failed_in, failure_list, has_failed
from runcard.web.runs.phase_timeline import Timeline, phase_anchor, phase_timeline
from runcard.web.runs.view import RunQuery

# A page of phases ends after this many phases or measurements, whichever comes first.
_PHASES, _MEASUREMENTS = 100, 250


class PhaseSection(NamedTuple):
    """anchor: its id inside the page. retry: 0 for the first attempt. is_open: it is unfolded.

    notes_url: of its comments, tags and cause.
    """

    anchor: str
    name: str
    sequence: str
    outcome: PhaseOutcome
    started_at: Moment
    duration: str
    retry: int
    is_open: bool
    docstring: str | None
    measurements: Sequence[MeasurementLine]
    notes_url: str


class PhaseGroup(NamedTuple):
    """The attempts of one phase, in their order."""

    name: str
    attempts: Sequence[PhaseSection]


class ShownChoice(NamedTuple):
    """The choice between everything and only what failed. hidden: what the second leaves out, such as `3 phases`."""

    only_failed: bool
    all_url: str
    failed_url: str
    hidden: str


class PhaseList(NamedTuple):
    """total: how many attempts the run has. failures: of all pages. choice: None if nothing failed.

    earlier_url, later_url: may be empty.
    """

    total: str
    groups: Sequence[PhaseGroup]
    failures: FailureList
    choice: ShownChoice | None
    timeline: Timeline | None
    earlier_url: str
    later_url: str


class _Shown(NamedTuple):
    """An attempt, and the measurements of it that are shown."""

    attempt: Attempt
    measured: Sequence[Measured]


_Attempts = Sequence[_Shown]
_Pages = Sequence[Sequence[_Attempts]]


class _Places:
    """The page and the address of each phase."""

    def __init__(self, shown: _Pages, every: _Pages, here: str, query: RunQuery) -> None:
        self._shown_on, self._all_on = _page_numbers(shown), _page_numbers(every)
        self._here, self._query = here, query
        self.page = min(query.phases, len(shown))

    def url(self, position: int, anchor: str) -> str:
        """The address of a place on the shown page or on another one. A hidden phase is found among all phases."""
        if position not in self._shown_on:
            return f"{url_of(self._here, self._query, show=None, phases=self._all_on[position])}#{anchor}"
        page = self._shown_on[position]
        return f"#{anchor}" if page == self.page else f"{self.page_url(page)}#{anchor}"

    def page_url(self, page: int) -> str:
        return url_of(self._here, self._query, phases=page)


def phase_list(
    record: RunRecord, document: RunDocument, query: RunQuery, here: str, zone: ZoneInfo
) -> PhaseList:
    """The page of phases that the query names, in the order of their first attempts."""
    only_failed = query.show == "failed"
    failed, every = _failed(document), _every(document)
    all_pages = _pages(_grouped(every))
    pages = _pages(_grouped(failed)) if only_failed else all_pages
    places = _Places(pages, all_pages, here, query)
    shown = pages[places.page - 1] if pages else []
    return PhaseList(
        total=count_text(len(document.phases)),
        groups=[
            PhaseGroup(
                group[0].attempt.phase.name,
                [_section(one, record, zone, is_open=only_failed or one.attempt.is_final) for one in group],
            )
            for group in shown
        ],
        failures=failure_list(record, document, places.url),
        choice=_choice(every, failed, here, query) if failed or only_failed else None,
        timeline=phase_timeline(document.phases, lambda at: places.url(at, phase_anchor(at))),
        earlier_url=f"{places.page_url(places.page - 1)}#phases" if places.page > 1 else "",
        later_url=f"{places.page_url(places.page + 1)}#phases" if places.page < len(pages) else "",
    )


def measured_shown(document: RunDocument, query: RunQuery) -> Sequence[Measured]:
    """The measurements of all phases that the query shows, in the order of the pages."""
    shown = _failed(document) if query.show == "failed" else _every(document)
    return [one for group in _grouped(shown) for attempt in group for one in attempt.measured]


def _failed(document: RunDocument) -> _Attempts:
    return [_Shown(one, failed_in(one)) for one in attempts_of(document) if has_failed(one)]


def _every(document: RunDocument) -> _Attempts:
    return [_Shown(one, _measured(one)) for one in attempts_of(document)]


def _measured(attempt: Attempt) -> Sequence[Measured]:
    return [
        Measured(position, one, attempt)
        for position, one in enumerate(attempt.phase.measurements, attempt.measured_before)
    ]


def _choice(every: _Attempts, failed: _Attempts, here: str, query: RunQuery) -> ShownChoice:
    phases = len(every) - len(failed)
    measurements = sum(len(one.measured) for one in every) - sum(len(one.measured) for one in failed)
    counts = [(phases, "phase"), (measurements, "measurement")]
    texts = [counted_text(count, noun) for count, noun in counts if count]
    return ShownChoice(
        only_failed=query.show == "failed",
        all_url=f"{url_of(here, query, show=None, phases=None)}#phases",
        failed_url=f"{url_of(here, query, show='failed', phases=None)}#phases",
        hidden=" and ".join(texts),
    )


def _grouped(attempts: _Attempts) -> Sequence[_Attempts]:
    groups: dict[tuple[str | None, str], list[_Shown]] = {}
    for shown in attempts:
        phase = shown.attempt.phase
        groups.setdefault((phase.sequence_path, phase.name), []).append(shown)
    return list(groups.values())


def _pages(groups: Sequence[_Attempts]) -> _Pages:
    """Pages of whole groups. A page has at least one group, and no more groups than it can hold."""
    pages: list[list[_Attempts]] = []
    phases = measurements = 0
    for attempts in groups:
        more = sum(len(one.measured) for one in attempts)
        is_full = phases + len(attempts) > _PHASES or measurements + more > _MEASUREMENTS
        if is_full or not pages:
            pages.append([])
            phases = measurements = 0
        pages[-1].append(attempts)
        phases, measurements = phases + len(attempts), measurements + more
    return pages


def _page_numbers(pages: _Pages) -> Mapping[int, int]:
    """The page of each phase, counted from 1, by the phase's position."""
    return {
        one.attempt.position: number
        for number, page in enumerate(pages, start=1)
        for attempts in page
        for one in attempts
    }


def _section(shown: _Shown, record: RunRecord, zone: ZoneInfo, *, is_open: bool) -> PhaseSection:
    phase = shown.attempt.phase
    return PhaseSection(
        anchor=phase_anchor(shown.attempt.position),
        name=phase.name,
        sequence=phase.sequence_path or "",
        outcome=phase.outcome,
        started_at=precise_moment_of(phase.started_at, zone),
        duration=duration_text(phase.ended_at - phase.started_at),
        retry=phase.retry_count,
        is_open=is_open,
        docstring=phase.docstring,
        measurements=[measurement_line(one, record.id, record.procedure.id) for one in shown.measured],
        notes_url=notes_url(part_id(record.id, RunPart.PHASE, shown.attempt.position)),
    )
