"""Measurements in the order of names: those of the first names, so that nobody looks at the names of all others."""

from collections.abc import Collection

from runcard.analytics.conditions import Conditions
from runcard.analytics.copy.engines.duckdb import Cursor
from runcard.analytics.lists.ordered_places import Order, Source

# Names that are tried, one more each time; where these have too few rows, those of all names are looked at.
MOST_NAMES = 4


def first_named(
    cursor: Cursor, source: Source, procedures: Collection[int], order: Order, count: int, *, descending: bool
) -> tuple[Source, Order]:
    """The same rows, or those of the first names with the first `count` among them; what these are ordered by.

    procedures: those that all rows are of. order: by a column of `specs`.
    """
    asked = Conditions()
    asked.one_of("procedure", procedures, "INTEGER")
    names = cursor.execute(
        f"SELECT list(spec) FROM specs WHERE {asked.sql} GROUP BY {order.name} "
        f"ORDER BY {order.name} {'DESC' if descending else 'ASC'} LIMIT {MOST_NAMES}",
        asked.values,
    ).fetchall()
    specs: list[int] = []
    for number, (of_name,) in enumerate(names):
        specs += of_name
        rows = source.rows.and_of(_of(specs))
        [(found_count,)] = cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {source.table} x WHERE {rows.sql} LIMIT {count})",
            rows.values,
        ).fetchall()
        if found_count == count:
            # Rows of one name are equals.
            return source._replace(rows=rows), order if number else Order()
    return source, order


def _of(specs: Collection[int]) -> Conditions:
    found = Conditions()
    found.one_of("x.spec", specs, "INTEGER")
    return found
