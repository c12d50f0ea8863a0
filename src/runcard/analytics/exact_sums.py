"""Moments of any number of values, summed inside of the copy: to the last digit, and the same at every asking.

Sums of doubles are rounded in the order in which they are made, and threads make them in another one each time. So each
value becomes an integer first: how far it is from a centre, as a share of a power of two. Sums of integers are exact.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

from runcard.analytics.conditions import Conditions
from runcard.analytics.snapshot import Asking
from runcard.analytics.statistics.moments import Moments

# A share is at most 1/2, so its integer fits 62 bits; its square is at most 1/4.
_SHARE, _SQUARE = 2**61, 2**62
_LOWEST_POWER = -1000


Key = TypeVar("Key", bound=tuple[int, ...])


class Extent(NamedTuple):
    """Between which two numbers values lie, and a number that is near to most of them."""

    lowest: float
    highest: float
    centre: float

    @property
    def power(self) -> int:
        """No value is farther from the centre than half of 2 ** power."""
        # Of halves, because the whole may be no double.
        reach = max(self.highest / 2 - self.centre / 2, self.centre / 2 - self.lowest / 2)
        return max(math.frexp(reach)[1] + 2, _LOWEST_POWER)

    @property
    def scale(self) -> float:
        """What a number is multiplied by to be a share of 2 ** power."""
        return math.ldexp(1.0, -self.power)


class ValueSource(NamedTuple):
    """Where values come from. number: SQL of a value of `measurements x JOIN runs r USING (run)`, NULL for none.

    keys: SQL of the integers that values are told apart by. join: of what these need, which has `parameters`.
    """

    number: str
    keys: Sequence[str]
    where: Conditions
    join: str = ""
    parameters: Sequence[Any] = ()


def share_sql(number: str, scale: str, centre: str) -> str:
    """How far a number is from a centre, given both as shares."""
    return f"({number} * {scale} - {centre} * {scale})"


def sums_sql(share: str) -> tuple[str, str]:
    """The sums of shares and of their squares, as integers."""
    return (
        f"sum(CAST({share} * {_SHARE}::DOUBLE AS BIGINT))",
        f"sum(CAST({share} * {share} * {_SQUARE}::DOUBLE AS BIGINT))",
    )


def mean_sql(total: str, n: str) -> str:
    """The mean of shares, given their sum."""
    return f"({total}::DOUBLE / {_SHARE}::DOUBLE / {n})"


def squares_sql(squares: str) -> str:
    """The sum of squares of shares, given that of their integers."""
    return f"({squares}::DOUBLE / {_SQUARE}::DOUBLE)"


def exact_moments(
    asking: Asking, source: ValueSource, extents: Mapping[Key, Extent]
) -> Mapping[Key, Moments]:
    """Of the values of each key that has an extent, and any value."""
    if not extents:
        return {}
    columns = [list(column) for column in zip(*extents, strict=True)]
    origin = ", ".join(f"unnest(?::BIGINT[]) AS key{place}" for place in range(len(columns)))
    same = " AND ".join(f"o.key{place} = {key}" for place, key in enumerate(source.keys))
    keys = ", ".join(f"o.key{place}" for place in range(len(columns)))
    total, squares = sums_sql("share")
    found = asking.rows(
        f"SELECT {keys.replace('o.', '')}, count(share), {total}, {squares} FROM ("
        f"SELECT {keys}, {share_sql(source.number, 'o.scale', 'o.centre')} AS share "
        f"FROM measurements x JOIN runs r USING (run) {source.join} JOIN ("
        f"SELECT {origin}, unnest(?::DOUBLE[]) AS scale, unnest(?::DOUBLE[]) AS centre) o ON {same} "
        f"WHERE {source.where.sql}) GROUP BY ALL",
        [
            *source.parameters,
            *columns,
            [one.scale for one in extents.values()],
            [one.centre for one in extents.values()],
            *source.where.values,
        ],
    )
    sums = {
        tuple(key): of_key
        for *key, n, of_shares, of_squares in found
        if (of_key := (n, of_shares, of_squares))[0]
    }
    return {key: _moments(extent, *sums[key]) for key, extent in extents.items() if key in sums}


def _moments(extent: Extent, n: int, total: int, squares: int) -> Moments:
    offset = Fraction(total, _SHARE * n)
    deviations = Fraction(squares, _SQUARE) - n * offset * offset
    if extent.lowest >= extent.highest:
        deviations = Fraction(0)
    return Moments(n, extent.centre * extent.scale, float(offset), max(float(deviations), 0.0), extent.power)
