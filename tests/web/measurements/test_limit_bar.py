"""Where a value lies between its limits, drawn."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.limit import Interval
from runcard.web.measurements.limit_bar import limit_bar
from runcard.web.measurements.rows import limits_text

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
LIMITS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "lower", "upper", "at", "zone", "text"),
    [
        (4, 3, 5, 46.5, (19.2, 57.6), "within the limits, 50 % of the way from lower to upper"),
        (3, 3, 5, 18.6, (19.2, 57.6), "within the limits, 0 % of the way from lower to upper"),
        (99, 3, 5, 93.0, (19.2, 57.6), "above the upper limit"),
        (-99, 3, 5, 0.0, (19.2, 57.6), "below the lower limit"),
        (1, None, 2, 23.2, (0.0, 48.0), "within the limit"),
        (8, 2, None, 93.0, (48.0, 48.0), "within the limit"),
        (0, 0, None, 46.5, (48.0, 48.0), "within the limit"),
        (5, 5, 5, 46.5, (48.0, 0.0), "within the limit"),
        (6, 5, 5, 55.8, (48.0, 0.0), "above the upper limit"),
    ],
    ids=["middle", "edge", "above", "below", "upper", "lower", "zero", "exact", "not-exact"],
)
def test_a_value_stands_in_its_place(value, lower, upper, at, zone, text):
    bar = limit_bar(value, Interval(lower, upper))
    assert bar is not None
    assert float(bar.value_x) == pytest.approx(at, abs=0.06)
    assert (float(bar.zone_x), float(bar.zone_width)) == pytest.approx(zone, abs=0.06)
    assert bar.text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "at the lower limit, which is outside"),
        (5, "at the upper limit, which is outside"),
        (2, "below the lower limit"),
        (4, "within the limits, 50 % of the way from lower to upper"),
    ],
)
def test_a_value_that_equals_a_strict_limit_is_outside(value, text):
    bar = limit_bar(value, Interval(3, 5, lower_is_strict=True, upper_is_strict=True))
    assert bar is not None
    assert bar.text == text


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (1, Interval(None, None)),
        (math.nan, Interval(0, 1)),
        (math.inf, Interval(0, None)),
        (1, Interval(2, 1)),
        (1, Interval(-1.7e308, 1.7e308)),
    ],
    ids=["no-limit", "nan", "infinite", "contradiction", "no-end"],
)
def test_what_has_no_place_has_no_bar(value, limits):
    assert limit_bar(value, limits) is None


@given(FLOATS, LIMITS, LIMITS)
def test_everything_lies_inside_the_box(value: float, lower: float | None, upper: float | None):
    bar = limit_bar(value, Interval(lower, upper))
    if bar is None:
        return
    assert 0 <= float(bar.value_x) <= bar.width
    assert 0 <= float(bar.zone_x) <= float(bar.zone_x) + float(bar.zone_width) <= bar.width + 0.1
    assert all(0 <= float(edge) <= bar.width for edge in bar.edges)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Interval(), ""),
        (Interval(3, 5), "3 … 5"),
        (Interval(3), "≥ 3"),
        (Interval(None, 5.6), "≤ 5.6"),
        (Interval(None, 5.6, upper_is_strict=True), "< 5.6"),
        (Interval(3, None, lower_is_strict=True), "> 3"),
        (Interval(0, 5.6, upper_is_strict=True), "≥ 0 and < 5.6"),
        (Interval(0, 5.6, True, True), "> 0 and < 5.6"),
    ],
)
def test_limits_are_told_in_words(limits, text):
    assert limits_text(limits) == text
