"""A page of many rows in an order with many equals.

DuckDB finds the first rows by one column fast, because it skips what cannot be among them, but not by several columns.
So the bound of a page is found column by column, among the equals of those before, and only what lies within is sorted.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from runcard.analytics.conditions import Conditions
from runcard.analytics.engines.duckdb import Cursor


class Key(NamedTuple):
    """A column to order by, and its type."""

    sql: str
    kind: str


class Source(NamedTuple):
    """Rows `x` of a table, joined to what their order needs, that keep some conditions."""

    table: str
    joins: str
    conditions: Conditions


class Place(NamedTuple):
    run_id: UUID
    position: int


_ID_HIGH = Key("x.id_high", "BIGINT")


def find_places(
    cursor: Cursor, source: Source, keys: Sequence[Key], count: int, offset: int, *, descending: bool
) -> list[Place]:
    """The first `count` places but `offset`, by the keys; of equals, by run and by place in it the same way.

    Where a key is NULL it comes last, whichever way the order goes.
    """
    keys = [*keys, _ID_HIGH]
    way = "DESC" if descending else "ASC"
    branches = _branches(cursor, source, keys, count, way)
    columns = ", ".join(f"{key.sql} AS k{number}" for number, key in enumerate(keys))
    # One after the other, because DuckDB skips what one bound rules out, but not what none of several allows.
    candidates = " UNION ALL ".join(
        f"SELECT x.run, x.position, {columns} FROM {source.table} x {source.joins} WHERE {branch.sql}"
        for branch in branches
    )
    order = ", ".join([*(f"k{number} {way} NULLS LAST" for number in range(len(keys))), f"r.id {way}"])
    found = cursor.execute(
        f"SELECT r.id, c.position FROM ({candidates}) c JOIN runs r USING (run) "
        f"ORDER BY {order}, c.position {way} LIMIT {count - offset} OFFSET {offset}",
        [value for branch in branches for value in branch.values],
    ).fetchall()
    return [Place(*row) for row in found]


def _branches(cursor: Cursor, source: Source, keys: Sequence[Key], count: int, way: str) -> list[Conditions]:
    """Conditions of which the first `count` rows keep one each, and few others do."""
    branches: list[Conditions] = []
    equal = source.conditions
    for key in keys:
        found = cursor.execute(
            f"SELECT {key.sql} FROM {source.table} x {source.joins} WHERE {equal.sql} "
            f"ORDER BY {key.sql} {way} NULLS LAST LIMIT {count}",
            equal.values,
        ).fetchall()
        if len(found) < count:
            break
        [last] = found[-1]
        count = found.count((last,))
        beyond, same = Conditions(), Conditions()
        beyond.add(*_before(key, last, way))
        same.add(*_is(key, last))
        branches.append(equal.and_of(beyond))
        equal = equal.and_of(same)
    return [*branches, equal]


def _before(key: Key, value: Any, way: str) -> tuple[Any, ...]:
    if value is None:
        return (f"{key.sql} IS NOT NULL",)
    return f"{key.sql} {'>' if way == 'DESC' else '<'} ?::{key.kind}", value


def _is(key: Key, value: Any) -> tuple[Any, ...]:
    return (f"{key.sql} IS NULL",) if value is None else (f"{key.sql} = ?::{key.kind}", value)
