"""The distribution of numbers: bins, percentiles, quartiles with whiskers, and the normal curve."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy
from msgspec import Struct

from runcard.analytics.answers import finite
from runcard.analytics.groups import Group
from runcard.analytics.statistics.moments import moments_of

Floats = npt.NDArray[np.float64]

MAX_BINS = 200
CURVE_POINTS = 101

_PERCENT = (1, 5, 25, 50, 75, 95, 99)
_WHISKER = 1.5


class Percentiles(Struct, frozen=True):
    """The values below which this share of all values lies, interpolated linearly between two values.

    None: the two values are too far apart for a double.
    """

    p1: float | None
    p5: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None
    p99: float | None


class Box(Struct, frozen=True):
    """Quartiles, and whiskers to the farthest values within 1.5 interquartile ranges. outliers: values beyond.

    Source: Tukey, Exploratory Data Analysis (1977).
    """

    whisker_low: float
    q1: float
    median: float
    q3: float
    whisker_high: float
    outliers: int


class Distribution(Struct, frozen=True):
    """The distribution of `n` numbers. counts: of each bin of the answer. A bin includes its lower edge, the last bin
    both edges.

    mean, lowest, highest: None without numbers. s: sample standard deviation (n - 1), None for fewer than two numbers.
    These, percentiles and box are None too if they are too large for a double.
    """

    group: Group
    n: int
    mean: float | None
    s: float | None
    lowest: float | None
    highest: float | None
    percentiles: Percentiles | None
    box: Box | None
    counts: Sequence[int]


class CurvePoint(Struct, frozen=True):
    """y: how many values a bin around x would have if the values were normal."""

    x: float
    y: float


def edges_of(ordered: Floats, bins: int | None) -> Floats:
    """The edges of bins of equal width over sorted numbers; empty without numbers, or if their range exceeds a double.

    bins: how many; None: by the rule of Freedman and Diaconis or, if half of the numbers are equal, the rule of
    Sturges, both as in NumPy, but at most MAX_BINS. If the numbers lie too close for that many bins, there is one bin.
    Source: Freedman and Diaconis, Zeitschrift für Wahrscheinlichkeitstheorie 57 (1981), 453-476.
    """
    if not len(ordered) or not np.isfinite(ordered[-1] - ordered[0]):
        return np.array([], np.float64)
    lowest, highest = ordered[0], ordered[-1]
    try:
        return np.histogram_bin_edges(ordered[[0, -1]], bins or _bin_count(ordered))
    except ValueError:
        start = lowest if lowest < highest else np.nextafter(lowest, 0)
        return np.sort(np.array([start, highest]))


def _bin_count(ordered: Floats) -> int:
    span, n = ordered[-1] - ordered[0], len(ordered)
    width = 2.0 * np.subtract(*np.quantile(ordered, (0.75, 0.25))) * n ** (-1.0 / 3.0)
    if not width > 0:
        width = span / (np.log2(n) + 1.0)
    return max(1, int(np.ceil(min(span / width, MAX_BINS)))) if width > 0 else 1


def distribution_of(group: Group, ordered: Floats, edges: Floats) -> Distribution:
    """The distribution of sorted numbers."""
    if not len(ordered):
        return Distribution(group, 0, None, None, None, None, None, None, [0] * max(len(edges) - 1, 0))
    moments = moments_of(ordered)
    quantiles = np.quantile(ordered, [percent / 100 for percent in _PERCENT])
    percentiles = [finite(quantile) for quantile in quantiles.tolist()]
    return Distribution(
        group=group,
        n=len(ordered),
        mean=moments.mean,
        s=moments.s,
        lowest=float(ordered[0]),
        highest=float(ordered[-1]),
        percentiles=Percentiles(*percentiles),
        box=_box(ordered, *percentiles[2:5]),
        counts=_counts(ordered, edges),
    )


def curve_of(total: Distribution, edges: Floats) -> Sequence[CurvePoint]:
    """The normal curve with the mean and standard deviation of these numbers, from the first edge to the last.

    Empty if mean or standard deviation is unknown, or all numbers are equal.
    """
    if not len(edges) or total.mean is None or not total.s:
        return []
    x = np.linspace(edges[0], edges[-1], CURVE_POINTS)
    scale = total.n * ((edges[-1] - edges[0]) / (len(edges) - 1))
    y = scale * scipy.stats.norm.pdf(x, total.mean, total.s)
    return (
        [CurvePoint(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
        if np.isfinite(y).all()
        else []
    )


def _box(ordered: Floats, q1: float | None, median: float | None, q3: float | None) -> Box | None:
    if q1 is None or median is None or q3 is None:
        return None
    reach = _WHISKER * (q3 - q1)
    first = int(np.searchsorted(ordered, q1 - reach, "left"))
    end = int(np.searchsorted(ordered, q3 + reach, "right"))
    # A quartile between two values may be nearer to the middle than any value within reach.
    low, high = min(float(ordered[first]), q1), max(float(ordered[end - 1]), q3)
    return Box(low, q1, median, q3, high, len(ordered) - (end - first))


def _counts(ordered: Floats, edges: Floats) -> Sequence[int]:
    if not len(edges):
        return []
    places = np.searchsorted(ordered, edges, "left")
    places[-1] = np.searchsorted(ordered, edges[-1], "right")
    counts: list[int] = np.diff(places).tolist()
    return counts
