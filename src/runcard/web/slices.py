"""Lists that are read whole, because they are short, and shown in pages."""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_SIZE = 50
# The last page that a URL may ask for.
MAX_PAGE = 1000


class Slice(NamedTuple, Generic[T]):
    """shown: such as 1 – 50 of 120; empty where nothing is. previous_url, next_url: empty where there is none."""

    rows: Sequence[T]
    shown: str
    previous_url: str
    next_url: str


def slice_of(rows: Sequence[T], page: int, url: Callable[[int], str]) -> Slice[T]:
    """A page, counted from 1, of all rows. url: makes the address of a page."""
    start = (page - 1) * _SIZE
    some = rows[start : start + _SIZE]
    return Slice(
        some,
        f"{start + 1} – {start + len(some)} of {len(rows)}" if some else "",
        url(page - 1) if page > 1 else "",
        url(page + 1) if start + _SIZE < len(rows) else "",
    )
