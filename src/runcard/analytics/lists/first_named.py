"""Measurements in the order of names: the first names are tried first, so that the others need not be read."""

from collections.abc import Sequence

from runcard.analytics.conditions import Conditions, is_one_of
from runcard.analytics.copy.engines.engine import CopyCursor
from runcard.analytics.lists.ordered_places import RowOrder, RowSource

# The number of names to try, one more each time. If these have too few rows, the rows of all names are read.
MOST_NAMES = 4


def first_named(
    cursor: CopyCursor,
    source: RowSource,
    procedures: Sequence[int],
    order: RowOrder,
    count: int,
    *,
    descending: bool,
) -> tuple[RowSource, RowOrder]:
    """The source, narrowed to the first names if these hold the first `count` rows, and the order that is left to do.

    procedures: of all rows. order: by a column of `specs s`.
    """
    name = order.of_rows[0].sql
    names = cursor.execute(
        f"SELECT list(s.spec) FROM specs s WHERE {is_one_of('s.procedure', procedures, 'INTEGER')} "
        f"GROUP BY {name} ORDER BY {name} {'DESC' if descending else 'ASC'} LIMIT {MOST_NAMES}",
        procedures,
    ).fetchall()
    specs: list[int] = []
    for number, (of_name,) in enumerate(names):
        specs += of_name
        rows = source.rows.and_of(Conditions.of(is_one_of("x.spec", specs, "INTEGER"), *specs))
        [(found_count,)] = cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {source.table} x WHERE {rows.sql} LIMIT {count})",
            rows.values,
        ).fetchall()
        if found_count == count:
            # The rows of a single name are equal in this order.
            return source._replace(rows=rows), order if number else RowOrder()
    return source, order
