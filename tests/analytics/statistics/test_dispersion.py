"""Standard deviations, against certified values and what they are in the long run."""

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from capstat_core import capability as capstat
from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.statistics.dispersion import (
    D2_OF_TWO,
    UNKNOWN,
    by_moving_range,
    freedom_of_moving_range,
    moving_ranges,
    overall,
    pooled,
)
from runcard.analytics.statistics.moments import moments_of
from tests.analytics.nist import FLOW_RATE, STRD, Certified

every_set = pytest.mark.parametrize("certified", STRD, ids=[one.name for one in STRD])
_SIMULATED = 20_000
_numbers = st.floats(-1e6, 1e6)


@every_set
def test_mean_and_deviation_are_the_certified_ones(certified: Certified):
    values = np.array(certified.values, np.float64)
    assert moments_of(values).mean == pytest.approx(certified.mean, rel=1e-14)
    # Doubles near 10 000 000 miss the published decimals by up to 1e-9.
    assert overall(values).sigma == pytest.approx(certified.stdev, rel=1e-14, abs=1e-9)
    assert overall(values).sigma == pytest.approx(_exact_deviation(values), rel=1e-14)


def test_the_moving_range_of_the_handbook():
    """NIST/SEMATECH e-Handbook 6.3.2.2: mean moving range 1.8778."""
    flow = np.array(FLOW_RATE.values)
    sigma = by_moving_range(flow).sigma
    assert sigma is not None
    assert sigma * D2_OF_TWO == pytest.approx(1.8778, abs=5e-5)
    assert round(D2_OF_TWO, 3) == 1.128
    # The published limits, 50.81 ± 3 x 1.8778 / 1.128.
    assert 50.81 + 3 * sigma == pytest.approx(55.8041, abs=2e-3)
    assert sigma == pytest.approx(capstat(flow, usl=60, within_method="moving_range").sigma_within)


@given(st.lists(st.lists(_numbers, min_size=2, max_size=6), min_size=1, max_size=6))
def test_pooling_is_the_mean_of_variances_by_their_freedom(subgroups: list[list[float]]):
    values = np.array([value for some in subgroups for value in some])
    numbers = np.array([number for number, some in enumerate(subgroups) for _ in some])
    freedom = len(values) - len(subgroups)
    expected = sum((len(some) - 1) * statistics.variance(some) for some in subgroups) / freedom
    found = pooled(values, numbers)
    assert found.freedom == freedom
    assert found.sigma == pytest.approx(math.sqrt(expected), rel=1e-9, abs=1e-9)
    turned = np.random.default_rng(1).permutation(len(values))
    assert pooled(values[turned], numbers[turned]).sigma == pytest.approx(found.sigma, rel=1e-9, abs=1e-9)


def test_one_subgroup_is_all_that_scatters():
    values = np.random.default_rng(2).normal(5, 0.1, 100)
    assert pooled(values, np.zeros(100, np.int64)).sigma == pytest.approx(overall(values).sigma, rel=1e-12)
    assert overall(values).sigma == pytest.approx(statistics.stdev(values.tolist()), rel=1e-12)


@pytest.mark.parametrize("value", [0.1, 1e300, 0.0])
def test_values_that_are_equal_do_not_scatter(value: float):
    values = np.full(7, value)
    numbers = np.array([0, 0, 0, 1, 1, 1, 2])
    assert [one.sigma for one in (overall(values), by_moving_range(values), pooled(values, numbers))] == [
        0
    ] * 3


@pytest.mark.parametrize("values", [[], [3.0]], ids=["none", "one"])
def test_too_few_values_say_nothing(values: list[float]):
    few = np.array(values, np.float64)
    assert [overall(few).sigma, by_moving_range(few).sigma, pooled(few, np.zeros(len(few), int)).sigma] == [
        None
    ] * 3


def test_subgroups_of_one_say_nothing():
    assert pooled(np.array([1.0, 2.0, 3.0]), np.arange(3)) == UNKNOWN


