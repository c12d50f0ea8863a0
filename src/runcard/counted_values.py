"""How often something happened and how its sizes are spread, counted in plain objects on the way of every run."""

from bisect import bisect_left
from collections.abc import Sequence


class CountedValues:
    """Counts values by the first of `bounds` that they do not exceed; the last count is of all larger values.

    bounds: ascending. total: the sum of all values. One thread adds, and any thread may read.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        return sum(self.counts)
