"""The factors of control charts, against the published tables."""

import math
from collections.abc import Sequence

import capstat_core
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from shewhart import constants as shewhart

from runcard.analytics.statistics.control_constants import c4, deviation_spread, range_spread

# Montgomery, Introduction to Statistical Quality Control, appendix VI, as ASTM E2587 table 1 has it for the same sizes.
_PUBLISHED: Sequence[tuple[float, ...]] = [
    # n, A2, A3, c4, B3, B4, d2, d3, D3, D4
    (2, 1.880, 2.659, 0.7979, 0.0, 3.267, 1.128, 0.853, 0.0, 3.267),
    (3, 1.023, 1.954, 0.8862, 0.0, 2.568, 1.693, 0.888, 0.0, 2.574),
    (4, 0.729, 1.628, 0.9213, 0.0, 2.266, 2.059, 0.880, 0.0, 2.282),
    (5, 0.577, 1.427, 0.9400, 0.0, 2.089, 2.326, 0.864, 0.0, 2.114),
    (6, 0.483, 1.287, 0.9515, 0.030, 1.970, 2.534, 0.848, 0.0, 2.004),
    (7, 0.419, 1.182, 0.9594, 0.118, 1.882, 2.704, 0.833, 0.076, 1.924),
    (8, 0.373, 1.099, 0.9650, 0.185, 1.815, 2.847, 0.820, 0.136, 1.864),
    (9, 0.337, 1.032, 0.9693, 0.239, 1.761, 2.970, 0.808, 0.184, 1.816),
    (10, 0.308, 0.975, 0.9727, 0.284, 1.716, 3.078, 0.797, 0.223, 1.777),
    (15, 0.223, 0.789, 0.9823, 0.428, 1.572, 3.472, 0.756, 0.347, 1.653),
    (20, 0.180, 0.680, 0.9869, 0.510, 1.490, 3.735, 0.729, 0.415, 1.585),
    (25, 0.153, 0.606, 0.9896, 0.565, 1.435, 3.931, 0.708, 0.459, 1.541),
]
_SIZES = [2, 3, 5, 10, 25, 50]


@pytest.mark.parametrize("row", _PUBLISHED, ids=lambda row: f"n={row[0]}")
def test_factors_are_the_published_ones(row: tuple[float, ...]):
    size = int(row[0])
    by_range, by_deviation = range_spread(size), deviation_spread(size)
    a2, a3 = (3 / (one.mean * math.sqrt(size)) for one in (by_range, by_deviation))
    found = (
        a2,
        a3,
        c4(size),
        by_deviation.lower,
        by_deviation.upper,
        *by_range,
        by_range.lower,
        by_range.upper,
    )
    # The tables are rounded, and some of their factors were made from rounded ones.
    assert found == pytest.approx(row[1:], abs=1.1e-3)
    assert (by_deviation.mean, *by_range) == pytest.approx((row[3], row[6], row[7]), abs=5.1e-4)


def test_the_range_of_two_has_a_closed_form():
    # The difference of two is normal with variance 2, so its size is half-normal.
    assert range_spread(2) == pytest.approx((2 / math.sqrt(math.pi), math.sqrt(2 - 4 / math.pi)), abs=1e-11)


def test_the_mean_range_of_three_has_a_closed_form():
    assert range_spread(3).mean == pytest.approx(3 / math.sqrt(math.pi), abs=1e-11)


@pytest.mark.parametrize("size", [2, 3, 5, 10, 25, 50])
def test_second_opinions_agree(size: int):
    by_range, by_deviation = range_spread(size), deviation_spread(size)
    assert (*by_range, by_range.lower, by_range.upper) == pytest.approx(
        (shewhart.d2(size), shewhart.d3(size), shewhart.D3(size), shewhart.D4(size)), rel=1e-6, abs=1e-9
    )
    assert (by_deviation.mean, by_deviation.lower, by_deviation.upper) == pytest.approx(
        (shewhart.c4(size), shewhart.B3(size), shewhart.B4(size)), rel=1e-9, abs=1e-12
    )
    assert c4(size) == pytest.approx(capstat_core.c4(size), rel=1e-12)


@pytest.mark.parametrize("size", [1_000, 100_000, 10_000_000])
def test_large_samples_hardly_underrate_sigma(size: int):
    # The first terms of the asymptotic series of the quotient of gamma functions.
    assert c4(size) == pytest.approx(1 - 1 / (4 * (size - 1)) + 1 / (32 * (size - 1) ** 2), abs=1e-10)


@pytest.mark.parametrize("size", [1_000, 5_000])
def test_ranges_of_large_subgroups(size: int):
    # E[W] = ∫ 1 - Φⁿ - (1 - Φ)ⁿ dx, another integral for the same mean.
    mean, _ = quad(lambda x: 1 - norm.cdf(x) ** size - norm.sf(x) ** size, -9, 9, limit=200)
    assert range_spread(size).mean == pytest.approx(mean, rel=1e-7)
