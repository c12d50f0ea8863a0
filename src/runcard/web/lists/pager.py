"""Pages of lists: which rows are shown, and the links to the pages before and after."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from runcard.edge.requests.paging import PageQuery, meta_of, page_of
from runcard.store.engine.database import Connection
from runcard.store.lists.pages import Listed, Page
from runcard.web.frame.formats import count_text

# Where a list continues, as `edge.requests.paging` writes it; None: at its beginning.
Cursor = Annotated[int, Meta(ge=0, lt=1 << 53)]

PAGE_SIZE = 50
# No list is counted further than this.
COUNTED = 10_000


class Pager(NamedTuple):
    """rows: the shown rows, such as 51–100 of 1 234; empty if all are shown. A URL is empty if it leads nowhere."""

    rows: str
    earlier_url: str
    later_url: str


def list_page(connection: Connection, cursor: int | None, size: int = PAGE_SIZE) -> Page:
    """The page of a list that begins at a cursor."""
    return page_of(connection, PageQuery(limit=size, cursor=cursor))._replace(counted=COUNTED + 1)


def pager(page: Page, listed: Listed[Any], url_at: Callable[[int | None], str]) -> Pager:
    """The links around a page. url_at: the address of the list at a cursor."""
    later = meta_of(page, listed).next_cursor
    is_whole = later is None and page.offset == 0
    first, last = page.offset + 1, page.offset + len(listed.rows)
    return Pager(
        rows=""
        if is_whole or not listed.rows
        else f"{count_text(first)}–{count_text(last)}{_of(listed.total)}",
        earlier_url="" if page.offset == 0 else url_at(_before(page)),
        later_url="" if later is None else url_at(later),
    )


def total_text(total: int) -> str:
    """A number of rows that were counted up to one more than `COUNTED`: 1 234, or more than 10 000."""
    return f"more than {count_text(COUNTED)}" if total > COUNTED else count_text(total)


def _of(total: int | None) -> str:
    return "" if total is None else f" of {total_text(total)}"


def _before(page: Page) -> int | None:
    """The cursor of the page before this one; None: that is the first page."""
    if page.offset <= page.limit:
        return None
    before = meta_of(page._replace(offset=page.offset - 2 * page.limit), Listed((), has_more=True))
    return before.next_cursor
