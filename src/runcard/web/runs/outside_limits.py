"""How far a value lies outside its limits, in words."""

import math
from decimal import Decimal

from runcard.domain.runs.limit import Interval
from runcard.domain.runs.measurement import Measurement, effective_limits
from runcard.web.frame.formats import count_text, figure_text

_AT_LOWER, _AT_UPPER = "at the lower limit, which is outside", "at the upper limit, which is outside"


def outside_text(measurement: Measurement) -> str:
    """Return how far the value lies outside its limits, such as `0.2 V above the upper limit`.

    Also says if there is no value, or if it is not a number. Empty if the value lies within its limits or has none.
    """
    limits = effective_limits(measurement)
    match measurement.kind:
        case "empty":
            return "no value"
        case "numeric":
            return _number_text(measurement.value, limits, measurement.uom or "")
        case "multidimensional":
            return _series_text(measurement.series[-1].data, limits)
    return ""


def _number_text(value: float, limits: Interval, uom: str) -> str:
    if math.isnan(value):
        return "not a number"
    lower, upper = limits.lower, limits.upper
    if lower is not None and limits.is_below(value):
        return _AT_LOWER if value == lower else f"{_gap_text(lower, value, uom)}below the lower limit"
    if upper is not None and limits.is_above(value):
        return _AT_UPPER if value == upper else f"{_gap_text(value, upper, uom)}above the upper limit"
    return ""


def _gap_text(high: float, low: float, uom: str) -> str:
    """The difference with a blank behind it; empty if it is infinite."""
    if not (math.isfinite(high) and math.isfinite(low)):
        return ""
    # Subtract the decimals as written: with doubles, 3.3 - 3.1 is a little less than 0.2.
    gap = float(Decimal(str(high)) - Decimal(str(low)))
    return f"{figure_text(gap, uom or None)} " if math.isfinite(gap) else ""


def _series_text(values: list[float | int], limits: Interval) -> str:
    outside = sum(
        1 for value in values if math.isnan(value) or limits.is_below(value) or limits.is_above(value)
    )
    return f"{count_text(outside)} of {count_text(len(values))} values outside" if outside else ""
