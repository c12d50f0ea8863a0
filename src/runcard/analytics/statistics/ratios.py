"""Shares of a whole, with their confidence intervals."""

import math

from msgspec import Struct

# The 97.5 % quantile of the normal distribution: two-sided, 95 %.
_Z = 1.959963984540054


class Ratio(Struct, frozen=True):
    """`count` of `n`. low, high: the 95 % Wilson interval. ratio, low, high: from 0 to 1; None if n is 0."""

    count: int
    n: int
    ratio: float | None
    low: float | None
    high: float | None


def ratio_of(count: int, n: int) -> Ratio:
    """The share of `count` in `n`, with its score interval without continuity correction.

    Source: Wilson, Journal of the American Statistical Association 22 (1927), 209-212; NIST/SEMATECH e-Handbook
    7.2.4.1.
    """
    if n == 0:
        return Ratio(0, 0, None, None, None)
    share, weight = count / n, _Z * _Z / n
    centre = (share + weight / 2) / (1 + weight)
    half = _Z * math.sqrt((share * (1 - share) + weight / 4) / n) / (1 + weight)
    # Rounding must not put a share outside of its own interval.
    return Ratio(count, n, share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))
