"""Chunks of lists that are too long for one statement, and rows by such lists of ids."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row, Select

T = TypeVar("T")

# SQLite takes 32 766 values in one statement, PostgreSQL 65 535. This leaves room for other values beside the chunk.
MAX_VALUES = 10_000


def in_chunks(values: Collection[T]) -> Iterator[list[T]]:
    """The values in order, at most MAX_VALUES at a time."""
    listed = list(values)
    for start in range(0, len(listed), MAX_VALUES):
        yield listed[start : start + MAX_VALUES]


def get_rows(
    connection: Connection, query: Select[Any], ids: Collection[UUID], missing: Callable[[UUID], Exception]
) -> Mapping[UUID, Row[*tuple[Any, ...]]]:
    """The rows that a query finds for these ids, in their order. The first column of the query is the id.

    missing: makes the error for an id without a row, which is raised.
    """
    column, found = query.selected_columns[0], dict[UUID, Row[*tuple[Any, ...]]]()
    for some in in_chunks(ids):
        found |= {row[0]: row for row in connection.execute(query.where(column.in_(some)))}
    for one in ids:
        if one not in found:
            raise missing(one)
    return {one: found[one] for one in ids}
