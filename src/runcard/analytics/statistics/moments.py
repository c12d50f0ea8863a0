"""Mean and standard deviation of numbers, to the last digits, whatever their size and however many there are.

Numbers are taken from a centre among them first, so that what they have in common drowns nothing (Chan, Golub and
LeVeque, The American Statistician 37 (1983), 242-247). Where their squares would be no doubles, they are
taken as shares of a power of two, which changes no digit.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Squares of numbers whose exponents are within are doubles, and so are sums of as many as there may be.
_USUAL_POWERS = range(-400, 400)


class Moments(NamedTuple):
    """Of n numbers: their mean, as what it is above a centre, and the sum of their squared deviations from it.

    All but n is in units of 2 ** power. Without numbers the rest is 0.
    """

    n: int
    centre: float = 0.0
    offset: float = 0.0
    squares: float = 0.0
    power: int = 0

    @property
    def mean(self) -> float | None:
        """None without numbers."""
        return None if self.n == 0 else scaled(self.centre + self.offset, self.power)

    @property
    def s(self) -> float | None:
        """The sample standard deviation; None of fewer than two numbers, and where it is no double."""
        return None if self.n < 2 else scaled(math.sqrt(self.squares / (self.n - 1)), self.power)


class MomentsOfGroups(NamedTuple):
    """Of several groups, one in each place, all in units of 2 ** power and above the same centre."""

    n: Floats
    offset: Floats
    squares: Floats
    power: int


def moments_of(values: Floats) -> Moments:
    """The same for values in the same order; of equal values, exactly what they are."""
    if len(values) == 0:
        return Moments(0)
    lowest, highest = float(np.min(values)), float(np.max(values))
    power = power_of(lowest, highest)
    if lowest == highest:
        return Moments(len(values), math.ldexp(lowest, -power), power=power)
    shares = np.ldexp(values, -power) if power else values
    centre = float(shares.mean())
    deviations = shares - centre
    offset = float(deviations.mean())
    squares = float(np.square(deviations).sum()) - len(values) * offset * offset
    return Moments(len(values), centre, offset, max(squares, 0.0), power)


def in_common(moments: Sequence[Moments]) -> MomentsOfGroups:
    """Moments of groups, none of which is empty, so that they can be compared."""
    power = max(one.power for one in moments)
    shifts = [one.power - power for one in moments]
    centres = [math.ldexp(one.centre, shift) for one, shift in zip(moments, shifts, strict=True)]
    return MomentsOfGroups(
        np.array([one.n for one in moments], np.float64),
        np.array(
            [
                centre - centres[0] + math.ldexp(one.offset, shift)
                for one, centre, shift in zip(moments, centres, shifts, strict=True)
            ]
        ),
        np.array([math.ldexp(one.squares, 2 * shift) for one, shift in zip(moments, shifts, strict=True)]),
        power,
    )


def power_of(lowest: float, highest: float) -> int:
    """0 where numbers between these can be squared, else the power of two that they are taken as shares of."""
    _, power = math.frexp(max(abs(lowest), abs(highest)))
    return 0 if power in _USUAL_POWERS else power


def scaled(figure: float, power: int) -> float | None:
    """A figure that is known in units of 2 ** power; None where it is no double."""
    try:
        found = math.ldexp(figure, power)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
