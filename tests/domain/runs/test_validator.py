import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.limit import Limits
from runcard.domain.runs.validator import (
    Validator,
    decisive_limits,
    judge,
    limit_validators,
    unstated_limits,
)

numbers = st.one_of(st.floats(), st.integers())
finite_numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))


def check(operator, expected, **rest):
    return Validator("", operator, expected, **rest)


@pytest.mark.parametrize(
    ("operator", "expected", "value", "outcome"),
    [
        (">=", 3, 3, "PASS"),
        (">=", 3, 2.999, "FAIL"),
        ("<=", 3, 3.0, "PASS"),
        ("<=", 3, 3.001, "FAIL"),
        (">", 3, 3, "FAIL"),
        (">", 3, 4, "PASS"),
        ("<", 3, 3, "FAIL"),
        ("<", 3, 2, "PASS"),
        ("==", 5, 5.0, "PASS"),
        ("==", 5, 6, "FAIL"),
        ("==", True, True, "PASS"),
        ("==", True, False, "FAIL"),
        ("==", "on", "on", "PASS"),
        ("==", "on", "ON", "FAIL"),
        ("!=", "on", "off", "PASS"),
        ("!=", 3, 3, "FAIL"),
        ("range", [1, 2], 1, "PASS"),
        ("range", [1, 2], 2.0, "PASS"),
        ("range", [1, 2], 2.1, "FAIL"),
        ("in", ["a", "b"], "a", "PASS"),
        ("in", ["a", "b"], "c", "FAIL"),
        ("in", [1, 2], 2.0, "PASS"),
        ("in", [], "a", "FAIL"),
        ("not in", ["a", "b"], "c", "PASS"),
        ("not in", ["a", "b"], "a", "FAIL"),
        ("matches", r"v\d+", "v12", "PASS"),
        ("matches", r"\d+", "v12", "FAIL"),
        ("matches", r".*Widget$", "MyWidget", "PASS"),
    ],
)
def test_a_value_of_the_expected_kind_is_judged(operator, expected, value, outcome):
    assert judge(check(operator, expected), value) == outcome


@pytest.mark.parametrize(
    ("operator", "expected", "value"),
    [
        (None, None, 3),
        ("~", 3, 3),
        (">=", 3, "4"),
        (">=", 3, True),
        (">=", 3, None),
        (">=", 3, {"a": 4}),
        (">=", "a", "b"),
        (">=", True, True),
        (">=", [1, 2], 3),
        ("==", 1, True),
        ("==", True, 1),
        ("==", "1", 1),
        ("==", [1, 2], 1),
        ("==", None, None),
        ("!=", "a", 3),
        ("range", [1], 1),
        ("range", [1, 2, 3], 1),
        ("range", ["a", "b"], "a"),
        ("range", 3, 3),
        ("in", ["1"], 1),
        ("in", [1, "a"], 1),
        ("in", "abc", "a"),
        ("matches", "5", 5),
        ("matches", 5, "5"),
        ("matches", "(?=look)ahead", "ahead"),
        ("matches", "(", "("),
        ("matches", ".", "\ud800"),
    ],
)
def test_a_check_that_does_not_fit_the_value_says_nothing(operator, expected, value):
    assert judge(check(operator, expected), value) == "UNSET"


def test_a_list_passes_where_every_element_does():
    at_most_three = check("<=", 3)
    assert judge(at_most_three, [1, 2, 3]) == "PASS"
    assert judge(at_most_three, [1, 4, 3]) == "FAIL"
    assert judge(at_most_three, [1, math.nan]) == "FAIL"
    assert judge(at_most_three, [1, "2"]) == "UNSET"
    assert judge(at_most_three, [[1], [2]]) == "UNSET"
    assert judge(at_most_three, []) == "UNSET"


@pytest.mark.parametrize("operator", [">=", "<=", ">", "<", "=="])
def test_nan_keeps_no_bound(operator):
    assert judge(check(operator, 0), math.nan) == "FAIL"
    assert judge(check("range", [-1, 1]), math.nan) == "FAIL"
    assert judge(check("!=", 0), math.nan) == "PASS"


