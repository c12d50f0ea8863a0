"""The values of a measurement as arrays in order of time, by specification and group."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runcard.analytics.conditions import Conditions
from runcard.analytics.left_out import COUNTED, REASONS, Reason, count_left_out, why_sql
from runcard.analytics.measured import SpecRow, on_specs, on_values
from runcard.analytics.quantity import Quantity
from runcard.analytics.snapshot import Asking
from runcard.analytics.statistics.moments import Floats
from runcard.analytics.time_slices import ALL_OF_TIME, Slices, one_of_each

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_KEY: tuple[Any, ...] = (None,)


class Values(NamedTuple):
    """Values in order of time, as columns. number: NaN if it is not finite. at: microseconds since 1970. failed: by
    the station's own verdict. spec, group: the places of the specification and of the key. subgroup: its number,
    0 or more.
    """

    number: Floats
    at: NDArray[np.int64]
    failed: NDArray[np.bool_]
    spec: NDArray[np.int64]
    group: NDArray[np.int64]
    subgroup: NDArray[np.int64]

    @property
    def finite(self) -> "Values":
        """The values that are finite numbers."""
        are_finite = np.isfinite(self.number)
        return self if are_finite.all() else self.take(np.flatnonzero(are_finite))

    def take(self, places: NDArray[np.intp] | slice) -> "Values":
        return Values._make(column[places] for column in self)


_NONE = np.array([], np.int64)
NO_VALUES = Values(np.array([], np.float64), _NONE, np.array([], np.bool_), _NONE, _NONE, _NONE)


class Keys:
    """The keys by which runs are grouped: the values of an expression on the selected `runs r`.

    place: SQL of the place of a run's key in `keys`. It needs `join`, which has `parameters`.
    """

    def __init__(self, asking: Asking, expression: str | None, alias: str) -> None:
        self.keys: Sequence[Any] = _NO_KEY
        self.place, self.join, self.parameters = "0::BIGINT", "", list[Any]()
        if expression is None:
            return
        # The query numbers the keys, so that Python need not compare them value by value.
        numbered = (
            f"SELECT key, row_number() OVER (ORDER BY key NULLS LAST) - 1 AS place "
            f"FROM (SELECT DISTINCT {expression} AS key FROM runs r WHERE {asking.runs.sql})"
        )
        self.keys = [key for key, _ in asking.rows(f"{numbered} ORDER BY place")]
        if len(self.keys) < 2:
            return  # all runs have the same place
        self.place, self.parameters = f"{alias}.place", asking.runs.values
        self.join = f"JOIN ({numbered}) {alias} ON {alias}.key IS NOT DISTINCT FROM {expression}"


class FoundValues(NamedTuple):
    """is_exact: all values are here; else only those of some slices of time. left_out: counted among all values."""

    values: Values
    is_exact: bool
    left_out: Counter[Reason]


def find_values(
    asking: Asking, specs: Sequence[SpecRow], groups: Keys, subgroup: str, most: int, *, only_final: bool
) -> FoundValues:
    """The numbers with these specifications, finite or not; if there are more than `most`, about half of `most`.

    subgroup: SQL of an expression that is equal for the runs of a subgroup.
    """
    source = _Source(groups, subgroup, why_sql(only_final=only_final))
    every = on_specs(specs).and_of(asking.runs)
    columns = source.columns(asking, every, ALL_OF_TIME, most + 1)
    if len(columns["num"]) <= most:
        values, left_out = _numbers_among(columns)
        return FoundValues(_in_order(values, specs), True, left_out)
    numbers = on_values(asking, specs, only_final=only_final)
    numbers.add("x.kind = 'numeric'")
    (count,) = asking.one(
        f"SELECT count(*) FROM measurements x JOIN runs r USING (run) WHERE {numbers.sql}", numbers.values
    )
    is_exact = count <= most
    slices = ALL_OF_TIME if is_exact else one_of_each(asking, 2 * count // most)
    columns = source.columns(asking, numbers, slices, most)
    left_out = count_left_out(asking, Quantity(specs), only_final=only_final)
    return FoundValues(_in_order(columns, specs), is_exact, left_out)


def by_cell(values: Values, groups: int) -> Mapping[tuple[int, int], Values]:
    """The values of each specification and group, by the places of both. groups: their number."""
    cells = values.spec * groups + values.group
    counts = np.bincount(cells)
    together = values
    if np.count_nonzero(counts) > 1:
        # NumPy sorts 16-bit numbers without comparing them.
        kind = np.uint16 if len(counts) <= 2**16 else np.int64
        together = values.take(np.argsort(cells.astype(kind), kind="stable"))
    return {
        divmod(int(cell), groups): together.take(slice(start, end)) for cell, start, end in _spans(counts)
    }


def moment_of(at: int) -> datetime:
    """The moment that is `at` microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=at)


def _spans(counts: NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    ends = np.cumsum(counts)
    for cell in np.flatnonzero(counts):
        yield int(cell), int(ends[cell] - counts[cell]), int(ends[cell])


class _Source(NamedTuple):
    """Reads the columns of values. subgroup: as in `find_values`. why: SQL of why a value is left out."""

    groups: Keys
    subgroup: str
    why: str

    def columns(
        self, asking: Asking, conditions: Conditions, slices: Slices, most: int
    ) -> Mapping[str, NDArray[Any]]:
        # A 64-bit hash tells subgroups apart, and is faster to hand over than their values.
        found = asking.arrays(
            "SELECT coalesce(x.num, 'nan'::DOUBLE) AS num, epoch_us(x.started_at) AS at, x.run AS run, "
            "x.position AS position, x.spec AS spec, "
            f"x.outcome = 'FAIL' AS failed, {self.groups.place} AS grouped, hash({self.subgroup}) AS subgrouped, "
            f"{self.why} AS why "
            f"FROM measurements x JOIN runs r USING (run) {self.groups.join} "
            f"WHERE {conditions.sql} AND {slices.condition} LIMIT {most}",
            [*self.groups.parameters, *conditions.values],
        )
        return {name: np.asarray(column) for name, column in found.items()}


def _numbers_among(
    columns: Mapping[str, NDArray[Any]],
) -> tuple[Mapping[str, NDArray[Any]], Counter[Reason]]:
    """The columns of the numbers, finite or not, and how many values are left out, by reason."""
    reasons, counts = np.unique(columns["why"], return_counts=True)
    left_out = Counter[Reason](
        {
            REASONS[reason]: count
            for reason, count in zip(reasons.tolist(), counts.tolist(), strict=True)
            if reason != COUNTED
        }
    )
    if left_out.keys() <= {"not_finite"}:
        return columns, left_out
    kept = np.flatnonzero(np.isin(columns["why"], [COUNTED, REASONS.index("not_finite")]))
    return {name: column[kept] for name, column in columns.items()}, left_out


def _numbered(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """A number for each hash, from 0 on; equal hashes have the same number."""
    return np.asarray(pa.array(hashes).dictionary_encode().indices, np.int64)


def _in_order(columns: Mapping[str, NDArray[Any]], specs: Sequence[SpecRow]) -> Values:
    """The values in order of time. They come nearly in order; the copy would take many times longer to sort them."""
    numbers = [spec.spec for spec in specs]
    places = np.zeros(max(numbers, default=0) + 1, np.int64)
    places[numbers] = np.arange(len(specs))
    found = Values(
        columns["num"],
        columns["at"],
        columns["failed"].astype(np.bool_),
        places[columns["spec"]],
        columns["grouped"],
        _numbered(columns["subgrouped"]),
    )
    return found.take(np.lexsort((columns["position"], columns["run"], columns["at"])))
