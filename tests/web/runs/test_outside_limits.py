"""How far outside of its limits a value lies, in words."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.validator import Validator
from runcard.web.runs.outside_limits import outside_text

BELOW_5 = Validator("x < 5", "<", 5)
ABOVE_5 = Validator("x > 5", ">", 5)
BETWEEN = Validator("1 <= x <= 3", "range", [1, 3])


@pytest.mark.parametrize(
    ("value", "fields", "text"),
    [
        (3.3, {"upper_limit": 3.1, "uom": "V"}, "0.2 V above the upper limit"),
        (0.1, {"lower_limit": 0.3}, "0.2 below the lower limit"),
        (5, {"validators": (BELOW_5,)}, "at the upper limit, which is outside"),
        (5, {"validators": (ABOVE_5,)}, "at the lower limit, which is outside"),
        (5.5, {"validators": (BELOW_5,)}, "0.5 above the upper limit"),
        (6, {"validators": (BELOW_5, BETWEEN)}, "3 above the upper limit"),
        (5, {"upper_limit": 5, "lower_limit": 5}, ""),
        (4, {}, ""),
        (math.nan, {"lower_limit": 1}, "not a number"),
        (math.nan, {}, "not a number"),
        (-math.inf, {"lower_limit": 1}, "below the lower limit"),
        (True, {"lower_limit": 5}, ""),
        ("text", {"lower_limit": 5}, ""),
        (None, {"lower_limit": 5}, "no value"),
        (
            None,
            {"upper_limit": 2, "series": (Series([1.0, 9.0]), Series([1.0, 3.0]))},
            "1 of 2 values outside",
        ),
        (None, {"upper_limit": 9, "series": (Series([1.0]),)}, ""),
    ],
)
def test_it_is_told_how_far_outside_a_value_is(value: Any, fields: dict[str, Any], text: str):
    assert outside_text(Measurement("m", "FAIL", value, **fields)) == text


@given(st.floats(), st.none() | st.floats(allow_nan=False), st.none() | st.floats(allow_nan=False))
def test_any_number_has_a_text(value: float, lower: float | None, upper: float | None):
    text = outside_text(Measurement("m", "FAIL", value, lower_limit=lower, upper_limit=upper))
    is_within = (lower is None or math.isinf(lower) or value >= lower) and (
        upper is None or math.isinf(upper) or value <= upper
    )
    if math.isnan(value):
        assert text == "not a number"
        return
    assert (text == "") == is_within
