"""Cursors: a cursor is one opaque integer that says where a list continues, and in which state of the database.

Clients send it back unchanged. It stays below 2^53, so that a client that reads it as a float loses nothing.
"""

from typing import Annotated, Any, Protocol

from msgspec import Meta, Struct

from runcard.domain.errors import InvalidInput
from runcard.store.commit.changes import last_seq
from runcard.store.engine.database import Connection
from runcard.store.lists.pages import Listed, Page

MAX_LIMIT = 1000
_OFFSET_BITS = 24
_MAX_OFFSET = (1 << _OFFSET_BITS) - 1
_MAX_SNAPSHOT = (1 << 53 - _OFFSET_BITS) - 1


Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[int, Meta(ge=0, lt=1 << 53)]
DEFAULT_LIMIT = 50


class Paged(Protocol):
    """Any query of a list in pages."""

    limit: int
    cursor: int | None


class PageQuery(Struct, kw_only=True):
    """The query of a list in pages, without further parameters."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None


class PageMeta(Struct):
    has_more: bool
    next_cursor: int | None


def page_of(connection: Connection, query: Paged) -> Page:
    """The page that a query asks for. A plain number of rows to skip is a valid cursor too, without a state."""
    if not query.cursor:
        return Page(query.limit, 0, min(last_seq(connection), _MAX_SNAPSHOT))
    return Page(query.limit, query.cursor & _MAX_OFFSET, query.cursor >> _OFFSET_BITS or None)


def meta_of(page: Page, listed: Listed[Any]) -> PageMeta:
    """The `meta` of a page, for its answer. Raises InvalidInput if the next page is beyond the range of cursors."""
    if not listed.has_more:
        return PageMeta(has_more=False, next_cursor=None)
    offset = page.offset + page.limit
    if offset > _MAX_OFFSET:
        raise InvalidInput.at("cursor", f"A list ends after {_MAX_OFFSET} rows; narrow it with a filter.")
    return PageMeta(has_more=True, next_cursor=(page.snapshot or 0) << _OFFSET_BITS | offset)
