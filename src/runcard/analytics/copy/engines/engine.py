"""What the columnar copy needs of the engine that holds it. DuckDB and ClickHouse are neighbours of this file.

Questions and lists are written once, in SQL that both engines run; `clickhouse_sql` tells the few names that differ.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import pyarrow as pa


class CopyFailed(Exception):
    """A query or change of the copy failed; the message quotes the engine.

    is_damaged: the copy cannot be trusted any more.
    """

    def __init__(self, error: object, *, is_damaged: bool = False) -> None:
        super().__init__(f"The columnar copy failed: {error}")
        self.is_damaged = is_damaged


class CopyAway(CopyFailed):
    """The engine cannot be reached, or does not let Runcard in. It may come back as it was."""

    def __init__(self, place: str, reason: object) -> None:
        super().__init__(f"{place} cannot be reached: {reason}")


class LastSeen(NamedTuple):
    """The last change that a copy has taken in, and the values that tell it from one of another history.

    seq: 0: none yet; then the others are None.
    """

    seq: int
    entity_id: UUID | None
    changed_at: datetime | None


class CopyCursor(Protocol):
    """Queries of one state of the copy. `?` in SQL stands for the next of the values."""

    def execute(self, sql: str, values: Any = None, /) -> "CopyCursor":
        """Run a query; its result is fetched from what is returned."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows as tuples: ids as UUIDs, moments in UTC without a time zone."""
        ...

    def fetchnumpy(self) -> Mapping[str, Any]:
        """The columns as NumPy arrays, masked if they have NULLs."""
        ...

    def keep(self, name: str, query: str, values: Any = None) -> int:
        """Put the result of a query into a temporary table, and return the number of its rows."""
        ...

    def register(self, name: str, table: pa.Table) -> None:
        """Make a table that queries of this cursor can read."""
        ...

    @property
    def has_log_blocks(self) -> bool:
        """Whether texts in logs are found by `log_blocks` and by samples, because reading all messages is slow."""
        ...


class Batch(Protocol):
    """Changes of the copy that readers see all together, or not at all. `cursor` sees those made so far."""

    @property
    def cursor(self) -> CopyCursor: ...

    def insert(self, table: str, rows: pa.Table) -> None:
        """Add rows to one of `schema.TABLES`."""
        ...

    def remove_runs(self, numbers: Collection[int]) -> None:
        """Remove these runs with all that is inside them."""
        ...

    def restand(self, rows: pa.Table) -> None:
        """Give runs another standing. rows: `run`, and the columns of `standing.Standing`."""
        ...

    def remove_units(self, unit_ids: Sequence[UUID]) -> None: ...


class Engine(Protocol):
    """A columnar copy in an engine."""

    @property
    def place(self) -> str:
        """Where the copy is, for people to read; without a password."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether several processes read this copy; then only one of them may write it."""
        ...

    def transaction(self) -> AbstractContextManager[CopyCursor]:
        """A cursor that sees one state of the copy. Raises CopyFailed."""
        ...

    def failing(self) -> AbstractContextManager[None]:
        """A block in which errors of the engine become CopyFailed."""
        ...

    def last_seen(self) -> LastSeen:
        """The last change that the copy has taken in. Raises CopyFailed."""
        ...

    def make_ready(self) -> None:
        """For the one that writes: make an empty copy where there is none of this version, and remove what a batch left
        that was cut short. Raises CopyFailed.
        """
        ...

    def batch(self, last: LastSeen) -> AbstractContextManager[Batch]:
        """A batch after which the copy has seen this change; it is undone if the block ends with an error.

        Raises CopyFailed.
        """
        ...

    def begin_anew(self) -> None:
        """Replace the copy by an empty one. Raises CopyFailed."""
        ...

    def close(self) -> None: ...
