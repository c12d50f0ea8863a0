"""Lists of values that are longer than one statement takes."""

from collections.abc import Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

# Below what SQLite (32 766) and PostgreSQL (65 535) take as values of one statement, beside others.
MAX_VALUES = 10_000


def in_chunks(values: Collection[T]) -> Iterator[list[T]]:
    """The values, at most MAX_VALUES at a time."""
    all_of_them = list(values)
    for start in range(0, len(all_of_them), MAX_VALUES):
        yield all_of_them[start : start + MAX_VALUES]
