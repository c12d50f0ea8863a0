"""Whether the means of groups differ: each from that of all other groups together, and all from one another."""

from collections.abc import Sequence

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.statistics.moments import Floats, Moments, in_common, scaled


class Difference(Struct, frozen=True):
    """In the measurement's unit of measure. low, high: the 95 % interval. p: the p-value of no difference, 0 to 1."""

    difference: float
    low: float
    high: float
    p: float


class TestResult(Struct, frozen=True):
    """statistic: F or H. p: the probability of such a statistic by chance if the groups were alike, 0 to 1."""

    statistic: float
    p: float


def differences_of(moments: Sequence[Moments]) -> Sequence[Difference | None]:
    """The difference of each group from all others together. Their variances may differ. None if the group or the
    others have fewer than two values, if neither has any spread, or if values are too far apart for a double.

    Source: Welch, Biometrika 34 (1947), 28-35, as in NIST/SEMATECH e-Handbook 7.3.1.
    """
    if not moments:
        return []
    n, offset, squares, power = in_common(moments)
    other_n, difference, other_squares = _from_all_others(n, offset, squares)
    # Figures of too few values become infinite or NaN, and then None.
    with np.errstate(all="ignore"):
        own_error, other_error = squares / (n - 1) / n, other_squares / (other_n - 1) / other_n
        error, share = np.sqrt(own_error + other_error), own_error / (own_error + other_error)
        freedom = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (other_n - 1))
        half = scipy.special.stdtrit(freedom, 0.975) * error
        p = 2 * scipy.special.stdtr(freedom, -np.abs(difference / error))
    figures = np.array([difference, difference - half, difference + half]).T
    return [_difference(row, chance, power) for row, chance in zip(figures.tolist(), p.tolist(), strict=True)]


def anova_of(moments: Sequence[Moments]) -> TestResult | None:
    """The one-way analysis of variance. Groups of a single value count too.

    None for fewer than two groups, for no more values than groups, or if no group has spread, because F would be
    infinite. Source: NIST/SEMATECH e-Handbook 7.4.3.
    """
    groups, count = len(moments), sum(of_group.n for of_group in moments)
    if groups < 2 or count <= groups:
        return None
    n, offset, squares, _ = in_common(moments)
    # Twice, because the first mean is rounded like the offsets.
    offset = offset - (n * offset).sum() / count
    offset = offset - (n * offset).sum() / count
    between, within = float((n * np.square(offset)).sum()), float(squares.sum())
    if not within > 0:
        return None
    statistic = between / (groups - 1) / (within / (count - groups))
    p = float(scipy.special.fdtrc(groups - 1, count - groups, statistic))
    return TestResult(statistic, p) if np.isfinite([statistic, p]).all() else None


def _from_all_others(n: Floats, offset: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
    """For each group: the count of all others together, how far its mean is above theirs, and their squared deviations.

    Computed from moments, without the values: see `moments`.
    """
    weights = np.where(np.eye(len(n), dtype=bool), 0.0, n)
    other_n = weights.sum(axis=1)
    with np.errstate(all="ignore"):
        # Equal groups have a difference of exactly 0, however sums are rounded.
        difference = (weights * (offset[:, None] - offset)).sum(axis=1) / other_n
        apart = np.where(
            weights > 0, squares + weights * np.square(offset - offset[:, None] + difference[:, None]), 0
        )
    are_equal = np.array([_are_equal(offset[row > 0], squares[row > 0]) for row in weights])
    return other_n, difference, np.where(are_equal, 0.0, apart.sum(axis=1))


def _are_equal(offset: Floats, squares: Floats) -> bool:
    """Whether all values of the groups are the same. Then rounding must not make a spread."""
    return len(offset) == 0 or (not squares.any() and bool(np.ptp(offset) == 0))


def _difference(figures: Sequence[float], p: float, power: int) -> Difference | None:
    difference, low, high = (scaled(figure, power) if np.isfinite(figure) else None for figure in figures)
    if difference is None or low is None or high is None or not np.isfinite(p):
        return None
    return Difference(difference, low, high, p)
