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
    within = _within(cursor, source, keys, count, way)
    order = ", ".join([*(f"{key.sql} {way} NULLS LAST" for key in keys), f"r.id {way}", f"x.position {way}"])
    runs = "" if "runs r" in source.joins else "JOIN runs r USING (run)"
    both = source.conditions.and_of(within)
    found = cursor.execute(
        f"SELECT r.id, x.position FROM {source.table} x {source.joins} {runs} WHERE {both.sql} "
        f"ORDER BY {order} LIMIT {count - offset} OFFSET {offset}",
        both.values,
    ).fetchall()
    return [Place(*row) for row in found]


def _within(cursor: Cursor, source: Source, keys: Sequence[Key], count: int, way: str) -> Conditions:
    """What the first `count` rows keep, and few others."""
    better: list[Conditions] = []
    equal = Conditions()
    for key in keys:
        both = source.conditions.and_of(equal)
        found = cursor.execute(
            f"SELECT {key.sql} FROM {source.table} x {source.joins} WHERE {both.sql} "
            f"ORDER BY {key.sql} {way} NULLS LAST LIMIT {count}",
            both.values,
        ).fetchall()
        if len(found) < count:
            break
        [last] = found[-1]
        count = found.count((last,))
        beyond = Conditions()
        beyond.add(*_before(key, last, way))
        better.append(equal.and_of(beyond))
        same = Conditions()
        same.add(*_is(key, last))
        equal = equal.and_of(same)
    return _any_of([*better, equal])


def _before(key: Key, value: Any, way: str) -> tuple[Any, ...]:
    if value is None:
        return (f"{key.sql} IS NOT NULL",)
    return f"{key.sql} {'>' if way == 'DESC' else '<'} ?::{key.kind}", value


def _is(key: Key, value: Any) -> tuple[Any, ...]:
    return (f"{key.sql} IS NULL",) if value is None else (f"{key.sql} = ?::{key.kind}", value)


def _any_of(alternatives: Sequence[Conditions]) -> Conditions:
    found = Conditions()
    found.add(
        "(" + " OR ".join(f"({one.sql})" for one in alternatives) + ")",
        *(value for one in alternatives for value in one.values),
    )
    return found
