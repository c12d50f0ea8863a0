"""Units of measure: which of them measure the same thing by a known factor.

Only SI prefixes of units that are known are factors; of everything else only the very same text is the same unit. Case
counts: mS is no ms, and MV no mV. Source: BIPM, The International System of Units (SI Brochure, 9th edition), table 7.
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
    """A unit of measure as `10 ** power` of `unit`; power is 0 where nothing is known of it."""

    unit: str | None
    power: int


def scale_of(uom: str | None) -> Scale:
    """The unit without its prefix, and the power of ten that the prefix stands for.

    Two units of measure convert where their scales have the same unit: kOhm is 10 ** 3 of the Ohm. A unit that is not
    known, and None, convert to nothing but themselves.
    """
    if uom is None:
        return Scale(None, 0)
    if _spelled(uom) in _UNITS:
        return Scale(_spelled(uom), 0)
    power, unit = _PREFIXES.get(uom[:1]), _spelled(uom[1:])
    return Scale(uom, 0) if power is None or unit not in _UNITS else Scale(unit, power)


def power_between(uom: str | None, other: str | None) -> int | None:
    """By which power of ten a number in `uom` is multiplied to be in `other`; None: they do not convert."""
    own, wanted = scale_of(uom), scale_of(other)
    return own.power - wanted.power if own.unit == wanted.unit else None


def times_power(number: float, power: int) -> float:
    """The number times a power of ten, rounded once: 3300 mV are 3.3 V, to the last digit."""
    return number * 10.0**power if power >= 0 else number / 10.0**-power


def _spelled(unit: str) -> str:
    return _SPELLINGS.get(unit, unit)
