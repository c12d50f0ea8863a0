"""Units of measure, and which of them convert into each other.

Only known units with SI prefixes convert; any other unit equals only the very same text. Case counts: mS is not ms, and
MV is not mV. Source: BIPM, The International System of Units (SI Brochure, 9th edition), table 7.
"""

from typing import NamedTuple

_PREFIXES = {
    "f": -15,
    "p": -12,
    "n": -9,
    "u": -6,
    "\N{MICRO SIGN}": -6,
    "\N{GREEK SMALL LETTER MU}": -6,
    "m": -3,
    "c": -2,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
}
_OHM = "\N{GREEK CAPITAL LETTER OMEGA}"
_SPELLINGS = {"\N{OHM SIGN}": _OHM, "Ohm": _OHM, "ohm": _OHM, "Ohms": _OHM, "ohms": _OHM}
_UNITS = frozenset(
    (
        "V",
        "A",
        "W",
        "VA",
        "F",
        "H",
        "Hz",
        "s",
        "m",
        "g",
        "N",
        "J",
        "C",
        "S",
        "T",
        "K",
        "Pa",
        "bar",
        "lm",
        "lx",
        "cd",
        _OHM,
    )
)


class Scale(NamedTuple):
    """A unit of measure as `10 ** power` of `unit`; power is 0 for an unknown unit."""

    unit: str | None
    power: int


def scale_of(uom: str | None) -> Scale:
    """The unit without its prefix, and the power of ten that the prefix stands for: kOhm is 10 ** 3 Ohm.

    Two units of measure convert where their scales have the same unit. An unknown unit, and None, convert only to
    themselves.
    """
    if uom is None:
        return Scale(None, 0)
    if _spelled(uom) in _UNITS:
        return Scale(_spelled(uom), 0)
    power, unit = _PREFIXES.get(uom[:1]), _spelled(uom[1:])
    return Scale(uom, 0) if power is None or unit not in _UNITS else Scale(unit, power)


def power_between(uom: str | None, other: str | None) -> int | None:
    """The power of ten that converts a number in `uom` to one in `other`; None: they do not convert."""
    own, target = scale_of(uom), scale_of(other)
    return own.power - target.power if own.unit == target.unit else None


def times_power(number: float, power: int) -> float:
    """The number times ten to this power, rounded once: 3300 mV are exactly 3.3 V."""
    return number * 10.0**power if power >= 0 else number / 10.0**-power


def _spelled(unit: str) -> str:
    return _SPELLINGS.get(unit, unit)
