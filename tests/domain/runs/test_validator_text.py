import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.validator import Validator, decisive_limits
from runcard.domain.runs.validator_text import opaque_validator, parse_validator, validators_of_texts

finite_numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))


def structures(text):
    return [(check.operator, check.expected, check.is_decisive) for check in parse_validator(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.1 <= x <= 3.5", [(">=", 3.1, True), ("<=", 3.5, True)]),
        ("0.5 <= x", [(">=", 0.5, True)]),
        ("x <= 1.5", [("<=", 1.5, True)]),
        ("-1.5e-09 <= x <= 2e+20", [(">=", -1.5e-09, True), ("<=", 2e20, True)]),
        ("1E+3 <= x <= +.5", [(">=", 1000.0, True), ("<=", 0.5, True)]),
        ("-inf <= x <= 5", [("<=", 5, True)]),
        ("0 <= x <= inf", [(">=", 0, True)]),
        ("nan <= x <= 1e999", [(None, None, True)]),
        (
            "0 <= Marginal:2 <= x <= Marginal:8 <= 10",
            [(">=", 0, True), ("<=", 10, True), (">=", 2, False), ("<=", 8, False)],
        ),
        ("0 <= Marginal:2 <= x", [(">=", 0, True), (">=", 2, False)]),
        ("x <= Marginal:8 <= 10", [("<=", 10, True), ("<=", 8, False)]),
        ("0 <= Marginal:2 <= x <= 10", [(">=", 0, True), ("<=", 10, True), (">=", 2, False)]),
        ("x == 5", [("==", 5, True)]),
        ("x == -2.5", [("==", -2.5, True)]),
        ("x == True", [("==", True, True)]),
        ("x == False", [("==", False, True)]),
        ("'x' matches /^on$/", [("==", "on", True)]),
        (r"'x' matches /^v1\.2\ \[x\]/3$/", [("==", "v1.2 [x]/3", True)]),
        ("'x' matches /^$/", [("==", "", True)]),
        ("'x' matches /.*Widget$/", [("matches", ".*Widget$", True)]),
        (r"'x' matches /^v\d$/", [("matches", r"^v\d$", True)]),
        ("'x' matches /on/", [("matches", "on", True)]),
        ("'x' matches /a/b\n/", [("matches", "a/b\n", True)]),
        ("'x' is within 5% of 100.", [(">=", 95.0, True), ("<=", 105.0, True)]),
        ("'x' is within 10% of -2.5.", [(">=", -2.75, True), ("<=", -2.25, True)]),
        (
            "'x' is within 5% of 100. Marginal: 2% of 100",
            [(">=", 95.0, True), ("<=", 105.0, True), (">=", 98.0, False), ("<=", 102.0, False)],
        ),
        ("x <= 9223372036854775807", [("<=", 2**63 - 1, True)]),
        ("-9223372036854775808 <= x", [(">=", -(2**63), True)]),
        ("x <= 9223372036854775808", [("<=", 2.0**63, True)]),
    ],
)
def test_a_text_of_a_known_form_has_structure(text, expected):
    assert structures(text) == expected
    assert {check.expression for check in parse_validator(text)} == {text}
    assert {check.has_custom_expression for check in parse_validator(text)} == {expected[0][0] is not None}
    assert [type(got) for _, got, _ in structures(text)] == [type(want) for _, want, _ in expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "x >= 3",
        "3 <= y",
        "3<=x",
        " 3 <= x",
        "3 <= x\n",
        "Marginal:2 <= x",
        "x <= Marginal:2",
        "1_000 <= x",
        "٣ <= x",
        "True <= x",
        "x == nan",
        "x == inf",
        "x == 'a'",
        "'x' is within inf% of 100.",
        "'x' is within 5% of nan.",
        "'x' is equal to '[1, 2]'",
        "All values pass: 0 <= x <= 10",
        "Once pass, rest must also pass: x <= 1",
        "'x' matches /on",
        "between 3 and 4",
    ],
)
def test_any_other_text_is_an_expression_only(text):
    assert parse_validator(text) == (Validator(text),)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("<function <lambda> at 0x7fe2e289c040>", "<function <lambda>>"),
        ("<bound method A.b of <A object at 0x00007FE2>>", "<bound method A.b of <A object>>"),
        ("'x' is equal to '<A at 0x1f>'", "'x' is equal to '<A>'"),
    ],
)
def test_memory_addresses_are_taken_out(text, expression):
    assert parse_validator(text) == (Validator(expression),)


