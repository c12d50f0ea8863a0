"""The headings of a list that can be sorted: each is a link to the list in its order, or the other way round."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

Direction = Literal["asc", "desc"]


class SortColumn(NamedTuple):
    """order: what to sort by; empty where the list has no such order."""

    label: str
    order: str = ""
    is_number: bool = False


class Heading(NamedTuple):
    """sorted: as `aria-sort` says it; empty where the list is in another order. url: empty: it cannot be sorted by."""

    label: str
    url: str
    sorted: Literal["ascending", "descending", ""]
    is_number: bool


def headings(
    columns: Sequence[SortColumn], order: str, direction: Direction, url_by: Callable[[str, Direction], str]
) -> Sequence[Heading]:
    """The headings of a list that is in this order; `url_by`: its address in another one."""

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
