"""The ids of rows to change or delete, a bounded number at a time."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from runcard.store.engine.chunks import MAX_VALUES

# Unscoped: the caller's conditions are scoped.


def id_pages(
    connection: Connection, column: ColumnElement[UUID], *conditions: ColumnElement[bool]
) -> Iterator[Sequence[UUID]]:
    """The ids in this column of all rows that meet the conditions, in order, at most MAX_VALUES at a time.

    Each page is read when it is needed, so the caller may change or delete the rows of one page before the next.
    """
    query = select(column).where(*conditions).order_by(column).limit(MAX_VALUES)
    while page := connection.execute(query).scalars().all():
        yield page
        query = query.where(column > page[-1])
