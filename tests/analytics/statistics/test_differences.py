"""Differences of means, against SciPy's test of two samples by Welch."""

import numpy as np
import pytest
import scipy
from numpy.typing import NDArray

from runcard.analytics.statistics.differences import differences_of

_RANDOM = np.random.default_rng(5)
_SAMPLES = [_RANDOM.normal(mean, sigma, n) for mean, sigma, n in ((5, 1, 40), (5.1, 3, 7), (1e6, 0.1, 2))]
_NONE = np.array([], np.float64)


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


def test_a_sample_without_values_changes_no_other():
    first, second, none = differences_of([*_SAMPLES[:2], _NONE])
    assert [first, second] == differences_of(_SAMPLES[:2])
    assert none is None


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
