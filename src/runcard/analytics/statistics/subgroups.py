"""Subgroups: values that together make a point of a control chart."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Subgroups(NamedTuple):
    """Figures of each subgroup. Range and standard deviation (n - 1) of a single value are NaN."""

    sizes: Integers
    means: Floats
    ranges: Floats
    deviations: Floats


def subgroups_of(numbers: Floats, members: Sequence[Sequence[int]]) -> Subgroups:
    """The figures of subgroups, given the places of the values of each. No subgroup may be empty."""
    sizes = np.array([len(places) for places in members], np.int64)
    if not len(sizes):
        none = np.array([], np.float64)
        return Subgroups(sizes, none, none, none)
    together = numbers[np.fromiter(chain.from_iterable(members), np.int64)]
    starts = np.cumsum(sizes) - sizes
    lowest, highest = np.minimum.reduceat(together, starts), np.maximum.reduceat(together, starts)
    # The mean of equal values is exactly their value, and they do not deviate from it, however sums are rounded.
    means = np.where(lowest == highest, lowest, np.add.reduceat(together, starts) / sizes)
    squares = np.add.reduceat((together - np.repeat(means, sizes)) ** 2, starts)
    single = sizes == 1
    ranges = np.where(single, np.nan, highest - lowest)
    return Subgroups(
        sizes, means, ranges, np.sqrt(np.where(single, np.nan, squares) / np.maximum(sizes - 1, 1))
    )
