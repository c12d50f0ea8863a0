"""Mean and standard deviation of numbers, to the last digits, whatever their size and however many there are.

A centre among the numbers is subtracted first, so that a large common part drowns no digits (Chan, Golub and LeVeque,
The American Statistician 37 (1983), 242-247). If their squares would not fit a double, the numbers are taken as shares
of a power of two, which changes no digit.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Squares of numbers with exponents in this range fit a double, and so do the largest sums of them.
_USUAL_POWERS = range(-400, 400)


class Moments(NamedTuple):
    """The moments of n numbers. offset: of the mean from the centre. squares: sum of squared deviations from the mean.

    All but n are in units of 2 ** power. Without numbers all are 0.
    """

    n: int
    centre: float = 0.0
    offset: float = 0.0
    squares: float = 0.0
    power: int = 0

    @property
    def mean(self) -> float | None:
        """The mean; None without numbers, or if it is too large for a double."""
        return None if self.n == 0 else scaled(self.centre + self.offset, self.power)

    @property
    def s(self) -> float | None:
        """The sample standard deviation; None for fewer than two numbers, or if it is too large for a double."""
        return None if self.n < 2 else scaled(math.sqrt(self.squares / (self.n - 1)), self.power)


class MomentsOfGroups(NamedTuple):
    """The moments of several groups, one in each place, all in units of 2 ** power and from the same centre."""

    n: Floats
    offset: Floats
    squares: Floats
    power: int


def moments_of(values: Floats) -> Moments:
    """The moments of values. Their order can change the rounding. The mean of equal values is exactly their value."""
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
    """The moments of groups on a common centre and power, so that they can be compared. No group may be empty."""
    power = max(group.power for group in moments)
    shifts = [group.power - power for group in moments]
    centres = [math.ldexp(group.centre, shift) for group, shift in zip(moments, shifts, strict=True)]
    squares = [math.ldexp(group.squares, 2 * shift) for group, shift in zip(moments, shifts, strict=True)]
    offsets = [
        centre - centres[0] + math.ldexp(group.offset, shift)
        for group, centre, shift in zip(moments, centres, shifts, strict=True)
    ]
    counts = np.array([group.n for group in moments], np.float64)
    return MomentsOfGroups(counts, np.array(offsets), np.array(squares), power)


def power_of(lowest: float, highest: float) -> int:
    """0 if numbers between these can be squared, else the power of two of which they are taken as shares."""
    _, power = math.frexp(max(abs(lowest), abs(highest)))
    return 0 if power in _USUAL_POWERS else power


def scaled(figure: float, power: int) -> float | None:
    """A figure in units of 2 ** power as a plain number; None if it is too large for a double."""
    try:
        found = math.ldexp(figure, power)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
