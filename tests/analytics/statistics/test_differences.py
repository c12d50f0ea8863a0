"""Differences of means, against SciPy's test of two samples by Welch."""

from collections.abc import Sequence

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

from runcard.analytics.statistics.differences import Difference, anova_of
from runcard.analytics.statistics.differences import differences_of as differences_of_moments
from runcard.analytics.statistics.moments import moments_of

_RANDOM = np.random.default_rng(5)
_SAMPLES = [_RANDOM.normal(mean, sigma, n) for mean, sigma, n in ((5, 1, 40), (5.1, 3, 7), (1e6, 0.1, 2))]


def differences_of(samples: Sequence[NDArray[np.float64]]) -> Sequence[Difference | None]:
    return differences_of_moments([moments_of(one) for one in samples])


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(_SAMPLES, id="three"),
        pytest.param(_SAMPLES[:2], id="two"),
        pytest.param([*_SAMPLES, np.zeros(5)], id="one without spread"),
        pytest.param([np.zeros(5), _SAMPLES[0]], id="others without spread"),
    ],
)
def test_each_is_compared_with_all_others(samples: list[NDArray[np.float64]]):
    for place, found in enumerate(differences_of(samples)):
        others = np.concatenate([one for other, one in enumerate(samples) if other != place])
        welch = scipy.stats.ttest_ind(samples[place], others, equal_var=False)
        interval = welch.confidence_interval(0.95)
        assert found is not None
        assert (found.difference, found.low, found.high, found.p) == pytest.approx(
            (samples[place].mean() - others.mean(), interval.low, interval.high, welch.pvalue)
        )


def test_too_few_values_tell_nothing():
    assert differences_of([]) == []
    assert differences_of([_SAMPLES[0]]) == [None]
    assert differences_of([_SAMPLES[0], np.ones(1)]) == [None, None]


def test_equal_values_tell_nothing_apart():
    assert differences_of([np.ones(3), np.full(4, 2.0)]) == [None, None]
    # The sums of these, and of their means, are rounded.
    assert differences_of([np.full(n, 0.1) for n in (3, 6, 7)]) == [None, None, None]


def test_values_too_far_apart_for_doubles_tell_nothing_apart():
    assert differences_of([np.array([1.7e308, -1.7e308, 1.7e308]), np.array([1.0, 2.0, 3.0])]) == [None, None]


def test_values_near_the_largest_double_differ_as_smaller_ones_do():
    small = [np.array(one) for one in ([1.0, 1.2, 0.9], [2.0, 2.2, 2.1])]
    for power in (1020, -1000):
        for own, other in zip(
            differences_of(small), differences_of([np.ldexp(one, power) for one in small]), strict=True
        ):
            assert own is not None
            assert other is not None
            assert (other.difference, other.low, other.p) == pytest.approx(
                (np.ldexp(own.difference, power), np.ldexp(own.low, power), own.p), rel=1e-12, abs=0
            )


# SciPy's documentation of f_oneway: shell sizes of mussels (McDonald and others 1991), F 7.1210194716424473.
_MUSSELS = [
    [0.0571, 0.0813, 0.0831, 0.0976, 0.0817, 0.0859, 0.0735, 0.0659, 0.0923, 0.0836],
    [0.0873, 0.0662, 0.0672, 0.0819, 0.0749, 0.0649, 0.0835, 0.0725],
    [0.0974, 0.1352, 0.0817, 0.1016, 0.0968, 0.1064, 0.105],
    [0.1033, 0.0915, 0.0781, 0.0685, 0.0677, 0.0697, 0.0764, 0.0689],
    [0.0703, 0.1026, 0.0956, 0.0973, 0.1039, 0.1045],
]


@pytest.mark.parametrize(
    ("samples", "figures"),
    [
        pytest.param(_MUSSELS, (7.1210194716424473, 0.00028122423145345439), id="mussels"),
        pytest.param([[1, 1.2, 0.9], [5], [2, 2.2]], (265.7, 0.00042), id="a group of one"),
    ],
)
def test_published_analyses_of_variance(samples: list[list[float]], figures: tuple[float, float]):
    found = anova_of([moments_of(np.array(one, np.float64)) for one in samples])
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx(figures, rel=1e-2 if len(samples) == 3 else 1e-9)
    other = scipy.stats.f_oneway(*samples)
    assert (found.statistic, found.p) == pytest.approx((other.statistic, other.pvalue), rel=1e-9)


@pytest.mark.parametrize(
    "samples",
    [[], [[1, 2, 3]], [[1], [2], [3]], [[1, 1], [2, 2]]],
    ids=["none", "one", "of one each", "equal"],
)
def test_groups_that_have_no_f(samples: list[list[float]]):
    assert anova_of([moments_of(np.array(one, np.float64)) for one in samples]) is None
