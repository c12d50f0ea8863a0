import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import InvalidInput
from runcard.domain.runs.limit import Interval
from runcard.domain.runs.measurement import (
    Measurement,
    Series,
    effective_limits,
    shown_validators,
    storable_json,
    storable_number,
)
from runcard.domain.runs.validator import Validator, judge
from runcard.domain.runs.validator_text import parse_validator


@pytest.mark.parametrize("value", [0, 2**63 - 1, -(2**63), 3.3, -0.0, math.inf])
def test_numbers_of_64_bits_are_stored_as_they_are(value):
    assert storable_number(value) == (value, None)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64, 10**300])
def test_larger_integers_become_floats_with_their_digits(value):
    number, exact = storable_number(value)
    assert (type(number), number, exact) == (float, float(value), str(value))


def test_integers_beyond_all_floats_are_infinite():
    assert storable_number(10**400) == (math.inf, str(10**400))
    assert storable_number(-(10**400)) == (-math.inf, str(-(10**400)))


def test_json_trees_are_made_storable_at_any_depth():
    tree = {"a": [1, True, None, "x", 2**64, {"b": [math.nan, math.inf, -math.inf, 1.5]}], "c": 10**400}
    assert storable_json(tree) == {
        "a": [1, True, None, "x", 2.0**64, {"b": ["nan", "inf", "-inf", 1.5]}],
        "c": "inf",
    }
    assert storable_json(tree)["a"][1] is True


json_trees = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.floats(allow_nan=False)
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(json_trees.filter(lambda tree: "inf" not in repr(tree)))
def test_storable_trees_stay_as_they_are(tree):
    assert storable_json(tree) == tree


def nested(levels):
    tree: object = 1
    for _ in range(levels):
        tree = [tree]
    return tree


def test_trees_of_more_than_100_levels_are_refused():
    assert storable_json(nested(100)) == nested(100)
    with pytest.raises(InvalidInput) as caught:
        storable_json(nested(101))
    assert caught.value.issues[0].path == ("measured_value",)


def test_limits_are_shown_before_the_own_validators():
    own = Validator("x > 2", ">", 2, "PASS")
    measurement = Measurement("v", "PASS", 3.3, lower_limit=3.1, upper_limit=3.5, validators=(own,))
    assert shown_validators(measurement) == (
        Validator("x >= 3.1", ">=", 3.1, "PASS"),
        Validator("x <= 3.5", "<=", 3.5, "PASS"),
        own,
    )


def test_a_bound_given_both_ways_is_shown_as_the_text():
    own = parse_validator("3.1 <= x <= 3.5")
    measurement = Measurement("v", "PASS", 3.3, lower_limit=3.1, upper_limit=3.6, validators=own)
    assert shown_validators(measurement) == (Validator("x <= 3.6", "<=", 3.6, "PASS"), *own)


def test_a_measurement_without_limits_shows_its_own_validators():
    own = (Validator("custom"),)
    assert shown_validators(Measurement("v", "PASS", "x", validators=own)) == own
    assert shown_validators(Measurement("v", "PASS")) == ()


def _check(operator: str, expected: object, *, is_decisive: bool = True) -> Validator:
    return Validator("", operator, expected, is_decisive=is_decisive)  # type: ignore[arg-type]  # also nonsense


@pytest.mark.parametrize(
    ("lower", "upper", "checks", "kept"),
    [
        (None, None, [(">", 0), ("<", 5.6)], Interval(0, 5.6, True, True)),
        (None, None, [(">=", 0), ("<", 5.6)], Interval(0, 5.6, False, True)),
        (0, None, [("<=", 11)], Interval(0, 11)),
        (0, 10, [("<", 10)], Interval(0, 10, False, True)),
        (0, 10, [("<", 12), (">", -1)], Interval(0, 10)),
        (0, 10, [("range", [1, 9]), (">", 1)], Interval(1, 9, True, False)),
        (
            0,
            None,
            [("==", 5), ("!=", 6), ("in", [1, 2]), ("LTGT", [1, 2]), (">", "a"), ("<", True)],
            Interval(0),
        ),
        (math.nan, math.inf, [("<", math.inf), (">", math.nan)], Interval()),
    ],
)
def test_the_tightest_bound_of_limits_and_checks_counts(lower, upper, checks, kept):
    validators = tuple(_check(*one) for one in checks)
    assert effective_limits(Measurement("m", "PASS", 1.0, None, lower, upper, validators)) == kept


def test_marginal_checks_bound_nothing():
    marginal = _check("<", 5, is_decisive=False)
    assert effective_limits(Measurement("m", "PASS", 1.0, validators=(marginal,))) == Interval()


def test_the_checks_of_the_last_axis_bound_a_series():
    axes = (Series([1.0], validators=(_check("<", 5),)), Series([1.0], validators=(_check(">", 2),)))
    assert effective_limits(Measurement("m", "PASS", series=axes)) == Interval(2, None, True)


@given(st.lists(st.tuples(st.sampled_from([">", ">=", "<", "<="]), st.integers(-3, 3)), max_size=4))
def test_a_number_keeps_its_limits_where_it_keeps_all_its_checks(checks):
    validators = tuple(_check(*one) for one in checks)
    kept = effective_limits(Measurement("m", "PASS", 1.0, validators=validators))
    for number in (-4, -3, -2, -1, 0, 0.5, 1, 2, 3, 4):
        is_kept = all(judge(one, number) == "PASS" for one in validators)
        assert is_kept == (not kept.is_below(number) and not kept.is_above(number))
        assert not (is_kept and kept.is_empty)
