"""Rows to change or delete, a bounded number at a time."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from runcard.store.engine.chunks import MAX_VALUES

# Unscoped: its conditions are scoped by whoever makes them.


def id_pages(
    connection: Connection, column: ColumnElement[UUID], *conditions: ColumnElement[bool]
) -> Iterator[Sequence[UUID]]:
    """The ids in this column of the rows that keep these conditions, in order, at most MAX_VALUES at a time.

    Each page is read when it is asked for, so the rows of those before may have been changed or deleted by then.
    """
    query = select(column).where(*conditions).order_by(column).limit(MAX_VALUES)
    while page := connection.execute(query).scalars().all():
        yield page
        query = query.where(column > page[-1])
