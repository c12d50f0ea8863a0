"""Capability indices: the width of the limits compared with the scatter of the process, each with its interval."""

import math
from typing import NamedTuple

import scipy
from msgspec import Struct

from runcard.analytics.statistics.dispersion import Dispersion
from runcard.domain.runs.limit import Interval

# Two-sided, 95 %: the share below the interval, and the normal quantile at its upper end.
_BELOW = 0.025
_Z = 1.959963984540054


class Index(Struct, frozen=True):
    """low, high: the 95 % interval; None for a sample.

    All three are None if there is no index: a limit that it needs is missing, the values do not scatter or are too few,
    or the limits exclude every value.
    """

    value: float | None
    low: float | None
    high: float | None


class PartsPerMillion(Struct, frozen=True):
    """Values outside of the limits, 0 to 1e6. below, above: None without that limit. total: None without any limit.
    Without values all three are None.
    """

    below: float | None
    above: float | None
    total: float | None


class Indices(NamedTuple):
    """both: of both limits (Cp, Pp). lower, upper: of one limit (Cpl, Cpu; Ppl, Ppu). worst: the lesser of lower and
    upper (Cpk, Ppk), or the only one of them.
    """

    both: Index
    lower: Index
    upper: Index
    worst: Index


NO_INDEX = Index(None, None, None)
_NO_INDICES = Indices(NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX)


def indices_of(n: int, mean: float | None, dispersion: Dispersion, limits: Interval) -> Indices:
    """The indices of n values with this mean and scatter.

    Sources: NIST/SEMATECH e-Handbook 6.1.6, also for the interval of Cp (chi-square). The other intervals are normal,
    by Bissell, Applied Statistics 39 (1990), 331-340, with the degrees of freedom of sigma in place of n - 1.
    """
    sigma, freedom = dispersion
    if mean is None or not sigma or limits.is_empty:
        return _NO_INDICES
    both = NO_INDEX
    if limits.lower is not None and limits.upper is not None:
        both = _of_width((limits.upper - limits.lower) / sigma / 6, freedom)
    lower = NO_INDEX if limits.lower is None else _of_distance((mean - limits.lower) / sigma / 3, n, freedom)
    upper = NO_INDEX if limits.upper is None else _of_distance((limits.upper - mean) / sigma / 3, n, freedom)
    return Indices(both, lower, upper, _worst(lower, upper))


def without_intervals(indices: Indices) -> Indices:
    """The indices without intervals, for a sample whose accuracy is unknown."""
    return Indices._make(Index(index.value, None, None) for index in indices)


def expected_outside(mean: float | None, sigma: float | None, limits: Interval) -> PartsPerMillion:
    """The parts of a normal distribution that lie outside of the limits, whether these are strict or not."""
    if mean is None or not sigma:
        return PartsPerMillion(None, None, None)
    return _parts(
        None if limits.lower is None else float(scipy.special.ndtr((limits.lower - mean) / sigma)),
        None if limits.upper is None else float(scipy.special.ndtr((mean - limits.upper) / sigma)),
    )


def observed_outside(n: int, below: int, above: int, limits: Interval) -> PartsPerMillion:
    """The parts of n values that were outside of the limits, given the counts on each side."""
    if n == 0:
        return PartsPerMillion(None, None, None)
    return _parts(None if limits.lower is None else below / n, None if limits.upper is None else above / n)


def _of_width(value: float, freedom: float) -> Index:
    if not math.isfinite(value):
        return NO_INDEX
    low, high = (
        value * math.sqrt(scipy.special.chdtri(freedom, above) / freedom) for above in (1 - _BELOW, _BELOW)
    )
    return Index(value, low, high)


def _of_distance(value: float, n: int, freedom: float) -> Index:
    half = _Z * math.hypot(1 / (3 * math.sqrt(n)), value / math.sqrt(2 * freedom))
    return Index(value, value - half, value + half) if math.isfinite(half) else NO_INDEX


def _worst(lower: Index, upper: Index) -> Index:
    """The lesser index with its own interval: intervals of equal values have the same width."""
    known = [index for index in (lower, upper) if index.value is not None]
    return min(known, key=lambda index: index.value or 0.0, default=NO_INDEX)


def _parts(below: float | None, above: float | None) -> PartsPerMillion:
    known = [share for share in (below, above) if share is not None]
    return PartsPerMillion(
        None if below is None else 1e6 * below,
        None if above is None else 1e6 * above,
        1e6 * min(sum(known), 1.0) if known else None,
    )
