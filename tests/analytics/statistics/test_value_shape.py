"""The shape of values, against published examples and second opinions."""

import numpy as np
import pandas as pd
import pytest
import scipy
from capstat_core import PercentileCapability, percentile_capability
from capstat_core import anderson_darling as capstat_anderson
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.diagnostic import normal_ad

from runcard.analytics.statistics.value_shape import (
    count_outliers,
    normality_of,
    percentile_indices,
    skewness_of,
)
from runcard.domain.runs.limit import Interval

_HANDBOOK = [
    30, 171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306, 322, 322, 336, 346, 351, 370, 390, 404, 409, 411, 436,
    437, 439, 441, 444, 448, 451, 453, 470, 480, 482, 487, 494, 495, 499, 503, 514, 521, 522, 527, 548, 550, 559, 560,
    570, 572, 574, 578, 585, 592, 592, 607, 616, 618, 621, 629, 637, 638, 640, 656, 668, 707, 709, 719, 737, 739, 752,
    758, 766, 792, 792, 794, 802, 818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068, 1441,
]  # fmt: skip


def test_anderson_darling_as_scipy_publishes_it():
    """The example of the documentation of scipy.stats.anderson."""
    values = np.random.default_rng(9781234521).random(size=35)
    found = normality_of(values)
    assert found is not None
    assert found.n == 35
    assert found.statistic == pytest.approx(0.9887620209957291)
    assert found.p_value == pytest.approx(0.0112, abs=5e-4)
    assert found.statistic == pytest.approx(capstat_anderson(values).statistic)


@pytest.mark.parametrize("seed", range(40))
def test_p_values_of_all_sizes_are_those_of_a_second_opinion(seed: int):
    """statsmodels' normal_ad; of normal values, and of ones that are more and more skewed."""
    random = np.random.default_rng(seed)
    values = random.normal(size=60) + seed / 20 * random.exponential(size=60)
    statistic, p_value = normal_ad(values)
    found = normality_of(values)
    assert found is not None
    assert (found.statistic, found.p_value) == pytest.approx((statistic, p_value), rel=1e-9)


def test_p_values_reach_beyond_the_tables():
    quantiles = scipy.stats.norm.ppf((np.arange(100) + 0.5) / 100)
    normal, skewed = normality_of(quantiles), normality_of(np.random.default_rng(1).exponential(1, 4000))
    assert normal is not None
    assert normal.p_value > 0.99
    assert skewed is not None
    assert 0 < skewed.p_value < 1e-20


def test_values_near_the_largest_double_are_as_normal_as_smaller_ones():
    values = np.random.default_rng(3).normal(5, 1, 100)
    own, large = normality_of(values), normality_of(np.ldexp(values, 1018))
    assert own is not None
    assert large is not None
    assert (large.statistic, large.p_value) == pytest.approx((own.statistic, own.p_value), rel=1e-9)


def test_of_many_values_some_are_judged_evenly():
    values = np.random.default_rng(2).normal(size=12_345)
    found = normality_of(values)
    assert found is not None
    assert found.n == 5000
    spaced = values[[int(place) for place in np.linspace(0, 12_344, 5000)]]
    assert found == normality_of(spaced)


@pytest.mark.parametrize(
    "values",
    [[], [1.0, 2.0, 4.0, 3.0, 2.0, 1.0, 7.0], [3.0] * 20],
    ids=["none", "few", "equal"],
)
def test_normality_that_cannot_be_told(values: list[float]):
    assert normality_of(np.array(values, np.float64)) is None


def test_percentiles_of_normal_values_say_what_sigmas_say():
    """The quantiles of a standard normal distribution at evenly spaced shares: ±3.000 at 0.135 % and 99.865 %."""
    ordered = scipy.stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    found = percentile_indices(ordered, Interval(-4, 5))
    assert found is not None
    assert (found.low, found.median, found.high) == pytest.approx((-3.0, 0.0, 3.0), abs=1e-3)
    assert (found.pp, found.ppl, found.ppu, found.ppk) == pytest.approx((1.5, 4 / 3, 5 / 3, 4 / 3), abs=1e-3)


