"""Read lists of the v2 API page by page."""

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
    """The pages of a list, with each row converted by `make`. Raises Refused and Unavailable."""
    for page in each_page(api, path, query):
        yield [make(row) for row in page]


def each_row(api: Api, path: str, query: Mapping[str, QueryValue]) -> Iterator[Json]:
    """All rows of a list, in its order. Raises Refused and Unavailable."""
    for page in each_page(api, path, query):
        yield from page


def each_page(api: Api, path: str, query: Mapping[str, QueryValue]) -> Iterator[list[Json]]:
    """The pages of a list. Raises Refused and Unavailable."""
    cursor: QueryValue = None
    while True:
        answer = api.get(path, {**query, "limit": _PAGE_ROWS, "cursor": cursor})
        rows, meta = answer.get("data"), answer.get("meta")
        if not isinstance(rows, list) or not isinstance(meta, dict):
            raise Unavailable(
                f"{path} did not answer with a list; check that the address is that of a Runcard server"
            )
        yield rows
        cursor = meta.get("next_cursor")
        if not meta.get("has_more") or cursor is None:
            return


def text_of(row: Json, field: str) -> str:
    """The text in a field that every answer has. Raises Unavailable where it is missing."""
    value = row.get(field)
    if not isinstance(value, str):
        raise Unavailable(
            f"{field} is missing in an answer; check that the address is that of a Runcard server"
        )
    return value
