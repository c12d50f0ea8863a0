"""A page of many rows in an order with many equals.

DuckDB finds the first rows by a single column fast, because it skips rows that cannot be among them; by several columns
it does not. So the first rows by one column are found, and the next column is used only among the equals of the last of
them. What is left to order by is a column of the runs, and few runs hold all rows of a page.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from runcard.analytics.conditions import Conditions
from runcard.analytics.copy.engines.engine import CopyCursor


class Key(NamedTuple):
    """A column to order by, and its type."""

    sql: str
    kind: str


class RowOrder(NamedTuple):
    """The order of rows `x`: by their own columns, or by columns of their runs `r`. joins: needed by either.

    NULL comes last, in both directions. Equal rows are in the order of their run and their place in it.
    """

    of_rows: Sequence[Key] = ()
    of_runs: Sequence[Key] = ()
    joins: str = ""


class RowSource(NamedTuple):
    """Rows `x` of a table that meet `rows`. runs: a condition that all runs `r` of such rows meet."""

    table: str
    rows: Conditions
    runs: Conditions


class RowPlace(NamedTuple):
    run_id: UUID
    position: int


# Fewer rows than this are all taken and sorted.
FEW = 10_000
# To find `count` rows, the rows of this many times `count` runs are tried, one after the other, before those of all.
RUNS_PER_ROW = (0.25, 1.25, 4.0)


def find_places(
    cursor: CopyCursor, source: RowSource, order: RowOrder, count: int, offset: int, *, descending: bool
) -> list[RowPlace]:
    """The first `count` places, without the first `offset`, in this order or, descending, in the opposite one."""
    return _Search(cursor, source, order, "DESC" if descending else "ASC").places(count, offset)


class _Search:
    """Finds places with the help of temporary tables: `found` and `few`, of rows, and `nearest`, of runs."""

    def __init__(self, cursor: CopyCursor, source: RowSource, order: RowOrder, way: str) -> None:
        self._cursor = cursor
        self._source = source
        self._order = order
        self._way = way
        self._rows = f"{source.table} x {order.joins if order.of_rows else ''}"
        self._joins_of_runs = order.joins if order.of_runs else ""

    def places(self, count: int, offset: int) -> list[RowPlace]:
        found: list[RowPlace] = []
        equal = self._source.rows
        keys = list(self._order.of_rows)
        while keys:
            self._find_first(keys, equal, count)
            last = self._fetch(f"SELECT k0 FROM found ORDER BY {self._by('k0')} LIMIT 1 OFFSET {count - 1}")
            known = _before(Key("k0", keys[0].kind), last[0][0], self._way) if last else Conditions()
            [(known_count,)] = self._fetch(f"SELECT count(*) FROM found WHERE {known.sql}", known)
            if known_count > offset:
                found += self._sorted(keys, known, offset)
            if not last:
                return found
            count, offset = count - known_count, max(0, offset - known_count)
            equal = equal.and_of(_is(keys.pop(0), last[0][0]))
        return found + self._by_runs(equal, count, offset)

    def _find_first(self, keys: Sequence[Key], rows: Conditions, count: int) -> None:
        """Put the first `count` rows by the first of these keys into `found`, or all if there are fewer."""
        self._keep(
            "found",
            f"SELECT {_named(keys)}x.run AS run, x.position AS position FROM {self._rows} "
            f"WHERE {rows.sql} ORDER BY {self._by(keys[0].sql)} LIMIT {count}",
            rows,
        )

    def _sorted(self, keys: Sequence[Key], known: Conditions, offset: int) -> list[RowPlace]:
        """The places in `found` that meet these conditions, in order, without the first `offset`."""
        order = self._by(*(f"k{number}" for number in range(len(keys))), "r.id", "f.position")
        return self._fetch_places(
            f"SELECT r.id, f.position FROM found f JOIN runs r USING (run) WHERE {known.sql} "
            f"ORDER BY {order} OFFSET {offset}",
            known,
        )

    def _by_runs(self, rows: Conditions, count: int, offset: int) -> list[RowPlace]:
        """The first `count` rows, without the first `offset`, in the order of their runs."""
        few_count = self._keep(
            "few",
            f"SELECT x.run AS run, x.position AS position FROM {self._rows} WHERE {rows.sql} LIMIT {FEW}",
            rows,
        )
        if few_count < FEW:
            keys = [key.sql for key in self._order.of_runs]
            return self._fetch_places(
                f"SELECT r.id, f.position FROM few f JOIN runs r USING (run) {self._joins_of_runs} "
                f"ORDER BY {self._by(*keys, 'r.id', 'f.position')} LIMIT {count - offset} OFFSET {offset}"
            )
        keys = [f"o.k{number}" for number in range(len(self._order.of_runs))]
        # The rows of few runs are mostly enough. Ordering the rows of all runs takes long.
        for limit in (*(math.ceil(ratio * count) for ratio in RUNS_PER_ROW), None):
            are_all = self._find_nearest_runs(limit)
            found = self._fetch_places(
                f"SELECT o.id, x.position FROM {self._rows} JOIN nearest o ON o.run = x.run WHERE {rows.sql} "
                f"ORDER BY {self._by(*keys, 'o.id', 'x.position')} LIMIT {count - offset} OFFSET {offset}",
                rows,
            )
            if are_all or len(found) == count - offset:
                break
        return found

    def _find_nearest_runs(self, limit: int | None) -> bool:
        """Put the first runs into `nearest`, at most `limit`, and return whether these are all."""
        keys, runs = self._order.of_runs, self._source.runs
        if limit is not None and not keys:
            runs = runs.and_of(self._not_beyond_the_last(limit))
        found_count = self._keep(
            "nearest",
            f"SELECT {_named(keys)}r.run AS run, r.id AS id FROM runs r "
            f"{self._joins_of_runs} WHERE {runs.sql} ORDER BY {self._by(*(key.sql for key in keys), 'r.id')} "
            f"{'' if limit is None else f'LIMIT {limit}'}",
            runs,
        )
        return limit is None or found_count < limit

    def _not_beyond_the_last(self, limit: int) -> Conditions:
        """The condition that a run is among the first by its id, or nearly so.

        Ids are nearly in the order of the runs' numbers. Without this condition, each run would be first among those
        read so far, which is the slowest way to find the first runs.
        """
        runs, (last, not_beyond) = self._source.runs, ("min", ">=") if self._way == "DESC" else ("max", "<=")
        [(last_id,)] = self._fetch(
            f"SELECT {last}(id) FROM "
            f"(SELECT r.id FROM runs r WHERE {runs.sql} ORDER BY r.run {self._way} LIMIT {limit})",
            runs,
        )
        return Conditions() if last_id is None else Conditions.of(f"r.id {not_beyond} ?", last_id)

    def _by(self, *columns: str) -> str:
        return ", ".join(f"{column} {self._way} NULLS LAST" for column in columns)

    def _keep(self, name: str, query: str, conditions: Conditions) -> int:
        """Put the rows into a temporary table, and return their number."""
        return self._cursor.keep(name, query, conditions.values)

    def _fetch(self, sql: str, conditions: Conditions | None = None) -> list[Any]:
        return self._cursor.execute(sql, conditions.values if conditions else []).fetchall()

    def _fetch_places(self, sql: str, conditions: Conditions | None = None) -> list[RowPlace]:
        return [RowPlace(*row) for row in self._fetch(sql, conditions)]


def _named(keys: Sequence[Key]) -> str:
    return "".join(f"{key.sql} AS k{number}, " for number, key in enumerate(keys))


def _before(key: Key, value: Any, way: str) -> Conditions:
    """The condition that a row comes before rows with this value."""
    before = Conditions()
    if value is None:
        before.add(f"{key.sql} IS NOT NULL")
    else:
        before.add(f"{key.sql} {'>' if way == 'DESC' else '<'} ?::{key.kind}", value)
    return before


def _is(key: Key, value: Any) -> Conditions:
    same = Conditions()
    if value is None:
        same.add(f"{key.sql} IS NULL")
    else:
        same.add(f"{key.sql} = ?::{key.kind}", value)
    return same
