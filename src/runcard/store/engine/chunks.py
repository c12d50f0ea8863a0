"""Chunks of lists that are too long for one statement."""

from collections.abc import Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

# SQLite takes 32 766 values in one statement, PostgreSQL 65 535. This leaves room for other values beside the chunk.
MAX_VALUES = 10_000


def in_chunks(values: Collection[T]) -> Iterator[list[T]]:
    """The values in order, at most MAX_VALUES at a time."""
    listed = list(values)
    for start in range(0, len(listed), MAX_VALUES):
        yield listed[start : start + MAX_VALUES]
