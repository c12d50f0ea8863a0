"""Shares and their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from runcard.analytics.statistics.ratios import ratio_of

# Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score without continuity correction).
_PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("count", "n", "low", "high"), _PUBLISHED)
def test_intervals_are_the_published_ones(count: int, n: int, low: float, high: float):
    found = ratio_of(count, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.ratio == pytest.approx(count / n)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_those_of_scipy(pair: tuple[int, int]):
    count, n = pair
    found, expected = ratio_of(count, n), binomtest(count, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= count / n <= found.high <= 1


def test_nothing_has_no_share():
    assert ratio_of(0, 0) == ratio_of(0, 0).__class__(0, 0, None, None, None)
