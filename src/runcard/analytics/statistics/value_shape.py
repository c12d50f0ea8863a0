"""How values are distributed: whether they are normal, and figures that also hold if they are not."""

import math

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.statistics.dispersion import are_equal
from runcard.analytics.statistics.moments import Floats, moments_of
from runcard.domain.runs.limit import Interval

# The shares below minus three sigmas, the middle and plus three sigmas of a normal distribution.
_REFERENCE = (0.00135, 0.5, 0.99865)
# This many values have, on average, one below the 0.135 % percentile.
_FEWEST_FOR_PERCENTILES = math.ceil(1 / _REFERENCE[0])
# The test rejects nothing with fewer values than this, and everything with more.
_FEWEST_JUDGED = 8
_MOST_JUDGED = 5000
_FARTHEST_ADJUSTED = 153.467
# Tukey, Exploratory Data Analysis (1977): the inner fences, in interquartile ranges.
_FENCE = 1.5
_FEWEST_WITH_SKEW = 3


class Normality(Struct, frozen=True):
    """The Anderson-Darling test, with mean and sigma estimated. n: values judged. statistic: A²; larger is less normal.

    p_value: the probability that values of a normal distribution deviate this much, 0 to 1.
    """

    n: int
    statistic: float
    p_value: float


class PercentileIndices(Struct, frozen=True):
    """Capability for any distribution, with percentiles in place of mean and three sigmas.

    low, median, high: the 0.135 %, 50 % and 99.865 % percentiles, in the unit of the values. pp, ppl, ppu, ppk: None
    without the limits that they need, or if the percentiles do not differ.
    """

    low: float
    median: float
    high: float
    pp: float | None
    ppl: float | None
    ppu: float | None
    ppk: float | None


def normality_of(values: Floats) -> Normality | None:
    """Whether values may come from a normal distribution; None for fewer than 8 values, or if all are equal.

    Of more than 5000 values, 5000 are judged, evenly spaced in their order. Source: Stephens, JASA 69 (1974), 730-737;
    NIST/SEMATECH e-Handbook 7.2.1.3. SciPy is not used: its p-values end at 0.01 and 0.15.
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
    """The values, not all equal, as standard deviations from their mean."""
    n, centre, offset, squares, power = moments_of(values)
    shares = np.ldexp(values, -power) if power else values
    standardized: Floats = (shares - centre - offset) / math.sqrt(squares / (n - 1))
    return standardized


def _chance_of_normal(adjusted: float) -> float:
    """The p-value of A² adjusted for the number of values.

    Source: D'Agostino and Stephens, Goodness-of-Fit Techniques (1986), table 4.9. Beyond 153, where the formula would
    rise again, it is that of 153, which is practically 0.
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
    """The indices of sorted values by the percentile method; None for fewer than 741 values, which cannot show the
    0.135 % percentile.

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
    """The adjusted Fisher-Pearson coefficient, 0 for symmetric values; None for fewer than 3, or if all are equal.

    Source: NIST/SEMATECH e-Handbook 1.3.5.11. SciPy's takes ten times longer, because it raises to a power.
    """
    n = len(values)
    if n < _FEWEST_WITH_SKEW or are_equal(values):
        return None
    with np.errstate(all="ignore"):
        # In standard deviations, whose powers fit a double however large or small the values are.
        deviations = _standardized(values)
        squares = deviations * deviations
        found = (
            float(np.mean(squares * deviations) / squares.mean() ** 1.5) * math.sqrt(n * (n - 1)) / (n - 2)
        )
    return found if math.isfinite(found) else None


def count_outliers(ordered: Floats) -> int:
    """How many of the sorted values lie beyond Tukey's fences."""
    if len(ordered) == 0:
        return 0
    first, third = _quantiles(ordered, (0.25, 0.75))
    fence = _FENCE * (third - first)
    below = np.searchsorted(ordered, first - fence, "left")
    beyond = len(ordered) - np.searchsorted(ordered, third + fence, "right")
    return int(below + beyond)


def _quantiles(ordered: Floats, shares: tuple[float, ...]) -> list[float]:
    """The quantiles, interpolated linearly; of halves, because two values may be too far apart for a double."""
    return [2 * float(half) for half in np.quantile(ordered / 2, shares)]


def _share(distance: float, spread: float) -> float | None:
    found = distance / spread if 0 < spread < math.inf else math.inf
    return found if math.isfinite(found) else None


def _lesser(ppl: float | None, ppu: float | None) -> float | None:
    return min((index for index in (ppl, ppu) if index is not None), default=None)
