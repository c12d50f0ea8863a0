"""How far means are apart: that of each sample from that of all the others together, whose variance may be another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.statistics.dispersion import Floats


class Difference(Struct, frozen=True):
    """In the measurement's unit of measure. low, high: the 95 % interval. p: of no difference (0..1)."""

    difference: float
    low: float
    high: float
    p: float


class _Moments(NamedTuple):
    """Of several samples, one in each place: how many values, their range and mean, the sum of their squared deviations
    from it.
    """

    n: Floats
    lowest: Floats
    highest: Floats
    mean: Floats
    squares: Floats


def differences_of(samples: Sequence[Floats]) -> Sequence[Difference | None]:
    """For each sample; None where it or all others together have fewer than two values, where neither has any spread,
    or where values are too far apart for a double.

    Source: Welch, Biometrika 34 (1947), 28-35, as in NIST/SEMATECH e-Handbook 7.3.1.
    """
    if not samples:
        return []
    # What is too large, or of too few values, becomes infinite or NaN, and then nothing is told.
    with np.errstate(all="ignore"):
        own = _moments(samples)
        others = _of_all_others(own)
        own_error, other_error = (one.squares / (one.n - 1) / one.n for one in (own, others))
        error, share = np.sqrt(own_error + other_error), own_error / (own_error + other_error)
        freedom = 1 / (share**2 / (own.n - 1) + (1 - share) ** 2 / (others.n - 1))
        difference = own.mean - others.mean
        half = scipy.special.stdtrit(freedom, 0.975) * error
        p = 2 * scipy.special.stdtr(freedom, -np.abs(difference / error))
    figures = np.array([difference, difference - half, difference + half, p]).T
    return [Difference(*row.tolist()) if np.isfinite(row).all() else None for row in figures]


def _moments(samples: Sequence[Floats]) -> _Moments:
    n, lowest, highest, total = np.array(
        [
            (len(one), np.min(one), np.max(one), np.sum(one)) if len(one) else (0, np.inf, -np.inf, 0)
            for one in samples
        ]
    ).T
    mean = _mean(total, n, lowest, highest)
    squares = [np.square(one - its_mean).sum() for one, its_mean in zip(samples, mean, strict=True)]
    return _Moments(n, lowest, highest, mean, np.array(squares))


def _of_all_others(own: _Moments) -> _Moments:
    """Of all samples but one together, without a look at their values.

    Source: Chan, Golub and LeVeque, The American Statistician 37 (1983), 242-247.
    """
    are_others = ~np.eye(len(own.n), dtype=bool)
    n = np.where(are_others, own.n, 0)
    total = np.where(n > 0, n * own.mean, 0).sum(axis=1)
    lowest = np.where(are_others, own.lowest, np.inf).min(axis=1)
    highest = np.where(are_others, own.highest, -np.inf).max(axis=1)
    mean = _mean(total, n.sum(axis=1), lowest, highest)
    apart = own.squares + n * np.square(own.mean - mean[:, None])
    return _Moments(n.sum(axis=1), lowest, highest, mean, np.where(n > 0, apart, 0).sum(axis=1))


def _mean(total: Floats, n: Floats, lowest: Floats, highest: Floats) -> Floats:
    """That of equals is what they are, however sums are rounded."""
    return np.where(lowest == highest, lowest, total / n)
