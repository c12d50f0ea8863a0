"""Cursors: one opaque integer that says where a list goes on, and of which state of the record.

Clients hand it back as it came. It stays below 2^53, so that one who reads it as a float loses nothing.
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
    """A query of a list that comes in pages, whatever else it asks."""

    limit: int
    cursor: int | None


class PageQuery(Struct, kw_only=True):
    """The query of a list that comes in pages."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None


class PageMeta(Struct):
    has_more: bool
    next_cursor: int | None


def page_of(connection: Connection, query: Paged) -> Page:
    """The page that a query asks for. A plain number of rows to skip is a cursor too, of no state in particular."""
    if not query.cursor:
        return Page(query.limit, 0, min(last_seq(connection), _MAX_SNAPSHOT))
    return Page(query.limit, query.cursor & _MAX_OFFSET, query.cursor >> _OFFSET_BITS or None)


def meta_of(page: Page, listed: Listed[Any]) -> PageMeta:
    """What to tell of a page. Raises InvalidInput where the list goes on beyond what cursors can say."""
    if not listed.has_more:
        return PageMeta(has_more=False, next_cursor=None)
    offset = page.offset + page.limit
    if offset > _MAX_OFFSET:
        raise InvalidInput.at("cursor", f"Lists end after {_MAX_OFFSET} rows; ask for less with a filter.")
    return PageMeta(has_more=True, next_cursor=(page.snapshot or 0) << _OFFSET_BITS | offset)
