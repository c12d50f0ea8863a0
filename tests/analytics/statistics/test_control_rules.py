"""Run rules, on series that were made to break one of them, and ones that just do not."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pytest
from capstat_core import ControlChart, ControlLimits, nelson_rules, western_electric_rules
from hypothesis import given
from hypothesis import strategies as st
from shewhart._rules import RULESETS, apply_rules

from runcard.analytics.statistics.control_rules import RULES, RuleName, marks_by_rule

_UP_AND_DOWN = [0.5, -0.5]
# A series that breaks these rules and no other, with the points that they mark; one change of it that breaks none.
_SERIES: Mapping[str, tuple[Sequence[float], Mapping[RuleName, list[int]], Sequence[float]]] = {
    "beyond three sigma": (
        [0.1, -0.2, 3.01, 0.3],
        {"western_electric_1": [2], "nelson_1": [2]},
        [0.1, -0.2, 3.0, 0.3],
    ),
    "beyond three sigma, below": (
        [0.1, -3.01, 0.3],
        {"western_electric_1": [1], "nelson_1": [1]},
        [0.1, -3.0, 0.3],
    ),
    "two of three": (
        [0.1, 2.1, -0.3, 2.1, 0.2],
        {"western_electric_2": [3], "nelson_5": [3]},
        [0.1, 2.1, -0.3, 2.0, 0.2],
    ),
    "two of three, below": (
        [0.1, -2.1, -2.2, 0.2],
        {"western_electric_2": [2], "nelson_5": [2]},
        [0.1, -2.1, 2.2, 0.2],
    ),
    "two of four": (
        [0.1, 2.1, -0.3, 2.1],
        {"western_electric_2": [3], "nelson_5": [3]},
        [0.1, 2.1, -0.3, 0.2, 2.1],
    ),
    "four of five": (
        [-0.1, 1.1, 1.2, -0.2, 1.1, 1.2, -0.1],
        {"western_electric_3": [5], "nelson_6": [5]},
        [-0.1, 1.1, 1.2, -0.2, 1.1, 1.0, -0.1],
    ),
    "four of five on two sides": (
        [0.1, -1.1, -1.2, -1.3, 0.2, -1.1],
        {"western_electric_3": [5], "nelson_6": [5]},
        [0.1, -1.1, -1.2, -1.3, 0.2, 1.1],
    ),
    "eight on one side": (
        [-0.3, 0.2, 0.4, 0.1, 0.5, 0.2, 0.6, 0.1, 0.3, -0.2],
        {"western_electric_4": [8]},
        [-0.3, 0.2, 0.4, 0.1, 0.5, 0.2, 0.6, 0.1, 0.0, -0.2],
    ),
    "nine on one side": (
        [-0.3, *[0.2, 0.4, 0.1, 0.5, 0.2] * 2],
        {"western_electric_4": [8, 9, 10], "nelson_2": [9, 10]},
        [-0.3, *[0.2, 0.4, 0.1, -0.5, 0.2] * 2],
    ),
    "six steps up": (
        [-0.5, -1.5, -1.2, -0.7, -0.2, 0.2, 0.7, 1.5, 0.5],
        {"nelson_3": [7]},
        [-0.5, -1.5, -1.2, -0.7, -0.2, -0.2, 0.7, 1.5, 0.5],
    ),
    "six steps down, and one more": (
        [1.7, 0.9, 0.8, 0.4, -0.4, -0.6, -0.8, -1.2, 0.5],
        {"nelson_3": [6, 7]},
        [0.7, 0.9, 0.8, 0.4, -0.4, -0.6, -0.8, 1.2, 0.5],
    ),
    "fourteen steps in turn": (
        [*[0.5, -1.5] * 7, 0.5],
        {"nelson_4": [14]},
        [0.5, -1.5] * 7,
    ),
    "fifteen within one sigma": (
        [1.5, *[0.5, 0.1, -0.3, -0.6, 0.2] * 3, -1.2],
        {"nelson_7": [15]},
        [1.5, *[0.5, 0.1, -0.3, -0.6, 0.2] * 2, 0.5, 0.1, 1.0, -0.6, 0.2, -1.2],
    ),
    "eight beyond one sigma": (
        [0.1, *[1.2, 1.5, -1.1, -1.4] * 2, 0.2],
        {"nelson_8": [8]},
        [0.1, *[1.2, 1.5, -1.1, -1.4], 1.2, 1.0, -1.1, -1.4, 0.2],
    ),
}


def found_in(z: Sequence[float]) -> dict[str, list[int]]:
    array = np.array(z, float)
    return {name: points.tolist() for name, points in marks_by_rule(array, array).items()}


@pytest.mark.parametrize("what", list(_SERIES))
def test_a_series_breaks_only_the_rule_it_was_made_for(what: str):
    series, broken, _ = _SERIES[what]
    assert found_in(series) == broken


@pytest.mark.parametrize("what", list(_SERIES))
def test_a_series_that_just_does_not(what: str):
    _, _, kept = _SERIES[what]
    assert found_in(kept) == {}


def test_every_rule_is_broken_by_some_series():
    assert {rule for _, broken, _ in _SERIES.values() for rule in broken} == set(RULES)


@pytest.mark.parametrize("count", range(4))
def test_few_points_that_are_equal_break_nothing(count: int):
    assert found_in([0.0] * count) == {}


def test_trends_are_those_of_the_values_where_sigmas_differ():
    values = np.arange(7.0)
    z = np.array([0.1, 0.3, 0.2, -0.4, 0.3, -0.1, 0.2])
    assert marks_by_rule(values, z).keys() == {"nelson_3"}


# Quarters of a sigma, so that points on lines are among them; neither opinion rounds them.
_ZS = st.lists(st.integers(-14, 14).map(lambda one: one / 4), min_size=5, max_size=60)


@given(_ZS)
def test_shewhart_agrees_on_the_last_points(z: list[float]):
    """It gives each maximal pattern as a whole. Its windows are full ones only, so that two points beyond two sigma at
    the start, which no third can undo, are a pattern once there is a third; and where windows touch, it joins them.
    So the rules that count points among others are left to the other opinion. Of trends it counts points, not steps.
    """
    lengths = {"nelson_2": 9, "nelson_3": 7, "nelson_4": 15, "nelson_7": 15, "nelson_8": 8}
    lengths |= {"nelson_1": 1, "western_electric_1": 1, "western_electric_4": 8}
    expected: dict[str, set[int]] = {}
    for ruleset in ("nelson", "western_electric"):
        for key, _, points in apply_rules(np.array(z), RULESETS[ruleset]):
            name = key.replace("we_", "western_electric_")
            if name in lengths:
                expected.setdefault(name, set()).update(points[lengths[name] - 1 :])
    told = {name: points for name, points in expected.items() if points}
    assert {name: set(points) for name, points in found_in(z).items() if name in lengths} == told


@given(_ZS)
def test_capstat_agrees(z: list[float]):
    """Nelson's eighth rule is left out, because it wants points on both sides there; and of the first four points those
    that complete a pattern of five or three, because it looks at whole windows and gives the last point that counts.
    Of trends it counts points: so many steps end where two patterns of so many points follow each other.
    """
    chart = ControlChart(name="X", points=tuple(z), limits=ControlLimits(0.0, -3.0, 3.0), violations=())
    opinion: dict[str, set[int]] = {}
    for one in (*nelson_rules(chart, [1, 2, 3, 4, 5, 6, 7]), *western_electric_rules(chart)):
        name = f"{one.rule_set.replace('-', '_')}_{one.rule}"
        opinion.setdefault(name, set()).add(one.point)
    for name in ("nelson_3", "nelson_4"):
        opinion[name] = {point for point in opinion.get(name, ()) if point - 1 in opinion[name]}
    assert _comparable(found_in(z)) == _comparable(opinion)


def _comparable(found: Mapping[str, Iterable[int]]) -> set[tuple[str, int]]:
    counting = ("western_electric_2", "western_electric_3", "nelson_5", "nelson_6")
    return {
        (name, point)
        for name, points in found.items()
        for point in points
        if name != "nelson_8" and (point >= 4 or name not in counting)
    }
