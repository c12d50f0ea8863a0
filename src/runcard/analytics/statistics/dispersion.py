"""How much values scatter: over all, from one to the next, or inside of subgroups."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runcard.analytics.statistics.moments import Floats, Moments, moments_of, power_of, scaled

# d2 of two values: the mean range of two standard normal ones (Tippett, Biometrika 17 (1925), 364-387).
D2_OF_TWO = 2 / math.sqrt(math.pi)


class Dispersion(NamedTuple):
    """An estimated standard deviation.

    sigma: 0 or more; None where there are too few values, or too large ones. freedom: degrees of freedom: those of a
    chi-square distribution that sigma squared follows, at least nearly, where the values are normal.
    """

    sigma: float | None
    freedom: float


UNKNOWN = Dispersion(None, 0)


def are_equal(values: Floats) -> bool:
    """Whether no value differs from another; of their deviations rounding would make a little more than nothing."""
    return len(values) == 0 or bool(np.min(values) == np.max(values))


def overall(values: Floats) -> Dispersion:
    """The sample standard deviation; unknown for fewer than two values."""
    return of_moments(moments_of(values))


def of_moments(moments: Moments) -> Dispersion:
    """What `overall` is of values of which these are known."""
    return UNKNOWN if moments.s is None else Dispersion(moments.s, moments.n - 1)


def moving_ranges(values: Floats, series: NDArray[np.int64] | None = None) -> Floats:
    """How far each value is from the one before it in its series; NaN for the first of each.

    series: the number, 0 or more, of each one's series; None: all are of one.
    """
    if series is None or len(series) == 0 or np.min(series) == np.max(series):
        return np.abs(np.diff(values, prepend=np.nan))
    # Numbers of 16 bits are put in order without comparing them.
    kind = np.uint16 if np.max(series) < 2**16 else np.int64
    order = np.argsort(series.astype(kind), kind="stable")
    moved: Floats = np.abs(np.diff(values[order], prepend=np.nan))
    moved[np.flatnonzero(np.diff(series[order], prepend=-1))] = np.nan
    found = np.empty_like(moved)
    found[order] = moved
    return found


def by_moving_range(values: Floats, series: NDArray[np.int64] | None = None) -> Dispersion:
    """What values in order of time scatter from one to the next of their series: the mean moving range of two by d2.

    series: as in `moving_ranges`. Source: NIST/SEMATECH e-Handbook 6.3.2.2.
    """
    if len(values) < 2:
        return UNKNOWN
    power = power_of(float(np.min(values)), float(np.max(values)))
    ranges = moving_ranges(np.ldexp(values, -power) if power else values, series)
    ranges = ranges[~np.isnan(ranges)]
    if len(ranges) == 0:
        return UNKNOWN
    ranged = 1 if series is None else int(np.count_nonzero(np.bincount(series) > 1))
    sigma = float(ranges.mean()) / D2_OF_TWO
    return Dispersion(scaled(sigma, power), freedom_of_moving_range(len(ranges), ranged))


def freedom_of_moving_range(ranges: int, series: int = 1) -> float:
    """Degrees of freedom that the mean of so many moving ranges of two is worth: 1 / 2v, where v is the variance of the
    estimate as a share of sigma squared. series: how many series of values have a range.

    Each range is of the size |x - y|; two that follow each other share a value, so their differences correlate by -1/2.
    About 0.605 for each range. Source of v: Hoel, Annals of Mathematical Statistics 17 (1946), 475-482.
    """
    own = math.pi / 2 - 1
    shared = math.sqrt(3) / 2 + math.pi / 12 - 1
    return ranges**2 / (2 * (ranges * own + 2 * (ranges - series) * shared))


def pooled(values: Floats, subgroups: NDArray[np.integer]) -> Dispersion:
    """What values scatter inside of their subgroups, given the number of each one's subgroup: the root of the mean
    variance, each by its degrees of freedom. Subgroups of one value say nothing.
    """
    if len(values) == 0:
        return UNKNOWN
    order = np.argsort(subgroups, kind="stable")
    together, starts = values[order], np.flatnonzero(np.diff(subgroups[order], prepend=-1))
    counts = np.diff(starts, append=len(values))
    freedom = len(values) - len(starts)
    if freedom < 1:
        return UNKNOWN
    power = power_of(float(np.min(values)), float(np.max(values)))
    shares = np.ldexp(together, -power) if power else together
    # From the first value of the subgroup, so that what its values have in common drowns nothing; of equals, 0.
    shares = shares - np.repeat(shares[starts], counts)
    deviations = shares - np.repeat(np.add.reduceat(shares, starts) / counts, counts)
    return Dispersion(scaled(math.sqrt(float(np.square(deviations).sum()) / freedom), power), freedom)
