"""What failed in a run: each measurement with its value and limits, and each phase without a failed measurement."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from runcard.domain.runs.inside import Attempt, Measured, attempts_of
from runcard.domain.runs.run import RunDocument
from runcard.store.runs.records import RunRecord
from runcard.web.frame.formats import count_text
from runcard.web.measurements.limit_bar import LimitBar
from runcard.web.measurements.rows import Check, measurement_anchor, measurement_line, short_value
from runcard.web.runs.outside_limits import outside_text
from runcard.web.runs.phase_timeline import phase_anchor

_SHOWN = 10

PlaceUrl = Callable[[int, str], str]


class RunFailures(NamedTuple):
    """A failed measurement or phase: what to look at first in a run that did not pass.

    retry: 0 for the first attempt of the phase. reason: how far outside its limits the value is, or what else is wrong.
    checks: the failed checks that say more than the reason. The other fields are empty for a phase.
    """

    url: str
    name: str
    retry: int
    reason: str
    value: str = ""
    uom: str = ""
    is_number: bool = False
    limits: str = ""
    bar: LimitBar | None = None
    checks: Sequence[Check] = ()


class FailureList(NamedTuple):
    """The first failures of a run. more: how many others there are; empty if there are none."""

    shown: Sequence[RunFailures]
    more: str


class _Failed(NamedTuple):
    """measured: None for a phase that has no failed measurement."""

    attempt: Attempt
    measured: Measured | None


def failed_in(attempt: Attempt) -> Sequence[Measured]:
    """Return the failed measurements of an attempt, in their order."""
    return [
        Measured(position, one, attempt)
        for position, one in enumerate(attempt.phase.measurements, attempt.measured_before)
        if one.outcome == "FAIL"
    ]


def has_failed(attempt: Attempt) -> bool:
    """Return whether a phase failed or broke off, or one of its measurements failed."""
    return attempt.phase.outcome in ("FAIL", "ERROR") or bool(failed_in(attempt))


def failure_list(record: RunRecord, document: RunDocument, url: PlaceUrl) -> FailureList:
    """Return the first failures, in the order of the document. url: of a place on the page, by phase and anchor."""
    failed = list(_failed(document))
    more = len(failed[_SHOWN:])
    return FailureList(
        [_failure(one, record, url) for one in failed[:_SHOWN]], count_text(more) if more else ""
    )


def _failed(document: RunDocument) -> Iterator[_Failed]:
    for attempt in attempts_of(document):
        measured = failed_in(attempt)
        if not measured and has_failed(attempt):
            yield _Failed(attempt, None)
        for measurement in measured:
            yield _Failed(attempt, measurement)


def _failure(failed: _Failed, record: RunRecord, url: PlaceUrl) -> RunFailures:
    phase, position = failed.attempt.phase, failed.attempt.position
    if failed.measured is None:
        word = "broke off with an error" if phase.outcome == "ERROR" else "failed"
        reason = f"The phase {word}; none of its measurements failed."
        return RunFailures(url(position, phase_anchor(position)), phase.name, phase.retry_count, reason)
    measurement = failed.measured.measurement
    line = measurement_line(failed.measured, record.id, record.procedure.id)
    reason = outside_text(measurement)
    checks = [one for one in line.checks if one.outcome == "FAIL" and not one.is_marginal]
    if reason:
        checks = [one for one in checks if not one.repeats_a_limit]
    elif not checks:
        reason = "within its limits, but the station says that it failed" if line.limits else ""
    return RunFailures(
        url=url(position, measurement_anchor(failed.measured.position)),
        name=line.name if line.name == phase.name else f"{phase.name}: {line.name}",
        retry=phase.retry_count,
        reason=reason or ("" if checks else "The station does not say why."),
        value=short_value(line),
        uom=line.uom,
        is_number=measurement.kind == "numeric",
        limits=line.limits,
        bar=line.bar,
        checks=checks,
    )
