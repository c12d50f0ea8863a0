"""Bins, percentiles and boxes, against published figures and NumPy."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.integrate import trapezoid

from runcard.analytics.groups import ALL
from runcard.analytics.questions.values.distributions import (
    CURVE_POINTS,
    MAX_BINS,
    Box,
    Distribution,
    Percentiles,
    curve_of,
    distribution_of,
    edges_of,
)

# NIST Statistical Reference Datasets, univariate: certified mean and standard deviation, to the digits that the numbers
# allow as doubles.
MAVRO = [
    *(
        20018,
        20017,
        20018,
        20019,
        20018,
        20017,
        20015,
        20014,
        20015,
        20015,
        20017,
        20018,
        20018,
        20019,
        20019,
    ),
    *(
        20021,
        20020,
        20016,
        20014,
        20013,
        20013,
        20015,
        20015,
        20016,
        20015,
        20014,
        20013,
        20014,
        20015,
        20014,
    ),
    *(
        20015,
        20016,
        20015,
        20016,
        20019,
        20020,
        20020,
        20021,
        20022,
        20023,
        20024,
        20025,
        20027,
        20026,
        20026,
    ),
    *(20026, 20027, 20026, 20025, 20024),
]
STRD = {
    "Mavro": ([one / 1e4 for one in MAVRO], 2.001856, 0.000429123454003053, 1e-11),
    "NumAcc1": ([10000001.0, 10000003.0, 10000002.0], 10000002.0, 1.0, 1e-15),
    "NumAcc2": ([1.2] + [1.1, 1.3] * 500, 1.2, 0.1, 1e-13),
    "NumAcc3": ([1000000.2] + [1000000.1, 1000000.3] * 500, 1000000.2, 0.1, 1e-8),
    "NumAcc4": ([10000000.2] + [10000000.1, 10000000.3] * 500, 10000000.2, 0.1, 1e-7),
}

_EIGHTHS = st.lists(st.integers(-800, 800).map(lambda one: one / 8), min_size=1, max_size=80)
_ANY = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40)


def ordered(numbers: list[float]) -> npt.NDArray[np.float64]:
    return np.sort(np.array(numbers, np.float64))


def told(numbers: list[float], bins: int | None = None) -> Distribution:
    return distribution_of(ALL, ordered(numbers), edges_of(ordered(numbers), bins))


@pytest.mark.parametrize("name", list(STRD))
def test_mean_and_deviation_are_the_certified_ones(name: str):
    numbers, mean, s, precision = STRD[name]
    found = told(numbers)
    assert found.mean == pytest.approx(mean, rel=1e-14)
    assert found.s == pytest.approx(s, rel=precision)


@given(_EIGHTHS)
def test_bins_are_those_of_numpy(numbers: list[float]):
    spread = np.subtract(*np.percentile(numbers, [75, 25]))
    expected = np.histogram_bin_edges(numbers, "fd" if spread > 0 else "sturges")
    assume(len(expected) <= MAX_BINS + 1)
    assert edges_of(ordered(numbers), None).tolist() == expected.tolist()


@given(_EIGHTHS, st.integers(1, MAX_BINS))
def test_counts_are_those_of_numpy(numbers: list[float], bins: int):
    expected, edges = np.histogram(numbers, bins)
    assert edges_of(ordered(numbers), bins).tolist() == edges.tolist()
    # With edges given, NumPy compares numbers with edges; with a number of bins it divides, and rounds.
    assert list(told(numbers, bins).counts) == np.histogram(numbers, edges)[0].tolist()
    assert sum(expected) == len(numbers)


@given(_EIGHTHS)
def test_percentiles_are_those_of_numpy(numbers: list[float]):
    found = told(numbers).percentiles
    assert found is not None
    expected = np.percentile(numbers, [1, 5, 25, 50, 75, 95, 99]).tolist()
    assert [found.p1, found.p5, found.p25, found.p50, found.p75, found.p95, found.p99] == expected


@given(_EIGHTHS)
def test_whiskers_reach_the_farthest_values_within_the_fences(numbers: list[float]):
    q1, median, q3 = np.percentile(numbers, [25, 50, 75]).tolist()
    within = [one for one in numbers if q1 - 1.5 * (q3 - q1) <= one <= q3 + 1.5 * (q3 - q1)]
    expected = Box(min(*within, q1), q1, median, q3, max(*within, q3), len(numbers) - len(within))
    assert told(numbers).box == expected


def test_a_box_of_outliers():
    """The quartiles of 1 to 9 are 3 and 7, and the fences -3 and 13."""
    assert told([-4.0, *range(2, 9), 13.0]).box == Box(2.0, 3.0, 5.0, 7.0, 13.0, 1)


def test_a_far_value_does_not_make_more_bins_than_can_be_shown():
    numbers = [*np.linspace(0, 1, 1000).tolist(), 1e6]
    assert len(told(numbers).counts) == MAX_BINS
    assert sum(told(numbers).counts) == 1001


def test_the_curve_holds_as_many_values_as_there_are():
    """Between two edges far from the mean, what is under the curve is n bins wide."""
    numbers = np.random.default_rng(1).normal(5, 2, 4000).tolist()
    edges = edges_of(ordered(numbers), 20)
    curve = curve_of(told(numbers, 20), edges)
    x, y = [point.x for point in curve], [point.y for point in curve]
    assert len(curve) == CURVE_POINTS
    assert (x[0], x[-1]) == (edges[0], edges[-1])
    assert trapezoid(y, x) / (edges[1] - edges[0]) == pytest.approx(4000, rel=2e-3)
    highest = x[y.index(max(y))]
    assert highest == pytest.approx(5, abs=0.2)


def test_nothing_has_no_distribution():
    assert told([]) == Distribution(ALL, 0, None, None, None, None, None, None, [])
    edges = np.array([0.0, 1.0, 2.0])
    assert distribution_of(ALL, ordered([]), edges).counts == [0, 0]
    assert curve_of(told([]), edges_of(ordered([]), None)) == []


@pytest.mark.parametrize(("count", "s"), [(1, None), (2, 0.0), (1000, 0.0)])
def test_equal_values(count: int, s: float | None):
    found = told([0.1] * count)
    assert (found.n, found.mean, found.s, found.lowest, found.highest) == (count, 0.1, s, 0.1, 0.1)
    assert found.percentiles == Percentiles(*[0.1] * 7)
    assert found.box == Box(0.1, 0.1, 0.1, 0.1, 0.1, 0)
    assert found.counts == [count]
    assert curve_of(found, edges_of(ordered([0.1] * count), None)) == []


@pytest.mark.parametrize("number", [1e300, -1.7976931348623157e308, 1.7976931348623157e308, 5e-324, 0.0])
def test_equal_values_of_any_size_lie_in_a_bin(number: float):
    found = told([number] * 3, 7)
    assert sum(found.counts) == 3
    assert all(math.isfinite(edge) for edge in edges_of(ordered([number] * 3), 7).tolist())


def test_doubles_that_are_too_close_for_bins_lie_in_one():
    numbers = [1.0, math.nextafter(1, 2), math.nextafter(1, 0)]
    assert told(numbers, 50).counts == [3]


@example([-1.7e308, 1.7e308, 0.0])
@example([5e-324, 0.0])
@given(_ANY)
def test_whatever_is_measured_every_figure_can_be_told_or_is_none(numbers: list[float]):
    with np.errstate(all="ignore"):
        edges = edges_of(ordered(numbers), None)
        found = distribution_of(ALL, ordered(numbers), edges)
        curve = curve_of(found, edges)
    figures = [found.mean, found.s, found.lowest, found.highest, *edges.tolist()]
    figures += [figure for point in curve for figure in (point.x, point.y)]
    if found.percentiles is not None:
        figures += [found.percentiles.p1, found.percentiles.p50, found.percentiles.p99]
    if found.box is not None:
        figures += [found.box.whisker_low, found.box.whisker_high]
    assert all(figure is None or math.isfinite(figure) for figure in figures)
    assert sum(found.counts) == (len(numbers) if len(edges) else 0)
    assert sorted(edges.tolist()) == edges.tolist()
