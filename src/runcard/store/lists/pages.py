"""Pages of lists, which neither lose nor repeat a row while rows are added.

A page has a number of rows to skip, and a snapshot: the last change that was known when the first page was read. Rows
that were created after it are left out of all later pages, so they move no other row.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, literal, select

from runcard.store.commit.changes import ChangeKind
from runcard.store.engine.tables import changes

# Unscoped: the caller's query is scoped.

T = TypeVar("T")


class Page(NamedTuple):
    """snapshot: number of the last change that counts; None: all do. counted: where counting stops; 0: no count."""

    limit: int
    offset: int = 0
    snapshot: int | None = None
    counted: int = 0


class Listed(NamedTuple, Generic[T]):
    """The rows of one page, and whether there are more.

    total: the rows of all pages, at most `counted`; None if the page counts none.
    """

    rows: Sequence[T]
    has_more: bool
    total: int | None = None


def known_at(page: Page, created: ChangeKind, entity_id: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    """The condition that a row was there at the page's snapshot. created: the kind of change that adds such a row."""
    if page.snapshot is None:
        return []
    c = changes.c
    return [entity_id.not_in(select(c.entity_id).where(c.seq > page.snapshot, c.kind.in_(_adding(created))))]


def created_since(connection: Connection, page: Page, created: ChangeKind) -> Sequence[UUID]:
    """The ids of rows that were added after the page's snapshot. created: the kind of change that adds such a row."""
    if page.snapshot is None:
        return []
    c = changes.c
    newer = select(c.entity_id).where(c.seq > page.snapshot, c.kind.in_(_adding(created)))
    return connection.execute(newer).scalars().all()


def _adding(created: ChangeKind) -> tuple[str, str]:
    """The kinds of changes that add such a row: the first time, and from the bin."""
    return created, f"{created.partition('_')[0]}_restored"


def fetch_page(connection: Connection, query: Select[Any], page: Page, make: Callable[..., T]) -> Listed[T]:
    """The rows of an ordered query that are on a page, each made by `make` from its columns."""
    # One row more than the page holds tells whether there are more.
    rows = connection.execute(query.limit(page.limit + 1).offset(page.offset)).all()
    total = _count(connection, query, page) if page.counted else None
    return Listed([make(*row) for row in rows[: page.limit]], len(rows) > page.limit, total)


def _count(connection: Connection, query: Select[Any], page: Page) -> int:
    bare = query.with_only_columns(literal(1).label("one"), maintain_column_froms=True).order_by(None)
    found = bare.limit(page.counted).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()
