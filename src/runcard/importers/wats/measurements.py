"""The measurements of steps in WATS reports, with their limits.

Inclusive bounds become limits; every other comparison becomes a check. A single check has the outcome of its
measurement; several checks are each judged by the value. LOG compares nothing. A limit that is NaN or infinite is left
out.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of, judge
from runcard.importers.wats.report import (
    BooleanMeasurement,
    ChartSeries,
    NumericMeasurement,
    ReportedChart,
    Step,
    StringMeasurement,
)
from runcard.importers.wats.values import Status, finite_number_of, number_of, status_of, text_of

_OUTCOMES: dict[Status | None, MeasurementOutcome] = {"Passed": "PASS", "Failed": "FAIL"}

_ONE_LIMIT = {"EQ": "==", "NE": "!=", "GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
# Both must hold. The first symbol belongs to the low limit, the second to the high one.
_INSIDE = {"GTLT": (">", "<"), "GELE": (">=", "<="), "GELT": (">=", "<"), "GTLE": (">", "<=")}
# One of them must hold. Runcard has no operator for that, so the check has WATS's own name.
_OUTSIDE = {"LTGT": ("<", ">"), "LEGE": ("<=", ">="), "LEGT": ("<=", ">"), "LTGE": ("<", ">=")}
_LOG = "LOG"


def measurements_of(step: Step, field: str) -> Iterator[Measurement]:
    """The measurements of a step: numbers, booleans, texts, and the series of its chart, each in recorded order.

    A measurement without a name has the name of its step. Raises UnreadableReport.
    """
    name = text_of(step.name) or ""
    for at, number in enumerate(step.numeric_meas or ()):
        yield _numeric(number, name, f"{field}.numericMeas[{at}]")
    for at, boolean in enumerate(step.boolean_meas or ()):
        yield _boolean(boolean, name, f"{field}.booleanMeas[{at}]")
    for at, text in enumerate(step.string_meas or ()):
        yield _string(text, name, f"{field}.stringMeas[{at}]")
    if step.chart is not None:
        for at, series in enumerate(step.chart.series or ()):
            yield _chart_series(step.chart, series, name, f"{field}.chart.series[{at}]")


class _Bound(NamedTuple):
    symbol: str
    number: float


def _numeric(reported: NumericMeasurement, step_name: str, field: str) -> Measurement:
    outcome = _outcome(reported.status, field)
    value = number_of(reported.value, f"{field}.value")
    low = finite_number_of(reported.low_limit, f"{field}.lowLimit")
    high = finite_number_of(reported.high_limit, f"{field}.highLimit")
    operator = _operator(reported.comp_op)
    bounds = _bounds(operator, low, high)
    limits = {bound.symbol: bound.number for bound in bounds}
    checks = [
        Validator(expression_of(*bound), *bound) for bound in bounds if bound.symbol not in (">=", "<=")
    ]
    return Measurement(
        name=text_of(reported.name) or step_name,
        outcome=outcome,
        value=value,
        uom=text_of(reported.unit),
        lower_limit=limits.get(">="),
        upper_limit=limits.get("<="),
        validators=_judged(checks, value, outcome, alone=len(bounds) == 1)
        + _other_check(operator, low, high, outcome),
    )


def _bounds(operator: str, low: float | None, high: float | None) -> list[_Bound]:
    """The bounds that must all hold. A comparison with one limit uses `low`, or else `high`."""
    if operator in _ONE_LIMIT:
        pairs = [(_ONE_LIMIT[operator], high if low is None else low)]
    else:
        pairs = list(zip(_INSIDE.get(operator, ()), (low, high), strict=False))
    return [_Bound(symbol, limit) for symbol, limit in pairs if limit is not None]


def _other_check(
    operator: str, low: float | None, high: float | None, outcome: MeasurementOutcome
) -> tuple[Validator, ...]:
    """The check of a WATS operator that Runcard does not have; none for any other operator."""
    if operator in (_LOG, *_ONE_LIMIT, *_INSIDE):
        return ()
    limits = [limit for limit in (low, high) if limit is not None]
    symbols = _OUTSIDE.get(operator)
    if symbols is None or low is None or high is None:
        expected: list[float | int | str] | None = [*limits] or None
        return (Validator(expression_of(operator, expected), operator, expected, outcome),)
    sides = zip(symbols, (low, high), strict=True)
    text = " or ".join(expression_of(symbol, limit) for symbol, limit in sides)
    return (Validator(text, operator, [low, high], outcome, has_custom_expression=True),)


def _judged(
    checks: Sequence[Validator], value: object, outcome: MeasurementOutcome, *, alone: bool
) -> tuple[Validator, ...]:
    return tuple(
        Validator(check.expression, check.operator, check.expected, outcome if alone else judge(check, value))
        for check in checks
    )


def _boolean(reported: BooleanMeasurement, step_name: str, field: str) -> Measurement:
    outcome = _outcome(reported.status, field)
    value = None if outcome == "UNSET" else outcome == "PASS"
    return Measurement(text_of(reported.name) or step_name, outcome, value)


def _string(reported: StringMeasurement, step_name: str, field: str) -> Measurement:
    outcome = _outcome(reported.status, field)
    name = text_of(reported.name) or step_name
    operator = _operator(reported.comp_op)
    if reported.limit is None or operator == _LOG:
        return Measurement(name, outcome, reported.value)
    symbol = "==" if operator == "CASESENSIT" else _ONE_LIMIT.get(operator, operator)
    check = Validator(expression_of(symbol, reported.limit), symbol, reported.limit, outcome)
    return Measurement(name, outcome, reported.value, validators=(check,))


def _chart_series(chart: ReportedChart, series: ChartSeries, step_name: str, field: str) -> Measurement:
    """The measurement of a line in a chart: its x and y. Without x, the positions of y from 0 are used."""
    y = _points(series.ydata, f"{field}.ydata")
    x = _points(series.xdata, f"{field}.xdata") or [float(position) for position in range(len(y))]
    if len(x) != len(y):
        raise UnreadableReport(f"{field} has {len(x)} x and {len(y)} y. Give as many of one as of the other.")
    names = [name for name in (text_of(chart.label), text_of(series.name)) if name is not None]
    axes = (
        Series([*x], text_of(chart.x_unit), text_of(chart.x_label)),
        Series([*y], text_of(chart.y_unit), text_of(chart.y_label)),
    )
    return Measurement(": ".join(names) or step_name, "UNSET", series=axes)


def _points(text: str | None, field: str) -> list[float]:
    """The numbers of a text that semicolons separate; NaN where nothing is between two semicolons."""
    if text is None or not text.strip():
        return []
    numbers = (number_of(point, field) for point in text.split(";"))
    return [float("nan") if number is None else number for number in numbers]


def _outcome(status: str | None, field: str) -> MeasurementOutcome:
    return _OUTCOMES.get(status_of(status, f"{field}.status"), "UNSET")


def _operator(text: str | None) -> str:
    return (text_of(text) or _LOG).upper()
