"""A small bar that shows where a value lies between its limits."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from runcard.domain.runs.limit import Interval

_WIDTH, _HEIGHT = 96, 12
# The share of the width that lies outside two limits, on either side.
_OUTSIDE_RATIO = 0.2
_MARKER = 3.0


class LimitBar(NamedTuple):
    """A bar in a box of `width` by `height`; places count from the left. zone: between the limits. text: in words."""

    width: int
    height: int
    zone_x: str
    zone_width: str
    edges: Sequence[str]
    value_x: str
    marker_width: str
    text: str


def limit_bar(value: float, limits: Interval) -> LimitBar | None:
    """The bar of a number; None if it has no limits, if they contradict each other, or if the scale is infinite.

    Two limits stand a fifth from either end; a value further out stands at the end. A single limit stands in the
    middle of a scale that reaches to zero, or to the value if that is further away, and equally far beyond the limit.
    """
    lower, upper = limits.lower, limits.upper
    scale = _scale(value, lower, upper)
    if scale is None:
        return None
    low, span = scale
    left, right = (_place(one, low, span, default) for one, default in ((lower, 0.0), (upper, 1.0)))
    at = _place(value, low, span, 0.0)
    return LimitBar(
        width=_WIDTH,
        height=_HEIGHT,
        zone_x=f"{left * _WIDTH:.1f}",
        zone_width=f"{(right - left) * _WIDTH:.1f}",
        edges=[f"{place * _WIDTH:.1f}" for one, place in ((lower, left), (upper, right)) if one is not None],
        value_x=f"{at * (_WIDTH - _MARKER):.1f}",
        marker_width=f"{_MARKER:g}",
        text=_text(value, limits),
    )


def _scale(value: float, lower: float | None, upper: float | None) -> tuple[float, float] | None:
    """Where the scale begins, and how long it is; None if there is nothing to draw."""
    if not math.isfinite(value) or (lower is None and upper is None):
        return None
    if lower is not None and upper is not None and lower != upper:
        if lower > upper:
            return None
        span = (upper - lower) / (1 - 2 * _OUTSIDE_RATIO)
        low = lower - _OUTSIDE_RATIO * span
    else:
        limit = lower if lower is not None else upper
        assert limit is not None
        half = max(abs(limit), abs(value - limit)) or 1.0
        low, span = limit - half, 2 * half
    is_drawable = math.isfinite(low) and math.isfinite(span) and math.isfinite(low + span) and span > 0
    return (low, span) if is_drawable else None


def _place(value: float | None, low: float, span: float, default: float) -> float:
    """The place of a value, between 0 at the left end and 1 at the right end."""
    return default if value is None else min(max((value - low) / span, 0.0), 1.0)


def _text(value: float, limits: Interval) -> str:
    lower, upper = limits.lower, limits.upper
    if limits.is_below(value):
        return "at the lower limit, which is outside" if value in limits.bounds else "below the lower limit"
    if limits.is_above(value):
        return "at the upper limit, which is outside" if value in limits.bounds else "above the upper limit"
    if lower is None or upper is None or lower == upper:
        return "within the limit"
    return (
        f"within the limits, {100 * (value - lower) / (upper - lower):.0f} % of the way from lower to upper"
    )
