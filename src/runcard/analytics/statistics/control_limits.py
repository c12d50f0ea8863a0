"""Control limits: the points of a process in control lie within three sigma of the mean.

Sources: NIST/SEMATECH e-Handbook 6.3.2.1 (X-bar with R and S) and 6.3.2.2 (individuals); for subgroups of unequal
sizes: Burr, Journal of Quality Technology 1 (1969), 163-167.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct

from runcard.analytics.answers import finite
from runcard.analytics.statistics.control_constants import Spread, deviation_spread, range_spread
from runcard.analytics.statistics.dispersion import moving_ranges
from runcard.analytics.statistics.subgroups import Floats, Integers, Subgroups

ChartKind = Literal["i_mr", "xbar_r", "xbar_s"]


class ControlLimits(Struct, frozen=True):
    """Control limits of points that are the mean of `size` values, and of their spread.

    None: sigma is unknown, or the points are too far apart for a double. Limits of the spread are None too if a
    subgroup has a single value.
    """

    size: int
    lower: float | None
    upper: float | None
    spread_centre: float | None
    spread_lower: float | None
    spread_upper: float | None


class Fitted(NamedTuple):
    """Points, and the centre and sigma of their process. spreads: of each point; NaN if it has none.

    centre: mean of the values. sigma: their standard deviation within subgroups, or from one value to the next. NaN:
    unknown.
    """

    kind: ChartKind
    sizes: Integers
    means: Floats
    spreads: Floats
    centre: float
    sigma: float

    @property
    def z(self) -> Floats:
        """The distance of each point from the centre line, in its own sigmas. Needs a sigma that is not 0 or NaN.

        Rounded, so that a point on a line stays on it however the mean was rounded.
        """
        return np.round((self.means - self.centre) * np.sqrt(self.sizes) / self.sigma, 9)

    def limits(self) -> Sequence[ControlLimits]:
        """The control limits for each size of subgroup that occurs, in order of size."""
        return [self._limits(size) for size in np.unique(self.sizes).tolist()]

    def beyond_in_spread(self) -> Sequence[int]:
        """The points whose spread is beyond its limits."""
        found: list[int] = []
        for limits in self.limits():
            if limits.spread_lower is not None and limits.spread_upper is not None:
                beyond = (self.spreads > limits.spread_upper) | (self.spreads < limits.spread_lower)
                found += np.flatnonzero(beyond & (self.sizes == limits.size)).tolist()
        return sorted(found)

    def _limits(self, size: int) -> ControlLimits:
        half = 3 * self.sigma / size**0.5
        lower, upper = finite(self.centre - half), finite(self.centre + half)
        sample = _sample_size(self.kind, size)
        if sample == 1:
            return ControlLimits(size, lower, upper, None, None, None)
        spread = _spread(self.kind, sample)
        centre = spread.mean * self.sigma
        return ControlLimits(
            size, lower, upper, finite(centre), finite(centre * spread.lower), finite(centre * spread.upper)
        )


def fit(kind: ChartKind, points: Subgroups, series: Integers | None = None) -> Fitted:
    """Centre line and sigma of points in order of time, at least one. series: as in `moving_ranges`, for i_mr."""
    if kind == "i_mr":
        spreads = moving_ranges(points.means, series)
    else:
        spreads = points.ranges if kind == "xbar_r" else points.deviations
    centre = float(np.average(points.means, weights=points.sizes))
    return Fitted(kind, points.sizes, points.means, spreads, centre, _sigma(kind, points.sizes, spreads))


def _sigma(kind: ChartKind, sizes: Integers, spreads: Floats) -> float:
    """The mean of the estimates of sigma from each spread, weighted by the inverse of their variance."""
    has_spread = ~np.isnan(spreads)
    if not has_spread.any():
        return np.nan
    estimates, weights = np.zeros(len(sizes)), np.zeros(len(sizes))
    for size in np.unique(sizes[has_spread]).tolist():
        spread = _spread(kind, _sample_size(kind, size))
        of_size = has_spread & (sizes == size)
        estimates[of_size] = spreads[of_size] / spread.mean
        weights[of_size] = (spread.mean / spread.deviation) ** 2
    return float(np.average(estimates, weights=weights))


def _sample_size(kind: ChartKind, size: int) -> int:
    """The number of values in a spread. The spread of an individual value is its range with the value before."""
    return 2 if kind == "i_mr" else size


def _spread(kind: ChartKind, size: int) -> Spread:
    return deviation_spread(size) if kind == "xbar_s" else range_spread(size)