def test_percentiles_of_skewed_values_agree_with_a_second_opinion():
    """capstat-core's, which reads the percentiles off the very distribution that the values have."""
    shares = (np.arange(400_000) + 0.5) / 400_000
    ordered = scipy.stats.lognorm.ppf(shares, 0.4)
    theirs: PercentileCapability = percentile_capability(ordered, lsl=0.2, usl=6, distribution="lognorm")
    found = percentile_indices(ordered, Interval(0.2, 6))
    assert found is not None
    assert (found.pp, found.ppk) == pytest.approx((theirs.pp, theirs.ppk), rel=5e-3)


def test_percentiles_need_values_beyond_them():
    ordered = np.arange(741.0)
    assert percentile_indices(ordered[:740], Interval(0, 740)) is None
    found = percentile_indices(ordered, Interval(None, 740))
    assert found is not None
    assert (found.pp, found.ppl) == (None, None)
    assert found.ppk == found.ppu
    no_limits = percentile_indices(ordered, Interval(None, None))
    assert no_limits is not None
    assert no_limits.ppk is None


def test_percentiles_of_huge_values_are_numbers():
    found = percentile_indices(np.array([-1.7e308] * 400 + [1.7e308] * 400), Interval(0, 1))
    assert found is not None
    assert (found.low, found.median, found.high) == (-1.7e308, 0, 1.7e308)
    assert found.pp is None


def test_percentiles_that_do_not_differ_make_no_index():
    found = percentile_indices(np.full(1000, 2.0), Interval(1, 3))
    assert found is not None
    assert (found.low, found.high) == (2, 2)
    assert (found.pp, found.ppl, found.ppu, found.ppk) == (None,) * 4


@given(st.lists(st.integers(-1000, 1000).map(lambda one: one / 8), min_size=3, max_size=50))
def test_skewness_is_that_of_scipy_and_pandas(values: list[float]):
    found = skewness_of(np.array(values))
    if len(set(values)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(scipy.stats.skew(values, bias=False), rel=1e-9, abs=1e-9)
        assert found == pytest.approx(pd.Series(values).skew(), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200, 1e307])
def test_skewness_knows_no_scale(scale: float):
    values = np.array([1.0, 2.0, 4.0, 9.0])
    assert skewness_of(values * scale) == pytest.approx(skewness_of(values))


@pytest.mark.parametrize("values", [[], [1.0, 2.0]], ids=["none", "two"])
def test_skewness_that_cannot_be_told(values: list[float]):
    assert skewness_of(np.array(values, np.float64)) is None


def test_the_outlier_of_the_handbook():
    """NIST/SEMATECH e-Handbook 7.1.6: 90 values, quartiles 429.75 and 742.25, fences at -39 and 1211, one outlier."""
    ordered = np.array(_HANDBOOK, np.float64)
    assert len(ordered) == 90
    assert np.quantile(ordered, (0.25, 0.5, 0.75), method="weibull").tolist() == [429.75, 559.5, 742.25]
    assert count_outliers(ordered) == 1
    assert count_outliers(ordered[:-1]) == 0


def test_a_fence_is_no_outlier():
    """Quartiles 1 and 3: fences at -2 and 6."""
    assert count_outliers(np.array([-2.0, 1, 1, 2, 3, 3, 6])) == 0
    assert count_outliers(np.array([-2.1, 1, 1, 2, 3, 3, 6.1])) == 2


@pytest.mark.parametrize(
    ("values", "count"), [([], 0), ([1.0], 0), ([1.0] * 9 + [2.0], 1), ([-1.7e308, 1.7e308], 0)]
)
def test_outliers_among_few_or_equal_values(values: list[float], count: int):
    assert count_outliers(np.array(values, np.float64)) == count