@given(finite_numbers, finite_numbers, numbers)
def test_bounds_agree_with_comparison(lower, upper, value):
    keeps = lower <= value <= upper
    both = {judge(check(">=", lower), value), judge(check("<=", upper), value)}
    assert (both == {"PASS"}) == keeps
    assert (judge(check("range", [lower, upper]), value) == "PASS") == keeps


scalars = st.one_of(st.none(), st.booleans(), numbers, st.text())


@given(
    st.one_of(st.none(), st.sampled_from([">=", "==", "!=", "matches", "in", "not in", "range"]), st.text()),
    st.one_of(scalars, st.lists(numbers), st.lists(st.text())),
    st.one_of(scalars, st.lists(scalars), st.dictionaries(st.text(), scalars)),
)
def test_any_check_says_something_of_any_value(operator, expected, value):
    assert judge(check(operator, expected), value) in ("PASS", "FAIL", "UNSET")


def test_decisive_limits_are_the_tightest():
    validators = [
        check(">=", 0),
        check(">=", 1),
        check("<=", 5),
        check("<=", 4.5),
        check(">=", 2, is_decisive=False),
        check("<=", 3, is_decisive=False),
    ]
    assert decisive_limits(validators) == Limits(1, 4.5)


@pytest.mark.parametrize(
    ("operator", "expected", "limits"),
    [
        (">=", 3, (3, None)),
        ("<=", 3, (None, 3)),
        ("==", 3, (3, 3)),
        ("range", [1, 2], (1, 2)),
        ("range", [1, 2, 3], (None, None)),
        (">", 3, (None, None)),
        ("<", 3, (None, None)),
        ("==", True, (None, None)),
        ("==", "3", (None, None)),
        (">=", math.inf, (None, None)),
        ("<=", math.nan, (None, None)),
        ("in", [1, 2], (None, None)),
        (None, None, (None, None)),
    ],
)
def test_only_inclusive_numeric_bounds_are_limits(operator, expected, limits):
    assert decisive_limits([check(operator, expected)]) == limits


def test_limits_become_judged_bounds():
    assert limit_validators(3.1, 3.0, 3.05) == (
        Validator("x >= 3.1", ">=", 3.1, "FAIL"),
        Validator("x <= 3", "<=", 3.0, "FAIL"),
    )
    assert limit_validators(None, 5, 5) == (Validator("x <= 5", "<=", 5, "PASS"),)
    assert limit_validators(None, None, 5) == ()
    assert limit_validators(-math.inf, math.nan, 5) == ()


@pytest.mark.parametrize("value", [None, True, "3", [3], {"a": 3}])
def test_limits_say_nothing_of_what_is_no_number(value):
    assert [bound.outcome for bound in limit_validators(1, 5, value)] == ["UNSET", "UNSET"]


@pytest.mark.parametrize(
    ("limit", "expression"),
    [
        (3.0, "x >= 3"),
        (-3.0, "x >= -3"),
        (0.1, "x >= 0.1"),
        (1e20, "x >= 1e+20"),
        (-1.5e-09, "x >= -1.5e-09"),
        (2**62, "x >= 4611686018427387904"),
    ],
)
def test_limits_are_written_shortest(limit, expression):
    assert limit_validators(limit, None, None)[0].expression == expression


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_limit_reads_back(limit):
    assert float(limit_validators(limit, None, None)[0].expression.removeprefix("x >= ")) == limit


def test_a_limit_that_a_decisive_check_states_is_not_left():
    assert unstated_limits(Limits(1, 5), [check(">=", 1)]) == (None, 5)
    assert unstated_limits(Limits(1, 5), [check("range", [1.0, 5.0])]) == (None, None)
    assert unstated_limits(Limits(5, 5), [check("==", 5)]) == (None, None)
    assert unstated_limits(Limits(1, 5), [check(">=", 1, is_decisive=False)]) == (1, 5)
    assert unstated_limits(Limits(1, 5), [check("<=", 1), check(">=", 5)]) == (1, 5)
