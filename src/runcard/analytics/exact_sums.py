"""Moments of any number of values, summed in the copy: exact to the last digit, and the same for every query.

The rounding of a sum of doubles depends on the order of the values, and threads add them in another order each time. So
each value first becomes an integer: its distance from a centre, as a share of a power of two. Integer sums are exact.
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
    """The lowest and the highest value, and a number that is near to most values."""

    lowest: float
    highest: float
    centre: float

    @property
    def power(self) -> int:
        """The power of two such that no value is farther from the centre than half of 2 ** power."""
        # Halves, because the whole may be too large for a double.
        reach = max(self.highest / 2 - self.centre / 2, self.centre / 2 - self.lowest / 2)
        return max(math.frexp(reach)[1] + 2, _LOWEST_POWER)

    @property
    def scale(self) -> float:
        """The factor that makes a number a share of 2 ** power."""
        return math.ldexp(1.0, -self.power)


class ValueSource(NamedTuple):
    """Where values come from. number: SQL of a value of `measurements x JOIN runs r USING (run)`, NULL for no value.

    keys: SQL of the integers that group the values. join: the SQL join that the keys need, with its `parameters`.
    """

    number: str
    keys: Sequence[str]
    where: Conditions
    join: str = ""
    parameters: Sequence[Any] = ()


def share_sql(number: str, scale: str, centre: str) -> str:
    """SQL of the distance of a number from a centre, as a share."""
    return f"({number} * {scale} - {centre} * {scale})"


def sums_sql(share: str) -> tuple[str, str]:
    """SQL of the sums of shares and of their squares, as integers."""
    return (
        f"sum(whole({share} * {_SHARE}::DOUBLE))",
        f"sum(whole({share} * {share} * {_SQUARE}::DOUBLE))",
    )


def mean_sql(total: str, n: str) -> str:
    """SQL of the mean of shares, given their integer sum."""
    return f"({total}::DOUBLE / {_SHARE}::DOUBLE / {n})"


def squares_sql(squares: str) -> str:
    """SQL of the sum of squares of shares, given their integer sum."""
    return f"({squares}::DOUBLE / {_SQUARE}::DOUBLE)"


def exact_moments(
    asking: Asking, source: ValueSource, extents: Mapping[Key, Extent]
) -> Mapping[Key, Moments]:
    """The moments of the values of each key. Keys without an extent or without values are left out."""
    if not extents:
        return {}
    columns = [list(column) for column in zip(*extents, strict=True)]
    places = range(len(columns))
    lists = ", ".join([*("?::BIGINT[]" for _ in places), "?::DOUBLE[]", "?::DOUBLE[]"])
    origin = ", ".join(f"struct_extract(o, {place + 1}) AS key{place}" for place in places)
    same = " AND ".join(f"o.key{place} = {key}" for place, key in enumerate(source.keys))
    keys = ", ".join(f"o.key{place}" for place in places)
    total, squares = sums_sql("share")
    found = asking.rows(
        f"SELECT {keys.replace('o.', '')}, count(share), {total}, {squares} FROM ("
        f"SELECT {keys}, {share_sql(source.number, 'o.scale', 'o.centre')} AS share "
        f"FROM measurements x JOIN runs r USING (run) {source.join} JOIN ("
        f"SELECT {origin}, struct_extract(o, {len(columns) + 1}) AS scale, "
        f"struct_extract(o, {len(columns) + 2}) AS centre "
        f"FROM (SELECT unnest(list_zip({lists})) AS o)) o ON {same} "
        f"WHERE {source.where.sql}) GROUP BY ALL",
        [
            *source.parameters,
            *columns,
            [extent.scale for extent in extents.values()],
            [extent.centre for extent in extents.values()],
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
