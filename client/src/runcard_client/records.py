"""Lists of the v2 API, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from runcard_client.api import Api, Json, QueryValue
from runcard_client.errors import Unavailable

_PAGE_ROWS = 1000

Row = TypeVar("Row")


def map_pages(
    api: Api, path: str, query: Mapping[str, QueryValue], make: Callable[[Json], Row]
) -> Iterator[list[Row]]:
    """The pages of a list, each row made into something. Raises Refused, Unavailable."""
    for page in each_page(api, path, query):
        yield [make(row) for row in page]


def each_row(api: Api, path: str, query: Mapping[str, QueryValue]) -> Iterator[Json]:
    """Every row of a list, in its order. Raises Refused, Unavailable."""
    for page in each_page(api, path, query):
        yield from page


def each_page(api: Api, path: str, query: Mapping[str, QueryValue]) -> Iterator[list[Json]]:
    """The pages of a list. Raises Refused, Unavailable."""
    cursor: QueryValue = None
    while True:
        answer = api.get(path, {**query, "limit": _PAGE_ROWS, "cursor": cursor})
        rows, meta = answer.get("data"), answer.get("meta")
        if not isinstance(rows, list) or not isinstance(meta, dict):
            raise Unavailable(f"{path} answered what is no list; see that the address is a Runcard server's")
        yield rows
        cursor = meta.get("next_cursor")
        if not meta.get("has_more") or cursor is None:
            return


def text_of(row: Json, field: str) -> str:
    """A text that every answer has. Raises Unavailable where this one has not."""
    value = row.get(field)
    if not isinstance(value, str):
        raise Unavailable(f"{field} is missing in an answer; see that the address is a Runcard server's")
    return value