def test_an_opaque_check_reads_no_structure():
    assert opaque_validator("0 <= x <= 1", is_decisive=False) == Validator("0 <= x <= 1", is_decisive=False)


@pytest.mark.parametrize("text", ["0" * 5000 + " <= x", "x <= " + "9" * 5000, "x == " + "1" * 100_000 + "z"])
def test_thousands_of_digits_are_read_in_time(text):
    assert [check.expression for check in parse_validator(text)] == [text]


@given(st.text())
def test_any_text_is_kept_as_expression(text):
    assert {check.expression for check in parse_validator(text)} == {re.sub(r" at 0x[0-9a-fA-F]+", "", text)}


grammar_texts = st.from_regex(
    r"\A(-?[0-9.]{1,4}(e[0-9]{1,3})? <= )?(Marginal:(nan|-inf|[0-9]{1,30}) <= )?"
    r"x( (<=|==) [-+.0-9aefinrtT]{1,6})?\Z"
)


@given(grammar_texts)
def test_almost_known_texts_are_kept_as_expression(text):
    assert {check.expression for check in parse_validator(text)} == {text}


@given(finite_numbers, finite_numbers)
def test_python_numbers_read_back(lower, upper):
    assert structures(f"{lower} <= x <= {upper}") == [(">=", lower, True), ("<=", upper, True)]


@given(st.text())
def test_texts_escaped_by_python_read_back(text):
    assert structures(f"'x' matches /^{re.escape(text)}$/") == [("==", text, True)]


@given(finite_numbers, finite_numbers, st.floats())
def test_judged_ranges_agree_with_comparison(lower, upper, value):
    outcomes = [check.outcome for check in validators_of_texts([f"{lower} <= x <= {upper}"], value, "UNSET")]
    assert outcomes == ["PASS" if lower <= value else "FAIL", "PASS" if value <= upper else "FAIL"]


def outcomes(texts, value, measurement_outcome):
    return [check.outcome for check in validators_of_texts(texts, value, measurement_outcome)]


CALLABLE = "<function f at 0x1>"


@pytest.mark.parametrize(
    ("texts", "value", "measurement_outcome", "expected"),
    [
        (["0 <= x <= 1"], 5, "FAIL", ["PASS", "FAIL"]),
        (["0 <= x <= 1"], 5, "PASS", ["PASS", "FAIL"]),
        (["0 <= x <= 5", "1 <= x <= 4"], 2, "PASS", ["PASS"] * 4),
        (["0 <= x <= 1"], math.nan, "FAIL", ["FAIL", "FAIL"]),
        (["1 <= x <= 3"], [1, 2, 3], "PASS", ["PASS", "PASS"]),
        (["1 <= x <= 3"], [1, 2, 4], "FAIL", ["PASS", "FAIL"]),
        (["x == True"], False, "FAIL", ["FAIL"]),
        ([CALLABLE], 3, "PASS", ["PASS"]),
        ([CALLABLE], 3, "FAIL", ["FAIL"]),
        ([CALLABLE], 3, "UNSET", ["UNSET"]),
        ([CALLABLE, "x <= 5"], 3, "FAIL", ["UNSET", "PASS"]),
        ([CALLABLE, "x <= 5"], 3, "PASS", ["PASS", "PASS"]),
        (["0 <= x <= 1"], "text", "FAIL", ["UNSET", "UNSET"]),
        (["x <= 1"], "text", "FAIL", ["FAIL"]),
        (["0 <= x <= 1"], None, "UNSET", ["UNSET", "UNSET"]),
        (["'x' matches /(?!a)b/"], "b", "PASS", ["PASS"]),
        ([], 3, "FAIL", []),
    ],
)
def test_each_check_gets_its_outcome(texts, value, measurement_outcome, expected):
    assert outcomes(texts, value, measurement_outcome) == expected


def test_long_texts_are_judged_as_short_ones_are():
    long = "'x' matches /" + "a" * 500 + "/"
    assert outcomes([long], "a" * 500, "UNSET") == ["PASS"]
    assert outcomes([long], "a" * 499, "UNSET") == ["FAIL"]


def test_marginal_bounds_do_not_limit():
    assert decisive_limits(parse_validator("0 <= Marginal:2 <= x <= Marginal:8 <= 10")) == (0, 10)
