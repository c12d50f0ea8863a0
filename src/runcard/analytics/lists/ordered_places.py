"""A page of many rows in an order with many equals.

DuckDB finds the first rows by one column of theirs fast, because it skips what cannot be among them, but not by
several columns. So what comes first by one column is found, and only among the equals of the last of these the next
column is looked at. What is then left to order by is something of the runs, and few runs hold all rows of a page.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from runcard.analytics.conditions import Conditions
from runcard.analytics.copy.engines.duckdb import Cursor


class Key(NamedTuple):
    """A column to order by, and its type."""

    sql: str
    kind: str


class RowOrder(NamedTuple):
    """What rows `x` are ordered by: columns of theirs, or of their runs `r`, and what has to be joined to either.

    Where a column is NULL it comes last, whichever way the order goes. Equals are ordered by run and place in it.
    """

    of_rows: Sequence[Key] = ()
    of_runs: Sequence[Key] = ()
    joins: str = ""


class RowSource(NamedTuple):
    """Rows `x` of a table that keep some conditions; runs `r` that do not keep `runs` have no such rows."""

    table: str
    rows: Conditions
    runs: Conditions


class RowPlace(NamedTuple):
    run_id: UUID
    position: int


# So few rows are all taken and sorted.
FEW = 10_000
# Of so many runs for each row that is wanted the rows are looked at, before those of all runs are.
RUNS_PER_ROW = (0.25, 1.25, 4.0)


def find_places(
    cursor: Cursor, source: RowSource, order: RowOrder, count: int, offset: int, *, descending: bool
) -> list[RowPlace]:
    """The first `count` places but `offset`, in this order or, descending, in the opposite one."""
    return _Search(cursor, source, order, "DESC" if descending else "ASC").places(count, offset)


class _Search:
    """Keeps what it found last in temporary tables: `found` and `few`, of rows, and `nearest`, of runs."""

    def __init__(self, cursor: Cursor, source: RowSource, order: RowOrder, way: str) -> None:
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

    def _find_first(self, keys: Sequence[Key], wanted: Conditions, count: int) -> None:
        """The first `count` rows by the first of these keys, or all where there are fewer."""
        self._fetch(
            f"CREATE OR REPLACE TEMP TABLE found AS SELECT {_named(keys)}x.run, x.position FROM {self._rows} "
            f"WHERE {wanted.sql} ORDER BY {self._by(keys[0].sql)} LIMIT {count}",
            wanted,
        )

    def _sorted(self, keys: Sequence[Key], known: Conditions, offset: int) -> list[RowPlace]:
        """What was found and keeps these conditions, but for `offset`."""
        order = self._by(*(f"k{number}" for number in range(len(keys))), "r.id", "f.position")
        return self._fetch_places(
            f"SELECT r.id, f.position FROM found f JOIN runs r USING (run) WHERE {known.sql} "
            f"ORDER BY {order} OFFSET {offset}",
            known,
        )

    def _by_runs(self, wanted: Conditions, count: int, offset: int) -> list[RowPlace]:
        """The first `count` rows but `offset`, ordered by their runs."""
        [(few_count,)] = self._fetch(
            f"CREATE OR REPLACE TEMP TABLE few AS SELECT x.run, x.position FROM {self._rows} WHERE {wanted.sql} "
            f"LIMIT {FEW}",
            wanted,
        )
        if few_count < FEW:
            keys = [key.sql for key in self._order.of_runs]
            return self._fetch_places(
                f"SELECT r.id, f.position FROM few f JOIN runs r USING (run) {self._joins_of_runs} "
                f"ORDER BY {self._by(*keys, 'r.id', 'f.position')} LIMIT {count - offset} OFFSET {offset}"
            )
        keys = [f"o.k{number}" for number in range(len(self._order.of_runs))]
        # The rows of few runs are mostly enough; to order those of all takes long.
        for limit in (*(math.ceil(ratio * count) for ratio in RUNS_PER_ROW), None):
            are_all = self._find_nearest_runs(limit)
            found = self._fetch_places(
                f"SELECT o.id, x.position FROM {self._rows} JOIN nearest o ON o.run = x.run WHERE {wanted.sql} "
                f"ORDER BY {self._by(*keys, 'o.id', 'x.position')} LIMIT {count - offset} OFFSET {offset}",
                wanted,
            )
            if are_all or len(found) == count - offset:
                break
        return found

    def _find_nearest_runs(self, limit: int | None) -> bool:
        """The first runs, and whether there are no others."""
        keys, runs = self._order.of_runs, self._source.runs
        if limit is not None and not keys:
            runs = runs.and_of(self._not_beyond_the_last(limit))
        [(found_count,)] = self._fetch(
            f"CREATE OR REPLACE TEMP TABLE nearest AS SELECT {_named(keys)}r.run, r.id FROM runs r "
            f"{self._joins_of_runs} WHERE {runs.sql} ORDER BY {self._by(*(key.sql for key in keys), 'r.id')} "
            f"{'' if limit is None else f'LIMIT {limit}'}",
            runs,
        )
        return limit is None or found_count < limit

    def _not_beyond_the_last(self, limit: int) -> Conditions:
        """That a run is among the first by its id, or nearly so.

        Ids come nearly in the order of the runs' numbers, and so each would be the first of all until then, which is
        the slowest way to find the first.
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

    def _fetch(self, sql: str, conditions: Conditions | None = None) -> list[Any]:
        return self._cursor.execute(sql, conditions.values if conditions else []).fetchall()

    def _fetch_places(self, sql: str, conditions: Conditions | None = None) -> list[RowPlace]:
        return [RowPlace(*row) for row in self._fetch(sql, conditions)]


def _named(keys: Sequence[Key]) -> str:
    return "".join(f"{key.sql} AS k{number}, " for number, key in enumerate(keys))


def _before(key: Key, value: Any, way: str) -> Conditions:
    """That a row comes before those with this value."""
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
