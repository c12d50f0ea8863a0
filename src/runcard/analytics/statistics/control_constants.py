"""The distribution of the spread of small normal samples, by which control charts judge spreads.

The published factors follow from it. d2 and d3 are mean and deviation of the range; c4 is the mean of the standard
deviation; D3 and D4, or B3 and B4, are `lower` and `upper`; A2 and A3 are 3 / (mean √size). Definitions: Montgomery,
Introduction to Statistical Quality Control, appendix VI; ASTM E2587.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]

# In sigmas: as far as a double can tell, no value lies farther out in a sample of a size that fits a chart.
_FARTHEST = 8.5
_NODES = 160


class Spread(NamedTuple):
    """Mean and standard deviation of the spread of samples of one size, for values with standard deviation 1."""

    mean: float
    deviation: float

    @property
    def lower(self) -> float:
        """The lower three-sigma limit as a multiple of the mean; at least 0."""
        return max(0.0, 1 - 3 * self.deviation / self.mean)

    @property
    def upper(self) -> float:
        return 1 + 3 * self.deviation / self.mean


def c4(size: int) -> float:
    """The mean standard deviation of `size` >= 2 values. Source: NIST/SEMATECH e-Handbook 6.3.2."""
    half = (size - 1) / 2
    return float(scipy.special.poch(half, 0.5)) / math.sqrt(half)


def deviation_spread(size: int) -> Spread:
    """The spread as the standard deviation of `size` >= 2 values."""
    mean = c4(size)
    return Spread(mean, math.sqrt(1 - mean * mean))


@lru_cache(maxsize=1024)
def range_spread(size: int) -> Spread:
    """The spread as the range of `size` >= 2 values: exact to 10 digits up to size 100, to 7 digits up to 5 000.

    The range is at most w with probability F(w) = n ∫ φ(x) (Φ(x + w) - Φ(x))ⁿ⁻¹ dx. Its first two moments are
    ∫ (1 - F) dw and 2 ∫ w (1 - F) dw. Source: Tippett, Biometrika 17 (1925), 364-387.
    """
    x, x_weights = _nodes(-_FARTHEST, _FARTHEST)
    w, w_weights = _nodes(0.0, 2 * _FARTHEST)
    within = scipy.special.ndtr(x[:, None] + w) - scipy.special.ndtr(x)[:, None]
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    beyond = 1 - size * (x_weights * density) @ within ** (size - 1)
    mean = float(w_weights @ beyond)
    return Spread(mean, math.sqrt(float(2 * w_weights @ (w * beyond)) - mean * mean))


def _nodes(start: float, end: float) -> tuple[Floats, Floats]:
    """The points between start and end at which to evaluate a function, and their weights in its integral
    (Gauss-Legendre).
    """
    nodes, weights = scipy.special.roots_legendre(_NODES)
    half = (end - start) / 2
    return start + half * (nodes + 1), half * weights
