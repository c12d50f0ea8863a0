"""What header cells say of the columns below them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.importers.tables.heading import read_heading


@pytest.mark.parametrize(
    ("title", "name", "uom", "limits", "checks"),
    [
        ("TP46 (V) 23.5 <= x <= 24.5", "TP46", "V", (23.5, 24.5), []),
        ("TP46 23,5 <= x <= 24,5", "TP46", None, (23.5, 24.5), []),
        ("Ripple (mV) -1 < x < 1 [0]", "Ripple", "mV", (None, None), ["x > -1", "x < 1"]),
        ("Ripple (mV) 0 <= x < 1e3", "Ripple", "mV", (0, None), ["x < 1000"]),
        ("LED (None)  == 1 [0]", "LED", None, (None, None), ["x == 1"]),
        ("LED = 1 [2]", "LED [2]", None, (None, None), ["x == 1"]),
        ("Leak (uA) x ≤ 5", "Leak", "uA", (None, 5), []),
        ("Leak (uA) >= -.5", "Leak", "uA", (-0.5, None), []),
        ("Code != 7", "Code", None, (None, None), ["x != 7"]),
        (
            "Lo (82.5 ohm) P2-4 (V) -1 < x < 1",
            "Lo (82.5 ohm) P2-4",
            "V",
            (None, None),
            ["x > -1", "x < 1"],
        ),
        ("Light (lx)", "Light", "lx", (None, None), []),
    ],
)
def test_headings(title, name, uom, limits, checks):
    heading = read_heading(title)
    assert heading is not None
    assert (heading.name, heading.uom, (heading.lower, heading.upper)) == (name, uom, limits)
    assert [one.expression for one in heading.checks] == checks
    assert heading.has_condition == (limits != (None, None) or checks != [])


@pytest.mark.parametrize("title", ["", "Serial Number", "a < b", "(V)", "x" * 501 + " (V)", "Version [1]"])
def test_titles_that_measure_nothing(title):
    assert read_heading(title) is None


@pytest.mark.parametrize(
    ("title", "value", "outcome"),
    [
        ("a 1 <= x <= 2", 1.0, "PASS"),
        ("a 1 <= x <= 2", 2.1, "FAIL"),
        ("a 1 < x < 2", 1.0, "FAIL"),
        ("a 1 < x < 2", 1.5, "PASS"),
        ("a == 1", 1.0, "PASS"),
        ("a == 1", 0, "FAIL"),
        ("a (V)", 1.0, "UNSET"),
        ("a 1 <= x <= 2", "none", "UNSET"),
    ],
)
def test_a_value_is_judged_by_its_column(title, value, outcome):
    heading = read_heading(title)
    assert heading is not None
    measurement = heading.measured(value)
    assert (measurement.outcome, measurement.value) == (outcome, value)
    assert {one.outcome for one in measurement.validators} <= {outcome, "PASS"}


numbers = st.floats(allow_nan=False, allow_infinity=False)
names = st.text("abc_ 0.9-", min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(bool)


@given(
    names.filter(lambda name: name[0].isalpha()), st.sampled_from(["V", "mA", "°C", "%"]), numbers, numbers
)
def test_what_is_written_is_read(name, uom, low, high):
    heading = read_heading(f"{name} ({uom}) {low!r} <= x <= {high!r} [3]")
    assert heading is not None
    assert heading[:4] == (f"{name} [3]", uom, low, high)


@given(st.text(max_size=500) | st.text("(){}[]<=x 1.e", max_size=500))
def test_no_title_surprises(title):
    heading = read_heading(title)
    assert heading is None or heading.name
