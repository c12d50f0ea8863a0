"""The values of a measurement as arrays, by specification and group, each in order of time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runcard.analytics.asking import Asking
from runcard.analytics.conditions import Conditions
from runcard.analytics.measured import SpecRow, on_values
from runcard.analytics.statistics.moments import Floats
from runcard.analytics.time_slices import ALL_OF_TIME, Slices, one_of_each

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_KEY: tuple[Any, ...] = (None,)


class Values(NamedTuple):
    """In order of time, one of each column a value. number: NaN where it is not finite. at: microseconds since 1970.
    failed: the station's own verdict. spec, group, subgroup: the places of its specification and of its keys.
    """

    number: Floats
    at: NDArray[np.int64]
    failed: NDArray[np.bool_]
    spec: NDArray[np.int64]
    group: NDArray[np.int64]
    subgroup: NDArray[np.int64]

    @property
    def finite(self) -> "Values":
        """Those that are finite numbers."""
        are_finite = np.isfinite(self.number)
        return self if are_finite.all() else self.take(np.flatnonzero(are_finite))

    def take(self, places: NDArray[np.intp] | slice) -> "Values":
        return Values._make(column[places] for column in self)


_NONE = np.array([], np.int64)
NO_VALUES = Values(np.array([], np.float64), _NONE, np.array([], np.bool_), _NONE, _NONE, _NONE)


class Keys:
    """What runs are grouped by: the values of an expression on `runs r` among those that are selected.

    place: the place of a run's key among `keys`, in SQL that holds where `join` is joined, which has `parameters`.
    """

    def __init__(self, asked: Asking, expression: str | None, alias: str) -> None:
        self.keys: Sequence[Any] = _NO_KEY
        self.place, self.join, self.parameters = "0::BIGINT", "", list[Any]()
        if expression is None:
            return
        # With their places made by the query that joins them, keys need not be told apart in Python a value at a time.
        numbered = (
            f"SELECT key, row_number() OVER (ORDER BY key NULLS LAST) - 1 AS place "
            f"FROM (SELECT DISTINCT {expression} AS key FROM runs r WHERE {asked.runs.sql})"
        )
        self.keys = [key for key, _ in asked.rows(f"{numbered} ORDER BY place")]
        if len(self.keys) < 2:
            return  # all runs have the same place
        self.place, self.parameters = f"{alias}.place", asked.runs.values
        self.join = f"JOIN ({numbered}) {alias} ON {alias}.key IS NOT DISTINCT FROM {expression}"


class Found(NamedTuple):
    """is_exact: these are all values; else those of some slices of time."""

    values: Values
    is_exact: bool


def find_values(
    asked: Asking, specs: Sequence[SpecRow], groups: Keys, subgroups: Keys, most: int, *, only_final: bool
) -> Found:
    """The numbers with these specifications, finite or not; of more than `most`, about half as many."""
    conditions = on_values(asked, specs, only_final=only_final)
    conditions.add("x.kind = 'numeric'")
    columns = _columns(asked, conditions, groups, subgroups, ALL_OF_TIME, most + 1)
    is_exact = len(columns["num"]) <= most
    if not is_exact:
        (count,) = asked.one(
            f"SELECT count(*) FROM measurements x JOIN runs r USING (run) WHERE {conditions.sql}",
            conditions.values,
        )
        slices = one_of_each(asked, 2 * count // most)
        columns = _columns(asked, conditions, groups, subgroups, slices, most)
    return Found(_in_order(columns, specs), is_exact)


def by_cell(values: Values, groups: int) -> Mapping[tuple[int, int], Values]:
    """The values of each specification and group, by the places of both, given the number of groups."""
    cells = values.spec * groups + values.group
    counts = np.bincount(cells)
    together = values
    if np.count_nonzero(counts) > 1:
        # Numbers of 16 bits are put in order without comparing them.
        kind = np.uint16 if len(counts) <= 2**16 else np.int64
        together = values.take(np.argsort(cells.astype(kind), kind="stable"))
    return {
        divmod(int(cell), groups): together.take(slice(start, end)) for cell, start, end in _spans(counts)
    }


def moment_of(at: int) -> datetime:
    """The moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=at)


def _spans(counts: NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    ends = np.cumsum(counts)
    for cell in np.flatnonzero(counts):
        yield int(cell), int(ends[cell] - counts[cell]), int(ends[cell])


def _columns(
    asked: Asking, conditions: Conditions, groups: Keys, subgroups: Keys, slices: Slices, most: int
) -> Mapping[str, Any]:
    return asked.arrays(
        "SELECT coalesce(x.num, 'nan'::DOUBLE) AS num, epoch_us(x.started_at) AS at, x.run, x.position, x.spec, "
        f"x.outcome = 'FAIL' AS failed, {groups.place} AS grouped, {subgroups.place} AS subgrouped "
        f"FROM measurements x JOIN runs r USING (run) {groups.join} {subgroups.join} "
        f"WHERE {conditions.sql} AND {slices.condition} LIMIT {most}",
        [*groups.parameters, *subgroups.parameters, *conditions.values],
    )


def _in_order(columns: Mapping[str, Any], specs: Sequence[SpecRow]) -> Values:
    """They come nearly so; to have them sorted by the copy takes many times longer."""
    places = np.zeros(max((one.spec for one in specs), default=0) + 1, np.int64)
    places[[one.spec for one in specs]] = np.arange(len(specs))
    found = Values(
        np.asarray(columns["num"]),
        np.asarray(columns["at"]),
        np.asarray(columns["failed"], np.bool_),
        places[np.asarray(columns["spec"])],
        np.asarray(columns["grouped"]),
        np.asarray(columns["subgrouped"]),
    )
    return found.take(np.lexsort((columns["position"], columns["run"], columns["at"])))
