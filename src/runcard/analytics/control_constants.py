"""What control charts multiply by: how the spread of a small normal sample is distributed.

d2, d3: mean and standard deviation of the range, c4: mean of the standard deviation, of `size` independent values with
sigma 1. From these follow the factors of the charts. Definitions: Montgomery, Introduction to Statistical Quality
Control, appendix VI; ASTM E2587.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]

# Beyond it no normal value of any sample that fits a chart makes a difference to a double.
_FARTHEST = 10.0
_NODES = 200


class RangeMoments(NamedTuple):
    d2: float
    d3: float


class Factors(NamedTuple):
    """What the mean spread of subgroups of one size is multiplied by.

    location: half the width between the limits of means (A2 or A3). lower, upper: limits of the spread (D3 and D4, or
    B3 and B4). per_sigma: the spread that sigma 1 makes on average (d2 or c4).
    """

    location: float
    lower: float
    upper: float
    per_sigma: float


def c4(size: int) -> float:
    """Mean standard deviation of `size` >= 2 values, in sigmas.

    Source: NIST/SEMATECH e-Handbook 6.3.2.
    """
    half = (size - 1) / 2
    return float(scipy.special.poch(half, 0.5)) / math.sqrt(half)


@lru_cache(maxsize=1024)
def range_moments(size: int) -> RangeMoments:
    """Mean and standard deviation of the range of `size` >= 2 values, in sigmas.

    Its distribution is F(w) = n ∫ φ(x) (Φ(x + w) - Φ(x))ⁿ⁻¹ dx; its moments are ∫ (1 - F) dw and 2 ∫ w (1 - F) dw.
    Source: Tippett, Biometrika 17 (1925), 364-387.
    """
    x, x_weights = _nodes(-_FARTHEST, _FARTHEST)
    w, w_weights = _nodes(0.0, 2 * _FARTHEST)
    within = scipy.special.ndtr(x[:, None] + w) - scipy.special.ndtr(x)[:, None]
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    beyond = 1 - size * (x_weights * density) @ within ** (size - 1)
    mean = float(w_weights @ beyond)
    return RangeMoments(mean, math.sqrt(float(2 * w_weights @ (w * beyond)) - mean * mean))


def range_factors(size: int) -> Factors:
    """A2, D3, D4 and d2."""
    d2, d3 = range_moments(size)
    return _factors(size, d2, d3)


def deviation_factors(size: int) -> Factors:
    """A3, B3, B4 and c4."""
    mean = c4(size)
    return _factors(size, mean, math.sqrt(1 - mean * mean))


def _factors(size: int, mean: float, deviation: float) -> Factors:
    swing = 3 * deviation / mean
    return Factors(3 / (mean * math.sqrt(size)), max(0.0, 1 - swing), 1 + swing, mean)


def _nodes(start: float, end: float) -> tuple[Floats, Floats]:
    """Places to look at a function between two points, and the weights that integrate it (Gauss-Legendre)."""
    nodes, weights = scipy.special.roots_legendre(_NODES)
    half = (end - start) / 2
    return start + half * (nodes + 1), half * weights