def test_figures_beyond_what_doubles_hold_are_not_told():
    values = np.array([1.7e308, -1.7e308, 1.7e308, -1.7e308])
    numbers = np.array([0, 0, 1, 1])
    found = (overall(values), by_moving_range(values), pooled(values, numbers))
    assert [one.sigma for one in found] == [None] * 3
    assert moments_of(values).mean == 0
    assert moments_of(np.full(3, 1.7e308)).mean == 1.7e308
    assert moments_of(np.array([])).mean is None


def test_ranges_stay_within_a_series():
    """Two stations with an offset of ten, in turn: by hand."""
    values = np.array([1.0, 11.0, 2.0, 11.0, 4.0, 12.0])
    turns = np.array([0, 1, 0, 1, 0, 1])
    assert moving_ranges(values, turns).tolist() == pytest.approx(
        [math.nan, math.nan, 1, 0, 2, 1], nan_ok=True
    )
    within, through = by_moving_range(values, turns), by_moving_range(values)
    assert within.sigma == pytest.approx(1.0 * math.sqrt(math.pi) / 2)
    assert through.sigma == pytest.approx(8.6 * math.sqrt(math.pi) / 2)
    assert by_moving_range(values, np.zeros(6, np.int64)) == through
    assert by_moving_range(values[:2], turns[:2]).sigma is None


@pytest.mark.parametrize("power", [1000, -1000])
def test_values_of_any_size_scatter_as_others_do(power: int):
    values = np.array([1.0, 2.0, 1.5, 3.0, 2.25])
    numbers = np.array([0, 0, 1, 1, 1])
    large = np.ldexp(values, power)
    found = (overall(large), by_moving_range(large), pooled(large, numbers))
    expected = (overall(values), by_moving_range(values), pooled(values, numbers))
    for one, other in zip(found, expected, strict=True):
        assert one.sigma is not None
        assert other.sigma is not None
        assert one.sigma == pytest.approx(math.ldexp(other.sigma, power), rel=1e-14, abs=0)


def test_the_mean_is_rounded_once():
    values = 1e12 + np.random.default_rng(4).normal(0.4, 0.1, 2001)
    exact = sum(map(Fraction, values.tolist())) / len(values)
    assert moments_of(values).mean == float(exact)
    assert moments_of(np.full(1000, 0.1)).mean == 0.1


def test_the_freedom_of_moving_ranges_is_the_published_one():
    """Hoel (1946): the variance of the estimate tends to (2π/3 + √3 - 3) sigma² / n, 0.8264."""
    per_range = freedom_of_moving_range(1_000_000) / 1_000_000
    assert 1 / (2 * per_range) == pytest.approx(2 * math.pi / 3 + math.sqrt(3) - 3, rel=1e-5)
    assert 1 / (2 * per_range) == pytest.approx(0.8264, abs=5e-5)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_the_freedom_of_moving_ranges_is_that_of_a_simulation(n: int):
    values = np.random.default_rng(3).normal(size=(_SIMULATED, n))
    estimates = np.abs(np.diff(values, axis=1)).mean(axis=1) / D2_OF_TWO
    assert estimates.mean() == pytest.approx(1, abs=0.02)
    assert 1 / (2 * estimates.var()) == pytest.approx(freedom_of_moving_range(n - 1), rel=0.05)


def test_the_freedom_of_several_series_is_that_of_a_simulation():
    values = np.random.default_rng(3).normal(size=(_SIMULATED, 4, 5))
    estimates = np.abs(np.diff(values, axis=2)).mean(axis=(1, 2)) / D2_OF_TWO
    assert 1 / (2 * estimates.var()) == pytest.approx(freedom_of_moving_range(16, 4), rel=0.05)
    turns = np.tile(np.arange(4), 5)
    assert by_moving_range(values[0].T.ravel(), turns).sigma == pytest.approx(estimates[0])


def _exact_deviation(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """That of the doubles, in fractions."""
    return float(statistics.stdev([Fraction(float(value)) for value in values]))
