"""Pages of lists that are short enough to be read whole."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from runcard.web.lists.pager import PAGE_SIZE, Pager

T = TypeVar("T")

# The last page that a URL may name.
MAX_PAGE = 1000


class Slice(NamedTuple, Generic[T]):
    rows: Sequence[T]
    pager: Pager


def slice_of(rows: Sequence[T], page: int, url: Callable[[int], str]) -> Slice[T]:
    """One page of all rows. page: counted from 1. url: makes the address of a page."""
    start = (page - 1) * PAGE_SIZE
    some = rows[start : start + PAGE_SIZE]
    return Slice(
        some,
        Pager(
            rows=f"{start + 1}–{start + len(some)} of {len(rows)}" if some else "",
            earlier_url=url(page - 1) if page > 1 else "",
            later_url=url(page + 1) if start + PAGE_SIZE < len(rows) else "",
        ),
    )
