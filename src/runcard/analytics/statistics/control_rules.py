"""Run rules of control charts: patterns that are rare in a process in control.

Sources: Western Electric, Statistical Quality Control Handbook (1956), 23-28, as in NIST/SEMATECH e-Handbook 6.3.2;
Nelson, Journal of Quality Technology 16 (1984), 237-239.

A rule marks the points that complete a pattern, and each further point that continues it. A point on a line is neither
beyond it nor within it. A point on the centre line is on neither side, and equal neighbours neither rise nor fall.
Rules 3 and 4 of Nelson count steps from point to point, as Minitab and JASP do: six steps take seven points.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]

RuleName = Literal[
    "western_electric_1",
    "western_electric_2",
    "western_electric_3",
    "western_electric_4",
    "nelson_1",
    "nelson_2",
    "nelson_3",
    "nelson_4",
    "nelson_5",
    "nelson_6",
    "nelson_7",
    "nelson_8",
]


class Rule(NamedTuple):
    """says: the rule in words. marks: marks points in order of time, given their values and their distances from the
    centre line in sigmas.
    """

    says: str
    marks: Callable[[Floats, Floats], Marks]


def _beyond(z: Floats, sigmas: float) -> Marks:
    return np.abs(z) > sigmas


def _some_beyond(z: Floats, count: int, among: int, sigmas: float) -> Marks:
    """Points beyond a line, if at least `count` of the last `among` points are beyond it on this side."""
    above, below = z > sigmas, z < -sigmas
    return (above & (_in_last(above, among) >= count)) | (below & (_in_last(below, among) >= count))


def _one_side(z: Floats, count: int) -> Marks:
    return _in_a_row(z > 0, count) | _in_a_row(z < 0, count)


def _trend(values: Floats, count: int) -> Marks:
    """Points that complete `count` steps up, or `count` steps down."""
    steps = _steps(values)
    return _in_a_row(steps > 0, count) | _in_a_row(steps < 0, count)


def _alternating(values: Floats, count: int) -> Marks:
    """Points that complete `count` steps, up and down in turn."""
    steps = _steps(values)
    turns = np.zeros(len(values), bool)
    turns[1:] = steps[1:] * steps[:-1] < 0
    return _in_a_row(turns, count - 1)


def _steps(values: Floats) -> Floats:
    """The step from the point before to each point: 1 up, -1 down, 0 for no step and for the first point."""
    return np.sign(np.diff(values, prepend=values[:1]))


def _in_a_row(marks: Marks, count: int) -> Marks:
    all_of_them: Marks = _in_last(marks, count) == count
    return all_of_them


def _in_last(marks: Marks, among: int) -> npt.NDArray[np.int64]:
    """For each point, how many of the `among` points up to it are marked."""
    total = np.concatenate([np.zeros(among, np.int64), np.cumsum(marks)])
    counts: npt.NDArray[np.int64] = total[among:] - total[: len(marks)]
    return counts


# Western Electric and Nelson share these rules.
_ONE_BEYOND = Rule("one point beyond 3 sigma", lambda _, z: _beyond(z, 3))
_TWO_OF_THREE = Rule("two of three points beyond 2 sigma on one side", lambda _, z: _some_beyond(z, 2, 3, 2))
_FOUR_OF_FIVE = Rule("four of five points beyond 1 sigma on one side", lambda _, z: _some_beyond(z, 4, 5, 1))

RULES: Mapping[RuleName, Rule] = {
    "western_electric_1": _ONE_BEYOND,
    "western_electric_2": _TWO_OF_THREE,
    "western_electric_3": _FOUR_OF_FIVE,
    "western_electric_4": Rule("eight points in a row on one side", lambda _, z: _one_side(z, 8)),
    "nelson_1": _ONE_BEYOND,
    "nelson_2": Rule("nine points in a row on one side", lambda _, z: _one_side(z, 9)),
    "nelson_3": Rule("six steps in a row up, or down", lambda values, _: _trend(values, 6)),
    "nelson_4": Rule(
        "fourteen steps in a row, up and down in turn", lambda values, _: _alternating(values, 14)
    ),
    "nelson_5": _TWO_OF_THREE,
    "nelson_6": _FOUR_OF_FIVE,
    "nelson_7": Rule("fifteen points in a row within 1 sigma", lambda _, z: _in_a_row(np.abs(z) < 1, 15)),
    "nelson_8": Rule(
        "eight points in a row beyond 1 sigma, on either side", lambda _, z: _in_a_row(_beyond(z, 1), 8)
    ),
}


def marks_by_rule(values: Floats, z: Floats) -> Mapping[RuleName, npt.NDArray[np.intp]]:
    """The indices of the points that each rule marks, for the rules that mark any.

    values: in order of time. z: the distance of each from the centre line, in its own sigmas, finite.
    """
    found = {name: np.flatnonzero(rule.marks(values, z)) for name, rule in RULES.items()}
    return {name: points for name, points in found.items() if len(points)}
