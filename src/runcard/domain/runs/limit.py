"""Numeric limits of a measurement."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Limits(NamedTuple):
    """The bounds of a value, both inclusive; None means no bound on that side."""

    lower: float | None
    upper: float | None


class Interval(NamedTuple):
    """The interval that a value must lie in; None means no bound on that side.

    A value that equals a strict bound breaks it.
    """

    lower: float | None = None
    upper: float | None = None
    lower_is_strict: bool = False
    upper_is_strict: bool = False

    @property
    def bounds(self) -> Sequence[float]:
        """The bounds that are not None, the lower one first."""
        return [bound for bound in (self.lower, self.upper) if bound is not None]

    @property
    def is_empty(self) -> bool:
        """Whether no value can lie in it."""
        if self.lower is None or self.upper is None:
            return False
        is_open = self.lower_is_strict or self.upper_is_strict
        return self.lower >= self.upper if is_open else self.lower > self.upper

    def is_below(self, value: float) -> bool:
        """Whether a value breaks the lower bound."""
        if self.lower is None:
            return False
        return value <= self.lower if self.lower_is_strict else value < self.lower

    def is_above(self, value: float) -> bool:
        """Whether a value breaks the upper bound."""
        if self.upper is None:
            return False
        return value >= self.upper if self.upper_is_strict else value > self.upper


def tightest(intervals: Iterable[Interval]) -> Interval:
    """The intersection: on each side the tightest bound; of two equal bounds the strict one."""
    every = list(intervals)
    lowers = [(interval.lower, interval.lower_is_strict) for interval in every if interval.lower is not None]
    uppers = [
        (interval.upper, not interval.upper_is_strict) for interval in every if interval.upper is not None
    ]
    lower, lower_is_strict = max(lowers, default=(None, False))
    upper, upper_is_inclusive = min(uppers, default=(None, True))
    return Interval(lower, upper, lower_is_strict, not upper_is_inclusive)
