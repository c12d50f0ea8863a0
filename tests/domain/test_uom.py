"""Which units of measure convert, and by which factor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.uom import power_between, scale_of, times_power


@pytest.mark.parametrize(
    ("uom", "other", "power"),
    [
        ("mV", "V", -3),
        ("V", "mV", 3),
        ("kOhm", "Ohm", 3),
        ("k\N{OHM SIGN}", "\N{GREEK CAPITAL LETTER OMEGA}", 3),
        ("MOhm", "kohms", 3),
        ("ms", "s", -3),
        ("uA", "\N{MICRO SIGN}A", 0),
        ("\N{GREEK SMALL LETTER MU}A", "nA", 3),
        ("GHz", "Hz", 9),
        ("mm", "m", -3),
        ("cm", "mm", 1),
        ("kg", "g", 3),
        ("Pa", "kPa", -3),
        ("V", "V", 0),
        ("dBm", "dBm", 0),
        (None, None, 0),
    ],
)
def test_known_factors_convert(uom: str | None, other: str | None, power: int):
    assert power_between(uom, other) == power


@pytest.mark.parametrize(
    ("uom", "other"),
    [
        ("V", None),
        ("V", "A"),
        ("mS", "ms"),
        ("mV", "mv"),
        ("min", "m"),
        ("dB", "B"),
        ("dBm", "dB"),
        ("C", "K"),
        ("%", "ppm"),
        ("", "V"),
        ("m", "V"),
        ("kkV", "V"),
    ],
)
def test_nothing_else_converts(uom: str, other: str | None):
    assert power_between(uom, other) is None
    assert power_between(other, uom) is None


def test_a_number_is_rounded_once():
    assert times_power(3300.0, -3) == 3.3
    assert times_power(3.3, 3) == 3300.0


@given(st.text(max_size=4))
def test_every_text_is_a_unit_of_its_own(uom: str):
    assert power_between(uom, uom) == 0
    unit, power = scale_of(uom)
    assert unit == uom or power or power_between(uom, unit) == 0
