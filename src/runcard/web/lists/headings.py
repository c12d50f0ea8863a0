"""The headings of a sortable list: each links to the list sorted by its column, or in the opposite order."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Direction = Literal["asc", "desc"]


class SortColumn(NamedTuple):
    """order: the name of the order by this column; empty if the list cannot be sorted by it."""

    label: str
    order: str = ""
    is_number: bool = False


class Heading(NamedTuple):
    """sorted: the value of `aria-sort`; empty if the list is in another order. url: empty if it has no such order."""

    label: str
    url: str
    sorted: Literal["ascending", "descending", ""]
    is_number: bool


def headings(
    columns: Sequence[SortColumn], order: str, direction: Direction, url_by: Callable[[str, Direction], str]
) -> Sequence[Heading]:
    """The headings of a list in this order. url_by: the address of the list in another order."""

    def heading(column: SortColumn) -> Heading:
        if not column.order:
            return Heading(column.label, "", "", column.is_number)
        if column.order != order:
            return Heading(column.label, url_by(column.order, "asc"), "", column.is_number)
        is_down = direction == "desc"
        other: Direction = "asc" if is_down else "desc"
        url = url_by(order, other)
        return Heading(column.label, url, "descending" if is_down else "ascending", column.is_number)

    return [heading(column) for column in columns]
