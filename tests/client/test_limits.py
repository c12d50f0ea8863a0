"""What a value is, by its limits."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard_client import InvalidReport
from runcard_client.limits import judged

NUMBER = st.integers() | st.floats(allow_nan=False)


@given(low=NUMBER, high=NUMBER, value=NUMBER)
def test_limits_are_inclusive_and_each_is_one_by_itself(low: float, high: float, value: float):
    outcomes = (judged("m", value, low=low), judged("m", value, high=high))
    assert outcomes == ("FAIL" if value < low else "PASS", "FAIL" if value > high else "PASS")
    assert judged("m", value, low, high) == ("PASS" if outcomes == ("PASS", "PASS") else "FAIL")
    assert judged("m", low, low) == judged("m", high, high=high) == "PASS"


@given(values=st.lists(NUMBER, min_size=1), low=NUMBER)
def test_of_a_list_every_element_must_keep_it(values: list[float], low: float):
    assert judged("m", values, low) == ("PASS" if min(values) >= low else "FAIL")


@pytest.mark.parametrize(
    ("value", "asked", "outcome"),
    [
        (3.3, {}, "UNSET"),
        ("abc", {}, "UNSET"),
        (math.nan, {"low": -math.inf}, "FAIL"),
        (math.inf, {"high": 5}, "FAIL"),
        (True, {"equals": True}, "PASS"),
        (1, {"equals": True}, "FAIL"),
        (True, {"equals": 1}, "FAIL"),
        (1, {"equals": 1.0}, "PASS"),
        ("a", {"equals": "b"}, "FAIL"),
        (5, {"low": 1, "equals": 5}, "PASS"),
        (5, {"low": 6, "equals": 5}, "FAIL"),
    ],
)
def test_what_is_asked(value: Any, asked: dict[str, Any], outcome: str):
    assert judged("m", value, **asked) == outcome


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("3.3", "vcc is '3.3', which has no order, so limits do not fit"),
        (True, "vcc is True"),
        ([1, None], "vcc is None"),
        ([], "empty list"),
    ],
)
def test_what_limits_do_not_fit(value: Any, told: str):
    with pytest.raises(InvalidReport, match=told):
        judged("vcc", value, low=3)
