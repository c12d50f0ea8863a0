"""Control limits and marks, against published charts, second opinions and plain sums."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

import capstat_core
import numpy as np
import pandas as pd
import pytest
import shewhart
from hypothesis import assume, given
from hypothesis import strategies as st

from runcard.analytics.questions.values.control_points import Charted, charted
from runcard.analytics.statistics.control_constants import c4, deviation_spread, range_spread
from runcard.analytics.statistics.control_limits import ChartKind
from tests.analytics.charts import SPEC, series, value
from tests.analytics.nist import FLOW_RATE

# Montgomery, Introduction to Statistical Quality Control, inside diameters of piston rings, 25 samples of five:
# thousandths of a millimetre beside 74 mm.
PISTON_RINGS = [
    [30, 2, 19, -8, 8], [-5, -8, 1, 11, 4], [-12, 24, 21, 5, 2], [2, -4, -7, 15, 9], [-8, 7, 15, -11, 14],
    [9, -6, -3, -15, -7], [-5, 6, -6, 0, 5], [-15, 3, -7, 15, -12], [8, -5, 9, 5, 4], [-2, 0, -10, 7, -5],
    [-6, -2, -6, -5, -10], [4, 0, 7, 0, -4], [-17, 2, -2, -3, 12], [6, -33, -6, 0, -16], [12, 14, -2, -1, 7],
    [0, -16, 5, -2, -4], [-6, 12, -14, 5, 7], [6, 10, 18, 3, 0], [-16, 2, 3, 5, -3], [0, 10, 13, 20, 3],
    [-18, 1, 15, 5, -4], [4, -1, -10, 6, 9], [10, -11, -10, 9, 14], [15, 8, -7, 0, 10], [-18, -16, -5, 17, 13],
]  # fmt: skip
DIAMETERS = [74 + one / 1000 for some in PISTON_RINGS for one in some]

_NUMBERS = st.lists(st.integers(-400, 400).map(lambda one: one / 8), min_size=2, max_size=60)


def chart(numbers: Sequence[float], kind: ChartKind = "i_mr", size: int = 5) -> Charted:
    return charted(series(numbers), [SPEC], [], kind, size)


def test_individuals_of_the_handbook():
    """It takes 1.128 and 3.267 as factors, which are 1.12838 and 3.26653 to more digits."""
    [segment] = chart(FLOW_RATE.values).segments
    [limits] = segment.control
    assert segment.centre == pytest.approx(50.81, abs=1e-9)
    assert limits.spread_centre == pytest.approx(1.8778, abs=5e-5)
    assert limits.spread_lower == 0
    assert limits.spread_upper == pytest.approx(6.1349, rel=2e-4)
    assert limits.upper is not None
    assert limits.lower is not None
    assert limits.upper - 50.81 == pytest.approx(55.8041 - 50.81, rel=4e-4)
    assert 50.81 - limits.lower == pytest.approx(50.81 - 45.8159, rel=4e-4)


def test_piston_rings_by_deviations():
    """The published chart: mean of means 74.001, mean deviation 0.0094, limits 73.988 to 74.014 and 0 to 0.0196."""
    [segment] = chart(DIAMETERS, "xbar_s").segments
    [limits] = segment.control
    assert segment.centre == pytest.approx(74.001, abs=5e-4)
    assert limits.spread_centre == pytest.approx(0.0094, abs=5e-5)
    assert (limits.lower, limits.upper) == pytest.approx((73.988, 74.014), abs=6e-4)
    assert (limits.spread_lower, limits.spread_upper) == pytest.approx((0, 0.0196), abs=5e-5)


def test_piston_rings_by_ranges():
    """The ranges add up to 0.581; A2 and D4 of five are 0.577 and 2.114 in the published tables."""
    [segment] = chart(DIAMETERS, "xbar_r").segments
    [limits] = segment.control
    mean_range = 0.581 / 25
    assert limits.spread_centre == pytest.approx(mean_range, abs=1e-9)
    assert limits.spread_upper == pytest.approx(2.114 * mean_range, rel=5e-4)
    assert segment.centre is not None
    assert limits.upper == pytest.approx(segment.centre + 0.577 * mean_range, abs=1e-5)


@given(_NUMBERS)
def test_shewhart_agrees_on_individuals(numbers: list[float]):
    assume(len(set(numbers)) > 1)
    [segment] = chart(numbers).segments
    [limits] = segment.control
    other = shewhart.imr_limits(numbers)
    assert (limits.lower, segment.centre, limits.upper, limits.spread_centre, limits.spread_upper) == (
        pytest.approx(
            [other[name] for name in ("i_lcl", "i_center", "i_ucl", "mr_center", "mr_ucl")], rel=1e-9
        )
    )


@given(_NUMBERS)
def test_capstat_agrees_on_individuals(numbers: list[float]):
    assume(len(set(numbers)) > 1)
    found = chart(numbers)
    [limits] = found.segments[0].control
    other = capstat_core.i_mr_chart(numbers)
    assert (limits.lower, limits.upper) == pytest.approx(
        (other.location.limits.lower, other.location.limits.upper), rel=1e-9
    )
    assert limits.spread_upper == pytest.approx(other.dispersion.limits.upper, rel=1e-9)


@pytest.mark.parametrize("kind", ["xbar_r", "xbar_s"])
@given(st.data())
def test_shewhart_agrees_on_equal_subgroups(kind: ChartKind, data: st.DataObject):
    size, count = data.draw(st.integers(2, 8)), data.draw(st.integers(2, 8))
    whole = st.lists(st.integers(-400, 400), min_size=size * count, max_size=size * count, unique=True)
    numbers = [one / 8 for one in data.draw(whole)]
    [segment] = chart(numbers, kind, size).segments
    [limits] = segment.control
    frame = pd.DataFrame({"x": numbers, "subgroup": np.arange(len(numbers)) // size})
    stats = getattr(shewhart, kind)(frame, value="x", subgroup="subgroup", rules="none").stats
    names = [f"xbar_{name}" for name in ("lcl", "center", "ucl")]
    names += [f"{kind[-1]}_{name}" for name in ("lcl", "center", "ucl")]
    spread = (limits.spread_lower, limits.spread_centre, limits.spread_upper)
    assert (limits.lower, segment.centre, limits.upper, *spread) == pytest.approx(
        [stats[name] for name in names], rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize("kind", ["xbar_r", "xbar_s"])
@given(st.lists(st.integers(-400, 400), min_size=4, max_size=40, unique=True))
def test_unequal_subgroups_count_by_what_they_tell(kind: ChartKind, whole: list[int]):
    """The weights of Burr are the inverse variances of the estimates of sigma, in sigmas."""
    numbers = [one / 8 for one in whole]
    size = 3
    found = chart(numbers, kind, size)
    subgroups = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    estimates, weights = [], []
    for some in subgroups:
        if len(some) > 1:
            spread = range_spread(len(some)) if kind == "xbar_r" else deviation_spread(len(some))
            told = max(some) - min(some) if kind == "xbar_r" else stdev(some)
            estimates.append(told / spread.mean)
            weights.append(spread.mean**2 / spread.deviation**2)
    sigma = sum(one * weight for one, weight in zip(estimates, weights, strict=True)) / sum(weights)
    [segment] = found.segments
    assert segment.sigma == pytest.approx(sigma)
    assert segment.centre == pytest.approx(mean(numbers))
    assert [point.size for point in found.points] == [len(some) for some in subgroups]
    for limits in segment.control:
        assert limits.upper == pytest.approx(mean(numbers) + 3 * sigma / math.sqrt(limits.size))


def test_a_single_value_is_a_point_without_a_spread():
    found = chart([1.0, 2.0, 4.0], "xbar_r", 2)
    assert [point.spread for point in found.points] == [1.0, None]
    single, pair = found.segments[0].control
    assert (single.size, single.spread_upper, pair.size) == (1, None, 2)
    assert single.upper == pytest.approx(7 / 3 + 3 / range_spread(2).mean)


def test_nothing_is_told_of_nothing():
    assert chart([]) == Charted([], [], [], [], [])


@pytest.mark.parametrize("kind", ["i_mr", "xbar_r", "xbar_s"])
def test_one_value_has_a_centre_and_no_limits(kind: ChartKind):
    found = chart([3.5], kind)
    [segment], [point] = found.segments, found.points
    assert (segment.centre, segment.sigma, segment.control[0].upper) == (3.5, None, None)
    assert (point.value, point.spread, point.size) == (3.5, None, 1)
    assert found.rules == []


@pytest.mark.parametrize("kind", ["i_mr", "xbar_r", "xbar_s"])
@pytest.mark.parametrize("count", [2, 7, 100])
def test_equal_values_have_no_sigma_and_break_no_rule(kind: ChartKind, count: int):
    found = chart([0.1] * count, kind, 3)
    [segment] = found.segments
    assert segment.sigma == 0
    assert segment.centre == pytest.approx(0.1, rel=1e-15)
    assert {limits.upper for limits in segment.control} == {segment.centre}
    assert (found.rules, found.spreads_beyond) == ([], [])
    assert {point.value for point in found.points} == {0.1}


@pytest.mark.parametrize("kind", ["i_mr", "xbar_r", "xbar_s"])
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_whatever_is_measured_every_figure_can_be_told_or_is_none(kind: ChartKind, numbers: list[float]):
    found = chart(numbers, kind, 4)
    figures = [figure for point in found.points for figure in (point.value, point.spread)]
    for segment in found.segments:
        figures += [segment.centre, segment.sigma]
        for one in segment.control:
            figures += [one.lower, one.upper, one.spread_centre, one.spread_lower, one.spread_upper]
    assert all(figure is None or math.isfinite(figure) for figure in figures)
    assert all(0 <= place < len(found.points) for rule in found.rules for place in rule.points)


def test_a_point_far_out_is_marked():
    found = chart([5.0, 5.1, 4.9, 5.0, 5.1, 4.9, 9.0, 5.0, 5.1, 4.9])
    assert {rule.rule: rule.points for rule in found.rules} == {"western_electric_1": [6], "nelson_1": [6]}
    assert found.spreads_beyond == [6, 7]


def test_rules_know_how_much_a_mean_of_several_varies():
    """The mean of four is beyond three of its own sigmas, where a single value so far out is not."""
    numbers = [5.0, 6.0, 4.0, 5.0] * 8 + [7.0, 8.0, 6.0, 7.0] + [7.0]
    found = chart(numbers, "xbar_s", 4)
    [segment] = found.segments
    assert [rule.points for rule in found.rules if rule.rule == "nelson_1"] == [[8]]
    assert segment.control[0].upper is not None
    assert segment.control[0].upper > 7


def test_segments_are_told_apart_by_limits():
    """The limits change at 3 and 5, and come back; neither a moving range nor a rule reaches across."""
    other = SPEC._replace(spec=2, upper=20.0)
    numbers = [(1.0, 1), (2.0, 1), (1.5, 1), (11.0, 2), (12.0, 2), (1.0, 1)]
    values = [value(place, number, spec) for place, (number, spec) in enumerate(numbers)]
    found = charted(values, [SPEC, other], [], "i_mr", 1)
    assert found.limit_changes == [3, 5]
    assert [point.segment for point in found.points] == [0, 0, 0, 1, 1, 0]
    assert [point.spread for point in found.points] == [None, 1.0, 0.5, None, 1.0, 0.5]
    assert [(one.spec.upper, one.n, one.first, one.last) for one in found.segments] == [
        (10.0, 4, 0, 5),
        (20.0, 2, 3, 4),
    ]
    assert [one.centre for one in found.segments] == pytest.approx([5.5 / 4, 11.5])


def test_two_phases_in_turn_are_no_change_of_limits():
    other = SPEC._replace(spec=2, phase="other", lower=None, upper=None)
    values = [value(place, float(place), 1 + place % 2) for place in range(6)]
    found = charted(values, [SPEC, other], [], "i_mr", 1)
    assert found.limit_changes == []
    assert [(one.spec.phase, one.n) for one in found.segments] == [("phase", 3), ("other", 3)]
    assert found.segments[1].spec.upper is None


def test_subgroups_keep_to_their_groups():
    groups = ["a", "b", "a", "b", "a", "b", "a"]
    values = [value(place, float(place), group=group) for place, group in enumerate(groups)]
    values[3] = values[3]._replace(outcome="FAIL")
    whole = charted(values, [SPEC], ["b", "a"], "xbar_r", 500)
    assert [(one.group, one.size, one.value) for one in whole.points] == [(1, 4, 3.0), (0, 3, 3.0)]
    assert [one.outcome for one in whole.points] == ["PASS", "FAIL"]
    pairs = charted(values, [SPEC], ["b", "a"], "xbar_r", 2)
    assert [(one.group, one.size, one.value) for one in pairs.points] == [
        (1, 2, 1.0),
        (0, 2, 2.0),
        (1, 2, 5.0),
        (0, 1, 5.0),
    ]
    assert [one.run_id.int for one in pairs.points] == [0, 1, 4, 5]


def test_c4_makes_the_deviation_of_pairs_fit_their_range():
    """Of two values, the deviation is the range over √2, so both charts say the same."""
    by_range, by_deviation = (chart(DIAMETERS[:100], kind, 2).segments[0] for kind in ("xbar_r", "xbar_s"))
    assert by_range.sigma == pytest.approx(by_deviation.sigma)
    assert c4(2) * math.sqrt(2) == pytest.approx(range_spread(2).mean)
