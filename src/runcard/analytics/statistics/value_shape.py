"""How values are distributed: whether as a normal distribution is, and what can be said where they are not."""

import math

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.statistics.dispersion import are_equal
from runcard.analytics.statistics.moments import Floats, moments_of
from runcard.domain.runs.limit import Interval

# What three sigmas leave out on each side, and the middle.
_REFERENCE = (0.00135, 0.5, 0.99865)
# So many have one value beyond the 0.135 % percentile on average.
_FEWEST_FOR_PERCENTILES = math.ceil(1 / _REFERENCE[0])
# Fewer values than these reject nothing, and more reject everything.
_FEWEST_JUDGED = 8
_MOST_JUDGED = 5000
_FARTHEST_ADJUSTED = 153.467
# Tukey, Exploratory Data Analysis (1977): the inner fences, in distances between the quartiles.
_FENCE = 1.5
_FEWEST_WITH_SKEW = 3


class Normality(Struct, frozen=True):
    """Anderson-Darling, mean and sigma estimated. n: values judged. statistic: A²; the larger, the less normal.

    p_value: how likely a normal distribution deviates so much (0..1).
    """

    n: int
    statistic: float
    p_value: float


class PercentileIndices(Struct, frozen=True):
    """Capability whatever the distribution: percentiles in place of mean and three sigmas, in the values' unit.

    low, median, high: the 0.135 %, 50 % and 99.865 % percentiles. pp, ppl, ppu, ppk: None without the limits that they
    need, or where the percentiles do not differ.
    """

    low: float
    median: float
    high: float
    pp: float | None
    ppl: float | None
    ppu: float | None
    ppk: float | None


def normality_of(values: Floats) -> Normality | None:
    """Whether values may come from a normal distribution; None for fewer than 8, or for values that are all equal.

    Of more than 5000, so many are judged, evenly spaced in the order that they have. Source: Stephens, JASA 69 (1974),
    730-737; NIST/SEMATECH e-Handbook 7.2.1.3. SciPy's p-values end at 0.01 and 0.15.
    """
    judged = values
    if len(values) > _MOST_JUDGED:
        judged = values[np.linspace(0, len(values) - 1, _MOST_JUDGED).astype(np.intp)]
    if len(judged) < _FEWEST_JUDGED or are_equal(judged):
        return None
    n = len(judged)
    shares = np.sort(_standardized(judged))
    weights = 2.0 * np.arange(1, n + 1) - 1
    statistic = (
        -n
        - float((weights * (scipy.special.log_ndtr(shares) + scipy.special.log_ndtr(-shares[::-1]))).sum())
        / n
    )
    return Normality(n, statistic, _chance_of_normal(statistic * (1 + 0.75 / n + 2.25 / n**2)))


def _standardized(values: Floats) -> Floats:
    """Values that differ, in standard deviations from their mean."""
    n, centre, offset, squares, power = moments_of(values)
    shares = np.ldexp(values, -power) if power else values
    standardized: Floats = (shares - centre - offset) / math.sqrt(squares / (n - 1))
    return standardized


def _chance_of_normal(adjusted: float) -> float:
    """The p-value of A² adjusted for the number of values.

    Source: D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.9; beyond 153, where the formula turns
    back, that of 153, which is nothing.
    """
    a = min(adjusted, _FARTHEST_ADJUSTED)
    if a < 0.2:
        return 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a * a)
    if a < 0.34:
        return 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a * a)
    if a < 0.6:
        return math.exp(0.9177 - 4.279 * a - 1.38 * a * a)
    return math.exp(1.2937 - 5.709 * a + 0.0186 * a * a)


def percentile_indices(ordered: Floats, limits: Interval) -> PercentileIndices | None:
    """The percentile method, given values by size; None for fewer than 741, which do not show such percentiles.

    Source: ISO 22514-2 and NIST/SEMATECH e-Handbook 6.1.6; percentiles are interpolated linearly between values.
    """
    if len(ordered) < _FEWEST_FOR_PERCENTILES:
        return None
    low, median, high = _quantiles(ordered, _REFERENCE)
    lower, upper = limits.lower, limits.upper
    ppl = None if lower is None else _share(median - lower, median - low)
    ppu = None if upper is None else _share(upper - median, high - median)
    pp = None if lower is None or upper is None else _share(upper - lower, high - low)
    return PercentileIndices(low, median, high, pp, ppl, ppu, _lesser(ppl, ppu))


def skewness_of(values: Floats) -> float | None:
    """The adjusted Fisher-Pearson coefficient, 0 where values are symmetric; None for fewer than 3, or all equal.

    Source: NIST/SEMATECH e-Handbook 1.3.5.11. SciPy's takes ten times longer, because it raises to a power.
    """
    n = len(values)
    if n < _FEWEST_WITH_SKEW or are_equal(values):
        return None
    with np.errstate(all="ignore"):
        # In standard deviations, whose powers are numbers, however large or small the values are.
        deviations = _standardized(values)
        squares = deviations * deviations
        found = (
            float(np.mean(squares * deviations) / squares.mean() ** 1.5) * math.sqrt(n * (n - 1)) / (n - 2)
        )
    return found if math.isfinite(found) else None


def count_outliers(ordered: Floats) -> int:
    """How many values, given by size, lie beyond Tukey's fences."""
    if len(ordered) == 0:
        return 0
    first, third = _quantiles(ordered, (0.25, 0.75))
    fence = _FENCE * (third - first)
    below = np.searchsorted(ordered, first - fence, "left")
    beyond = len(ordered) - np.searchsorted(ordered, third + fence, "right")
    return int(below + beyond)


def _quantiles(ordered: Floats, shares: tuple[float, ...]) -> list[float]:
    """Between two values linearly; taken of halves, because the whole of what lies between may be no double."""
    return [2 * float(one) for one in np.quantile(ordered / 2, shares)]


def _share(distance: float, spread: float) -> float | None:
    found = distance / spread if 0 < spread < math.inf else math.inf
    return found if math.isfinite(found) else None


def _lesser(ppl: float | None, ppu: float | None) -> float | None:
    return min((one for one in (ppl, ppu) if one is not None), default=None)
