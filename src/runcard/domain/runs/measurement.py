"""Measurements: named values with limits and validators, inside a phase."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from runcard.domain.errors import InvalidInput
from runcard.domain.number import is_kept_integer
from runcard.domain.runs.limit import Interval, Limits, tightest
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import (
    Validator,
    decisive_interval,
    is_bound,
    limit_validators,
    unstated_limits,
)

_MAX_JSON_DEPTH = 100

ValueKind = Literal["numeric", "boolean", "string", "multidimensional", "empty", "json"]
# Any JSON value. Objects and arrays stay as the station sent them.
JsonValue = Any


# None of these can be part of a reference cycle, so the garbage collector need not look at them (gc=False).
class Aggregation(Struct, frozen=True, array_like=True, gc=False):
    """A figure that the station computed from a value or series; `type` is free text (avg, percentile_95)."""

    type: str
    value: float | int | str | bool | None = None
    outcome: MeasurementOutcome | None = None
    uom: str | None = None
    validators: tuple[Validator, ...] = ()


class Series(Struct, frozen=True, array_like=True, gc=False):
    """One axis of a multi-dimensional measurement, in recorded order; values may be NaN or infinite."""

    data: list[float | int]
    uom: str | None = None
    name: str | None = None
    description: str | None = None
    validators: tuple[Validator, ...] = ()
    aggregations: tuple[Aggregation, ...] = ()


class Measurement(Struct, frozen=True, array_like=True, gc=False):
    """A measurement as the station reported it; its outcome is never recomputed.

    value: number, text, boolean, JSON object or array; None where nothing was measured or `series` holds the value.
        A float may be NaN or infinite: statistics leave it out.
    exact: the digits of an integer that does not fit into 64 bits; `value` holds its nearest float.
    series: the axes of a multi-dimensional value, coordinates first.
    """

    name: str
    outcome: MeasurementOutcome
    value: JsonValue = None
    uom: str | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None
    validators: tuple[Validator, ...] = ()
    series: tuple[Series, ...] = ()
    aggregations: tuple[Aggregation, ...] = ()
    docstring: str | None = None
    exact: str | None = None

    @property
    def kind(self) -> ValueKind:
        if self.series:
            return "multidimensional"
        return value_kind(self.value)

    @property
    def limits(self) -> Limits:
        return Limits(self.lower_limit, self.upper_limit)


def value_kind(value: JsonValue) -> ValueKind:
    """The kind of a single value (not of a series)."""
    match value:
        case None:
            return "empty"
        case bool():
            return "boolean"
        case int() | float():
            return "numeric"
        case str():
            return "string"
        case _:
            return "json"


def columns_of(rows: JsonValue) -> list[list[float | int]] | None:
    """The columns of a rectangular table of numbers that comes as a list of rows; None for anything else.

    A table has at least one row and one column; booleans are not numbers.
    """
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], list):
        return None
    width = len(rows[0])
    if width == 0:
        return None
    for row in rows:
        if not isinstance(row, list) or len(row) != width:
            return None
        for cell in row:
            if isinstance(cell, bool) or not isinstance(cell, int | float):
                return None
    return [list(column) for column in zip(*rows, strict=True)]


def series_of(
    columns: list[list[float | int]], uoms: str | Sequence[str | None] | None
) -> tuple[Series, ...]:
    """One series for each column of a table. uoms: a list gives each column its unit, a text gives the last one its."""
    per_column: list[str | None] = [None] * len(columns)
    if isinstance(uoms, str):
        per_column[-1] = uoms or None
    elif uoms:
        per_column[: len(uoms)] = uoms[: len(columns)]
    return tuple(
        Series([storable_number(cell)[0] for cell in column], uom or None)
        for column, uom in zip(columns, per_column, strict=True)
    )


def effective_limits(measurement: Measurement) -> Interval:
    """The interval of the value: on each side the tightest finite bound of its limits and its decisive checks.

    In a series, the checks of the last axis count. `decisive_interval` says which checks are bounds.
    """
    lower, upper = (limit if limit is not None and is_bound(limit) else None for limit in measurement.limits)
    given = Interval(lower, upper)
    of_series = [check for axis in measurement.series[-1:] for check in axis.validators]
    checks = [*measurement.validators, *of_series]
    return tightest([given, decisive_interval(checks)]) if checks else given


def shown_validators(measurement: Measurement) -> tuple[Validator, ...]:
    """The checks of a measurement: first those that its limits stand for, then its own.

    A limit that one of its own decisive checks states too is shown once, as that check.
    """
    limits = unstated_limits(measurement.limits, measurement.validators)
    return limit_validators(limits.lower, limits.upper, measurement.value) + measurement.validators


def storable_number(value: int | float) -> tuple[int | float, str | None]:
    """The number as documents hold it, and the digits of an integer that does not fit into 64 bits, else None.

    Such an integer becomes the nearest float, or an infinity where no float is as large; see `Measurement.exact`.
    """
    if not isinstance(value, int) or is_kept_integer(value):
        return value, None
    try:
        return float(value), str(value)
    except OverflowError:
        return math.copysign(math.inf, value > 0 or -1), str(value)


def storable_json(value: JsonValue) -> JsonValue:
    """The JSON tree as documents hold it.

    Integers that do not fit into 64 bits become floats, and numbers that are not finite become the texts `nan`,
    `inf` and `-inf`. Raises InvalidInput for a tree of more than 100 levels.
    """
    return _storable(value, levels=_MAX_JSON_DEPTH)


def _storable(value: JsonValue, levels: int) -> JsonValue:
    match value:
        case dict() | list() if levels == 0:
            message = f"nested deeper than {_MAX_JSON_DEPTH} levels; report it flatter"
            raise InvalidInput.at("measured_value", message)
        case dict():
            return {key: _storable(item, levels - 1) for key, item in value.items()}
        case list():
            return [_storable(item, levels - 1) for item in value]
        case bool():
            return value
        case int() | float():
            number, _ = storable_number(value)
            return number if math.isfinite(number) else str(number)
        case _:
            return value
