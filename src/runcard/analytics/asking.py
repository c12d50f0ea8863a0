"""Asking the copy: which runs a question is about, and one state of the copy to find them in."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.answers import Freshness, Window
from runcard.analytics.columnar_copy import ColumnarCopy
from runcard.analytics.conditions import Conditions, of_procedures, on_runs
from runcard.analytics.engines.duckdb import CopyFailed, Cursor
from runcard.domain.errors import FiguresUnavailable, InvalidInput
from runcard.store.changes import last_seq
from runcard.store.database import Connection
from runcard.store.resolved_runs import MAX_IDS, resolve
from runcard.store.run_filter import RunFilter

_log = logging.getLogger(__name__)

# Of the runs of a unit on a procedure, counted over all time by their start: only the first, only the last, or all.
Attempts = Literal["first", "last", "all"]
_OF_ATTEMPTS = {"first": "r.attempt = 1", "last": "r.attempt = r.attempts"}


class Selection(NamedTuple):
    """The runs that a question is about. Units that are samples count only where `runs.samples` asks for them."""

    runs: RunFilter
    attempts: Attempts = "all"

    @property
    def counted(self) -> RunFilter:
        """`runs` without those of samples that are not asked for."""
        return self.runs if self.runs.samples is not None else replace(self.runs, samples=[None])


class Asking:
    """A state of the copy, and the conditions on `runs r` of one selection in it.

    connection: of the truth, for names. window, freshness: what answers say of themselves.
    """

    def __init__(
        self,
        cursor: Cursor,
        connection: Connection,
        organization_id: UUID,
        runs: Conditions,
        window: Window,
        freshness: Freshness,
    ) -> None:
        self.cursor = cursor
        self.connection = connection
        self.organization_id = organization_id
        self.runs = runs
        self.window = window
        self.freshness = freshness

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """What a query finds; its parameters are those of `runs` where no others are given."""
        return self.cursor.execute(sql, self.runs.values if values is None else values).fetchall()

    def arrays(self, sql: str, values: Sequence[Any] | None = None) -> Mapping[str, Any]:
        """What a query finds as one NumPy array a column, masked where there are NULLs."""
        found: Mapping[str, Any] = self.cursor.execute(
            sql, self.runs.values if values is None else values
        ).fetchnumpy()
        return found

    def one(self, sql: str, values: Sequence[Any] | None = None) -> tuple[Any, ...]:
        """The only row of what a query finds."""
        [row] = self.rows(sql, values)
        return row


@contextmanager
def asking(
    copy: ColumnarCopy | None, connection: Connection, organization_id: UUID, wanted: Selection
) -> Iterator[Asking]:
    """Wait, for a bounded time, until the copy knows what `connection` sees, then ask what it knows.

    Raises FiguresUnavailable, and InvalidInput for a selection that names too much.
    """
    if copy is None:
        raise FiguresUnavailable(
            "This server keeps no columnar copy. Switch columnar_copy on, or ask the one that has."
        )
    newest = last_seq(connection)
    is_current = copy.is_fresh(newest)
    runs = wanted.counted
    resolved = resolve(connection, organization_id, runs)
    if resolved is None:
        raise InvalidInput.at(
            "filter", f"names or matches more than {MAX_IDS} things of one kind; ask for fewer"
        )
    try:
        with copy.engine.transaction() as cursor:
            conditions = of_procedures(cursor, organization_id, runs.procedure_ids, "r.procedure")
            conditions = conditions.and_of(on_runs(runs, resolved))
            if wanted.attempts != "all":
                conditions.add(_OF_ATTEMPTS[wanted.attempts])
            yield Asking(
                cursor,
                connection,
                organization_id,
                conditions,
                Window(runs.started_after, runs.started_before),
                _freshness(cursor, newest, is_current=is_current),
            )
    except CopyFailed as error:
        _log.warning("a question was not answered: %s", error)
        if error.is_damaged:
            copy.distrust()
        raise FiguresUnavailable(
            "The columnar copy failed; it is being mended. Ask again in a minute."
        ) from error


def _freshness(cursor: Cursor, newest: int, *, is_current: bool) -> Freshness:
    [(seen, seen_at)] = cursor.execute("SELECT seq, changed_at FROM copy_state").fetchall()
    moment: datetime | None = None if seen_at is None else seen_at.replace(tzinfo=UTC)
    return Freshness(is_current or seen >= newest, seen, moment, max(newest - seen, 0))
