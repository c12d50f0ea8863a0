"""How much values scatter: overall, from one to the next, or within subgroups."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runcard.analytics.statistics.moments import Floats, Moments, moments_of, power_of, scaled

# d2 for two values: the mean range of two standard normal values (Tippett, Biometrika 17 (1925), 364-387).
D2_OF_TWO = 2 / math.sqrt(math.pi)


class Dispersion(NamedTuple):
    """An estimated standard deviation.

    sigma: 0 or more; None if the values are too few or too large. freedom: degrees of freedom of the chi-square
    distribution that sigma squared follows, at least nearly, if the values are normal.
    """

    sigma: float | None
    freedom: float


UNKNOWN = Dispersion(None, 0)


def are_equal(values: Floats) -> bool:
    """Whether all values are equal. Rounding would make their deviations slightly more than 0."""
    return len(values) == 0 or bool(np.min(values) == np.max(values))


def overall(values: Floats) -> Dispersion:
    """The sample standard deviation; unknown for fewer than two values."""
    return of_moments(moments_of(values))


def of_moments(moments: Moments) -> Dispersion:
    """The sample standard deviation of values with these moments; unknown for fewer than two values."""
    return UNKNOWN if moments.s is None else Dispersion(moments.s, moments.n - 1)


def moving_ranges(values: Floats, series: NDArray[np.int64] | None = None) -> Floats:
    """The distance of each value from the one before it in its series; NaN for the first of a series.

    series: the number of the series of each value, 0 or more; None: all values are one series.
    """
    if series is None or len(series) == 0 or np.min(series) == np.max(series):
        return np.abs(np.diff(values, prepend=np.nan))
    # NumPy sorts 16-bit numbers without comparing them.
    kind = np.uint16 if np.max(series) < 2**16 else np.int64
    order = np.argsort(series.astype(kind), kind="stable")
    moved: Floats = np.abs(np.diff(values[order], prepend=np.nan))
    moved[np.flatnonzero(np.diff(series[order], prepend=-1))] = np.nan
    found = np.empty_like(moved)
    found[order] = moved
    return found


def by_moving_range(values: Floats, series: NDArray[np.int64] | None = None) -> Dispersion:
    """The scatter from one value to the next of its series, in order of time: the mean moving range of two, over d2.

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
    """The degrees of freedom of the mean of this many moving ranges of two: 1 / 2v, where v is the variance of the
    estimate as a share of sigma squared. series: how many series of values have a range.

    Each range is |x - y|. Two neighbouring ranges share a value, so their differences correlate by -1/2. The result is
    about 0.605 for each range. Source of v: Hoel, Annals of Mathematical Statistics 17 (1946), 475-482.
    """
    own = math.pi / 2 - 1
    shared = math.sqrt(3) / 2 + math.pi / 12 - 1
    return ranges**2 / (2 * (ranges * own + 2 * (ranges - series) * shared))


def pooled(values: Floats, subgroups: NDArray[np.integer]) -> Dispersion:
    """The scatter within subgroups: the root of their mean variance, weighted by degrees of freedom.

    subgroups: the number of the subgroup of each value. A subgroup of a single value adds nothing.
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
    # Relative to the first value of the subgroup, so that a large common part drowns no digits. Equal values give 0.
    shares = shares - np.repeat(shares[starts], counts)
    deviations = shares - np.repeat(np.add.reduceat(shares, starts) / counts, counts)
    return Dispersion(scaled(math.sqrt(float(np.square(deviations).sum()) / freedom), power), freedom)
