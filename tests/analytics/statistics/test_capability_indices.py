"""Capability indices, against published figures, a second opinion and simulations."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from capstat_core import capability as capstat
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from runcard.analytics.statistics.capability_indices import (
    NO_INDEX,
    Index,
    PartsPerMillion,
    expected_outside,
    indices_of,
    observed_outside,
)
from runcard.analytics.statistics.dispersion import Dispersion, by_moving_range, overall
from runcard.domain.runs.limit import Interval

_SIMULATED = 4000
_BOTH = Interval(8, 20)


def test_the_indices_of_the_handbook():
    """NIST/SEMATECH e-Handbook 6.1.6: limits 8 and 20, mean 16, s 2."""
    found = indices_of(50, 16, Dispersion(2, 49), _BOTH)
    assert found.both.value == pytest.approx(1.0)
    assert found.upper.value == pytest.approx(0.6667, abs=5e-5)
    assert found.lower.value == pytest.approx(1.3333, abs=5e-5)
    assert found.worst == found.upper


@pytest.mark.parametrize(
    ("cp", "rejects", "digits"),
    [(1.0, 2700, 100), (4 / 3, 64, 1), (5 / 3, 0.6, 0.05), (2.0, 0.002, 0.0005)],
    ids=["6 sigma", "8 sigma", "10 sigma", "12 sigma"],
)
def test_what_is_rejected_is_what_the_handbook_says(cp: float, rejects: float, digits: float):
    """The table of the same section: 0.27 %, 64 ppm, 0.6 ppm, 2 ppb for centred processes."""
    found = expected_outside(0, 1, Interval(-3 * cp, 3 * cp))
    assert found.total == pytest.approx(rejects, abs=digits)
    assert found.below == found.above


@pytest.mark.parametrize(
    ("n", "low", "high"), [(5, 0.3480, 1.6691), (30, 0.7439, 1.2556), (100, 0.8609, 1.1389)]
)
def test_the_interval_of_cp_follows_the_chi_square_table(n: int, low: float, high: float):
    """The root of χ²/f with the published quantiles: 0.484 and 11.143, 16.047 and 45.722, 73.361 and 128.42."""
    index = indices_of(n, 0, Dispersion(1, n - 1), Interval(-3, 3)).both
    assert (index.low, index.high) == pytest.approx((low, high), abs=2e-4)
    quantiles = chi2.ppf([0.025, 0.975], n - 1)
    assert (index.low, index.high) == pytest.approx(np.sqrt(quantiles / (n - 1)), rel=1e-12)


def test_the_interval_of_cpk_is_bissells():
    """Ĉpk ± z √(1/9n + Ĉpk²/2(n - 1)), as the same section has it: 0.6667 ± 1.96 √(1/450 + 0.4444/98)."""
    index = indices_of(50, 16, Dispersion(2, 49), _BOTH).worst
    half = 1.96 * math.sqrt(1 / 450 + (2 / 3) ** 2 / 98)
    assert (index.low, index.high) == pytest.approx((2 / 3 - half, 2 / 3 + half), abs=1e-5)


@pytest.mark.parametrize("estimate", [overall, by_moving_range])
def test_intervals_cover_what_they_say(estimate: Callable[..., Dispersion]):
    """Of 4000 simulated samples of 50 values about 95 % have intervals with the true index inside."""
    samples = np.random.default_rng(7).normal(0.5, 1, (_SIMULATED, 50))
    limits = Interval(-4, 4)
    found = [indices_of(50, float(one.mean()), estimate(one), limits) for one in samples]
    assert _coverage([one.both for one in found], 8 / 6) == pytest.approx(0.95, abs=0.015)
    assert _coverage([one.worst for one in found], 3.5 / 3) == pytest.approx(0.95, abs=0.015)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=40),
    st.one_of(st.none(), st.floats(-1e3, 0)),
    st.one_of(st.none(), st.floats(1, 1e3)),
)
def test_a_second_opinion_agrees(values: list[float], lower: float | None, upper: float | None):
    assume(np.std(values) > 1e-3 and np.abs(np.diff(values)).mean() > 1e-3)
    assume(lower is not None or upper is not None)
    sample, limits = np.array(values), Interval(lower, upper)
    theirs = capstat(sample, lsl=lower, usl=upper, within_method="moving_range")
    mean = float(sample.mean())
    within = indices_of(len(sample), mean, by_moving_range(sample), limits)
    over_all = indices_of(len(sample), mean, overall(sample), limits)
    assert [one.value for one in within] == _nearly([theirs.cp, theirs.cpl, theirs.cpu, theirs.cpk])
    assert [one.value for one in over_all] == _nearly([theirs.pp, theirs.ppl, theirs.ppu, theirs.ppk])


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Interval(None, 20), [False, False, True, True]),
        (Interval(8, None), [False, True, False, True]),
        (Interval(None, None), [False] * 4),
        (Interval(20, 8), [False] * 4),
        (Interval(-1.7e308, 1.7e308), [False, True, True, True]),
    ],
    ids=["upper", "lower", "none", "crossed", "too wide"],
)
def test_what_is_told_with_which_limits(limits: Interval, told: list[bool]):
    found = indices_of(10, 16, Dispersion(2, 9), limits)
    assert [one != NO_INDEX for one in found] == told
    assert all((one.value is None) == (one.low is None) == (one.high is None) for one in found)


def test_limits_that_are_equal_leave_no_width():
    found = indices_of(10, 16, Dispersion(2, 9), Interval(16, 16))
    assert found.both == Index(0, 0, 0)
    assert found.worst.value == 0


@pytest.mark.parametrize(
    ("mean", "dispersion"),
    [(None, Dispersion(1, 9)), (1, Dispersion(None, 0)), (1, Dispersion(0, 9))],
    ids=["no mean", "too few", "all equal"],
)
def test_nothing_is_told_of_values_that_tell_nothing(mean: float | None, dispersion: Dispersion):
    assert set(indices_of(10, mean, dispersion, _BOTH)) == {NO_INDEX}
    nothing = PartsPerMillion(None, None, None)
    assert expected_outside(mean, dispersion.sigma, _BOTH) == nothing
    assert observed_outside(0, 0, 0, _BOTH) == nothing


def test_parts_outside_of_one_limit():
    one_sided = expected_outside(0, 1, Interval(None, 3))
    assert one_sided.below is None
    assert one_sided.above == one_sided.total == pytest.approx(1e6 * norm.sf(3), rel=1e-12)
    assert expected_outside(0, 1, Interval(None, None)) == PartsPerMillion(None, None, None)
    assert observed_outside(4, 1, 2, _BOTH) == PartsPerMillion(250_000, 500_000, 750_000)
    assert observed_outside(4, 1, 0, Interval(8, None)) == PartsPerMillion(250_000, None, 250_000)
    # Every value is outside of crossed limits, some on both sides.
    assert observed_outside(4, 4, 4, Interval(20, 8)).total == 1e6


def _coverage(indices: list[Index], true: float) -> float:
    return sum((one.low or 0) <= true <= (one.high or 0) for one in indices) / len(indices)


def _nearly(values: list[float | None]) -> list[object]:
    return [None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12) for value in values]
