"""Whether the means of groups differ: each from that of all others, and all of them from one."""

from collections.abc import Sequence

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.statistics.moments import Floats, Moments, in_common, scaled


class Difference(Struct, frozen=True):
    """In the measurement's unit of measure. low, high: the 95 % interval. p: of no difference (0..1)."""

    difference: float
    low: float
    high: float
    p: float


class TestResult(Struct, frozen=True):
    """statistic: F, or H. p: how likely so much is by chance, were the groups alike (0..1)."""

    statistic: float
    p: float


def differences_of(moments: Sequence[Moments]) -> Sequence[Difference | None]:
    """For each group, whose variance may be another; None where it or all others together have fewer than two values,
    where neither has any spread, or where values are too far apart for a double.

    Source: Welch, Biometrika 34 (1947), 28-35, as in NIST/SEMATECH e-Handbook 7.3.1.
    """
    if not moments:
        return []
    n, offset, squares, power = in_common(moments)
    other_n, difference, other_squares = _from_all_others(n, offset, squares)
    # What is of too few values becomes infinite or NaN, and then nothing is told.
    with np.errstate(all="ignore"):
        own_error, other_error = squares / (n - 1) / n, other_squares / (other_n - 1) / other_n
        error, share = np.sqrt(own_error + other_error), own_error / (own_error + other_error)
        freedom = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (other_n - 1))
        half = scipy.special.stdtrit(freedom, 0.975) * error
        p = 2 * scipy.special.stdtr(freedom, -np.abs(difference / error))
    figures = np.array([difference, difference - half, difference + half]).T
    return [_difference(row, chance, power) for row, chance in zip(figures.tolist(), p.tolist(), strict=True)]


def anova_of(moments: Sequence[Moments]) -> TestResult | None:
    """One-way analysis of variance; groups of one value count as all others do.

    None of fewer than two groups, of no more values than groups, or without spread in any group, where F has no end.
    Source: NIST/SEMATECH e-Handbook 7.4.3.
    """
    groups, count = len(moments), sum(one.n for one in moments)
    if groups < 2 or count <= groups:
        return None
    n, offset, squares, _ = in_common(moments)
    # Twice, because the first mean is rounded as the offsets are.
    offset = offset - (n * offset).sum() / count
    offset = offset - (n * offset).sum() / count
    between, within = float((n * np.square(offset)).sum()), float(squares.sum())
    if not within > 0:
        return None
    statistic = between / (groups - 1) / (within / (count - groups))
    p = float(scipy.special.fdtrc(groups - 1, count - groups, statistic))
    return TestResult(statistic, p) if np.isfinite([statistic, p]).all() else None


def _from_all_others(n: Floats, offset: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
    """How many all others together are, by how much the mean of each is above theirs, and their squared deviations.

    Without a look at their values: see `moments`.
    """
    weights = np.where(np.eye(len(n), dtype=bool), 0.0, n)
    other_n = weights.sum(axis=1)
    with np.errstate(all="ignore"):
        # Of groups that are equal the difference is nothing, however sums are rounded.
        difference = (weights * (offset[:, None] - offset)).sum(axis=1) / other_n
        apart = np.where(
            weights > 0, squares + weights * np.square(offset - offset[:, None] + difference[:, None]), 0
        )
    are_equal = np.array([_are_equal(offset[row > 0], squares[row > 0]) for row in weights])
    return other_n, difference, np.where(are_equal, 0.0, apart.sum(axis=1))


def _are_equal(offset: Floats, squares: Floats) -> bool:
    """Whether groups hold one value all together: then rounding must not make a little spread of nothing."""
    return len(offset) == 0 or (not squares.any() and bool(np.ptp(offset) == 0))


def _difference(figures: Sequence[float], p: float, power: int) -> Difference | None:
    told = [scaled(one, power) if np.isfinite(one) else None for one in figures]
    difference, low, high = told
    if difference is None or low is None or high is None or not np.isfinite(p):
        return None
    return Difference(difference, low, high, p)
