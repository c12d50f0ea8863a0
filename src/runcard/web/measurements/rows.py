"""Measurements as lines of a page."""

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.inside import Measured
from runcard.domain.runs.limit import Interval
from runcard.domain.runs.measurement import (
    Aggregation,
    Measurement,
    effective_limits,
    shown_validators,
    value_kind,
)
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator
from runcard.web.frame.formats import number_text
from runcard.web.frame.urls import notes_url
from runcard.web.measurements.limit_bar import LimitBar, limit_bar
from runcard.web.measurements.series_line import SeriesPlot, series_plot

# Longer texts and JSON get a block of their own.
_SHORT = 60


class Check(NamedTuple):
    """is_marginal: it can fail without failing the measurement. repeats_a_limit: it only repeats a limit."""

    text: str
    outcome: MeasurementOutcome
    is_marginal: bool
    repeats_a_limit: bool = False


class AggregationLine(NamedTuple):
    name: str
    value: str
    outcome: MeasurementOutcome | None


class MeasurementLine(NamedTuple):
    """value: a short value, to stand beside the name. block: a longer one, with its line breaks. One of both is empty.

    anchor: its id inside the page. url: of its analysis. large_url: of its plot alone; empty if it has no plot.
    notes_url: of its comments, tags and cause.
    """

    anchor: str
    url: str
    large_url: str
    name: str
    docstring: str | None
    outcome: MeasurementOutcome
    value: str
    block: str
    uom: str
    limits: str
    checks: Sequence[Check]
    aggregations: Sequence[AggregationLine]
    plot: SeriesPlot | None
    bar: LimitBar | None
    notes_url: str


def measurement_anchor(position: int) -> str:
    """The id of a measurement inside the page of its run. position: its place among all measurements of the run."""
    return f"measurement-{position}"


def series_url(run_id: UUID, position: int) -> str:
    """The address of a multi-dimensional measurement. position: its place among all measurements of the run."""
    return f"/runs/{run_id}/series/{position}"


def analysis_url(procedure_id: UUID, phase: str, name: str) -> str:
    """The address of the page of a measurement over all runs of a procedure."""
    return f"/procedures/{procedure_id}/measurements?{urlencode({'phase': phase, 'name': name})}"


def measurement_line(measured: Measured, run_id: UUID, procedure_id: UUID) -> MeasurementLine:
    """The line of a measurement, with all that its station reported about it."""
    measurement = measured.measurement
    text = value_text(measurement)
    is_short = len(text) <= _SHORT and "\n" not in text
    limits = effective_limits(measurement)
    series = measurement.series
    aggregations = [*measurement.aggregations, *(one for axis in series for one in axis.aggregations)]
    number = measured.number
    return MeasurementLine(
        anchor=measurement_anchor(measured.position),
        url=analysis_url(procedure_id, measured.attempt.phase.name, measurement.name),
        large_url=series_url(run_id, measured.position) if series else "",
        name=measurement.name,
        docstring=measurement.docstring,
        outcome=measurement.outcome,
        value=text if is_short else "",
        block="" if is_short else text,
        uom=uom_text(measurement),
        limits=limits_text(limits),
        checks=checks_of(measurement),
        aggregations=[_aggregation_line(one) for one in aggregations],
        plot=series_plot(measurement.name, series, limits) if series else None,
        bar=None if number is None else limit_bar(float(number), limits),
        notes_url=notes_url(part_id(run_id, RunPart.MEASUREMENT, measured.position)),
    )


def short_value(line: MeasurementLine) -> str:
    """Return the value in one line; a long one is cut."""
    first, *_ = line.block.split("\n")
    return line.value or f"{first[:_SHORT]}…"


def uom_text(measurement: Measurement) -> str:
    """Return the unit of measure, for a series the one of its last axis; empty if there is none."""
    series = measurement.series
    return measurement.uom or (series[-1].uom if series else None) or ""


def value_text(measurement: Measurement) -> str:
    """Return the whole value as a page writes it, with its line breaks; for a series, how many values it has."""
    if measurement.exact:
        return measurement.exact
    if measurement.kind == "multidimensional":
        rows = max(len(one.data) for one in measurement.series)
        return f"{rows} × {len(measurement.series)} values"
    return _plain_text(measurement.value)


def _plain_text(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number_text(value)
        case str():
            return value
        case _:
            compact = json.dumps(value, ensure_ascii=False)
            return compact if len(compact) <= _SHORT else json.dumps(value, ensure_ascii=False, indent=2)


def limits_text(limits: Interval) -> str:
    """The limits of a value: ≥ 3, < 5, 3 … 5, > 3 and ≤ 5; empty without limits."""
    lower, upper, lower_is_strict, upper_is_strict = limits
    if lower is not None and upper is not None and not lower_is_strict and not upper_is_strict:
        return f"{number_text(lower)} … {number_text(upper)}"
    texts = [
        f"{symbol} {number_text(bound)}"
        for bound, symbol in (
            (lower, ">" if lower_is_strict else "≥"),
            (upper, "<" if upper_is_strict else "≤"),
        )
        if bound is not None
    ]
    return " and ".join(texts)


def checks_of(measurement: Measurement) -> list[Check]:
    """The checks beyond the limits. A check that only repeats a limit is there only if it failed."""
    own = [*shown_validators(measurement), *(one for axis in measurement.series for one in axis.validators)]
    return _merged(one for one in own if one.outcome == "FAIL" or not _repeats_a_limit(one))


def _repeats_a_limit(validator: Validator) -> bool:
    is_bare = not validator.has_custom_expression and validator.is_decisive
    return (
        is_bare
        and validator.operator in (">=", "<=", ">", "<")
        and value_kind(validator.expected) == "numeric"
    )


def _merged(validators: Iterable[Validator]) -> list[Check]:
    """One check for each text. A text such as `3.1 <= x <= 3.5` stands for two checks, and fails if one of them did."""
    by_text: dict[tuple[str, bool, bool], set[MeasurementOutcome]] = {}
    for validator in validators:
        key = (_check_text(validator), not validator.is_decisive, _repeats_a_limit(validator))
        by_text.setdefault(key, set()).add(validator.outcome)
    worst: tuple[MeasurementOutcome, ...] = ("FAIL", "UNSET", "PASS")
    return [
        Check(text, next(outcome for outcome in worst if outcome in outcomes), is_marginal, repeats)
        for (text, is_marginal, repeats), outcomes in by_text.items()
    ]


def _check_text(validator: Validator) -> str:
    """Return what a check requires, without the quotes that OpenHTF puts around a pattern."""
    text = validator.expression.removeprefix("'x' ")
    match validator.operator, validator.expected:
        case "matches", str(pattern) if text == f"matches /{pattern}/":
            return f"must match the pattern {pattern}"
        case "==", str(literal) if text.startswith("matches /^"):
            return f"must be “{literal}”"
        case _:
            return text


def _aggregation_line(aggregation: Aggregation) -> AggregationLine:
    value = _plain_text(aggregation.value)
    uom = f" {aggregation.uom}" if aggregation.uom else ""
    return AggregationLine(aggregation.type, value + uom, aggregation.outcome)
