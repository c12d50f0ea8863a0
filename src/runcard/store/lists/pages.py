"""Pages of lists, which neither lose nor repeat a row while others are added.

A page is a number of rows to skip and the state of the record that it belongs to: the last change that was known when
the first page was read. What was created after that is left out of all later pages, so it moves nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select

from runcard.store.commit.changes import ChangeKind
from runcard.store.engine.tables import changes

# Unscoped: what a list is asked of is scoped by whoever asks it.

T = TypeVar("T")


class Page(NamedTuple):
    """snapshot: number of the last change that counts; None: all do. counted: how far the whole list is counted; 0: not
    at all.
    """

    limit: int
    offset: int = 0
    snapshot: int | None = None
    counted: int = 0


class Listed(NamedTuple, Generic[T]):
    """The rows of one page, and whether there are more.

    total: of all pages, at most as many as the page counts; None where it counts none.
    """

    rows: Sequence[T]
    has_more: bool
    total: int | None = None


def known_at(page: Page, created: ChangeKind, entity_id: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    """The condition that a row was there at the page's snapshot; `created`: the change that brings such a row."""
    if page.snapshot is None:
        return []
    c = changes.c
    newer = select(c.entity_id).where(c.seq > page.snapshot, c.kind == created)
    return [entity_id.not_in(newer)]


def created_since(connection: Connection, page: Page, created: ChangeKind) -> Sequence[UUID]:
    """What such changes brought after the page's snapshot."""
    if page.snapshot is None:
        return []
    c = changes.c
    newer = select(c.entity_id).where(c.seq > page.snapshot, c.kind == created)
    return connection.execute(newer).scalars().all()


def fetch_page(connection: Connection, query: Select[Any], page: Page, make: Callable[..., T]) -> Listed[T]:
    """The rows of an ordered query that lie on a page, each made by `make` from its columns."""
    # One more than wanted tells whether there are more.
    rows = connection.execute(query.limit(page.limit + 1).offset(page.offset)).all()
    total = _count(connection, query, page) if page.counted else None
    return Listed([make(*row) for row in rows[: page.limit]], len(rows) > page.limit, total)


def _count(connection: Connection, query: Select[Any], page: Page) -> int:
    bare = query.with_only_columns(literal(1).label("one"), maintain_column_froms=True).order_by(None)
    found = bare.limit(page.counted).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()
