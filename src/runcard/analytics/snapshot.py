"""Queries on the copy: the runs that a question is about, in one state of the copy."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.answers import Freshness, Window
from runcard.analytics.attempts import CONDITIONS, Attempts
from runcard.analytics.calendar import CalendarSpan
from runcard.analytics.conditions import Conditions, on_runs
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.engine import CopyAway, CopyCursor, CopyFailed
from runcard.domain.errors import FiguresUnavailable, InvalidInput
from runcard.domain.runs.clock import EARLIEST, MOST_AHEAD
from runcard.store.commit.changes import last_seq
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import follow_merges
from runcard.store.lists.run_filter import RunFilter
from runcard.store.procedures.rows import rank_by_name
from runcard.store.runs.resolved_filter import MAX_IDS, resolve

_log = logging.getLogger(__name__)


class Selection(NamedTuple):
    """The runs that a question is about. Samples count only if `runs.samples` asks for them, and voided runs never.

    attempts: None: those that are usual for the question.
    """

    runs: RunFilter
    attempts: Attempts | None = None

    @property
    def counted(self) -> RunFilter:
        """`runs` that were not voided, but only of production units unless it asks for samples."""
        samples = ["production"] if self.runs.samples is None else self.runs.samples
        return replace(self.runs, samples=samples, voided=False)


class _State(NamedTuple):
    """has_voided: whether the copy holds any voided run, of any organization."""

    cursor: CopyCursor
    freshness: Freshness
    has_voided: bool


class Snapshot:
    """One state of the copy, as an organization sees it: for a question, or for a whole page.

    scope: reads the database, for names. The first question waits for a bounded time until the copy has seen all that
    the scope's connection sees. Later questions in the `with` block use the same state.
    """

    def __init__(self, copy: ColumnarCopy | None, scope: Scope) -> None:
        self.copy = copy
        self.scope = scope
        self._opened = ExitStack()
        self._state: _State | None = None
        self._places: str | None = None
        self._procedures: Mapping[UUID, int] | None = None
        # The most voided runs that any selection in this snapshot has left out.
        self.voided = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._opened.close()
        except CopyFailed as failure:  # the question that caused it has raised it already
            _log.info("%s", failure)

    def asking(self, selection: Selection, usual: Attempts = "all") -> "Asking":
        """The conditions on the runs of a selection. usual: the attempts to count if the selection names none.

        Raises FiguresUnavailable, or InvalidInput for a selection that names or matches more than MAX_IDS things.
        """
        runs = selection.counted
        with self._telling():
            freshness = self._seen().freshness
        resolved = resolve(self.scope, runs)
        if resolved is None:
            raise InvalidInput.at(
                "filter", f"names or matches more than {MAX_IDS} things of one kind; use a narrower filter"
            )
        of_procedures = self.of_procedures(runs.procedure_ids, "r.procedure")
        voided = 0
        if self._seen().has_voided:
            voided = self._count(of_procedures.and_of(on_runs(replace(runs, voided=True), resolved)))
            self.voided = max(self.voided, voided)
        # Without this condition, a question reads one column less.
        conditions = of_procedures.and_of(on_runs(runs if voided else replace(runs, voided=None), resolved))
        attempts = selection.attempts or usual
        if attempts != "all":
            conditions.add(CONDITIONS[attempts])
        window = Window(runs.started_after, runs.started_before, attempts, voided)
        return Asking(self, conditions, window, freshness)

    def of_procedures(self, procedure_ids: Collection[UUID] | None, column: str) -> Conditions:
        """The condition that a row belongs to one of these procedures of the organization; None: to any of them."""
        known = self.procedures
        if procedure_ids is None:
            numbers = set(known.values())
        else:
            merged = follow_merges(self.scope, procedure_ids)
            numbers = {known[procedure_id] for procedure_id in merged if procedure_id in known}
        found = Conditions()
        found.one_of(column, sorted(numbers), "INTEGER")
        return found

    @property
    def procedures(self) -> Mapping[UUID, int]:
        """The numbers, in the copy, of the organization's procedures that have or had runs."""
        if self._procedures is None:
            organization_id = self.scope.organization_id
            with self.cursor() as cursor:
                found = cursor.execute(
                    "SELECT id, procedure FROM procedures WHERE organization = ?", [organization_id]
                )
                self._procedures = dict(found.fetchall())
        return self._procedures

    @property
    def places(self) -> str:
        """SQL of a table `places`: each `procedure` that has runs, and its `place` in order of name, then of age.

        The copy has no names, and numbers procedures in the order in which it meets them.
        """
        if self._places is None:
            numbers = self.procedures
            ranks = rank_by_name(self.scope, numbers.keys())
            ranked = sorted((rank, procedure_id) for procedure_id, rank in ranks)
            rows = [f"({numbers[procedure_id]}, {place})" for place, (_, procedure_id) in enumerate(ranked)]
            self._places = f"(VALUES {', '.join(rows) or '(0, 0)'}) AS places (procedure, place)"
        return self._places

    def _count(self, runs: Conditions) -> int:
        """How many runs meet the conditions."""
        with self.cursor() as cursor:
            [(count,)] = cursor.execute(
                f"SELECT count(*) FROM runs r WHERE {runs.sql}", runs.values
            ).fetchall()
        return int(count)

    @contextmanager
    def cursor(self) -> Iterator[CopyCursor]:
        """A cursor for a query. Raises FiguresUnavailable, also if the query fails."""
        with self._telling():
            yield self._seen().cursor

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn failures of the copy inside the block into FiguresUnavailable."""
        try:
            with nullcontext() if self.copy is None else self.copy.engine.failing():
                yield
        except CopyAway as error:
            _log.warning("A question was not answered: %s", error)
            raise FiguresUnavailable(
                "The columnar copy cannot be reached now. Ask again in a minute; "
                "if it does not come back, tell your admin."
            ) from error
        except CopyFailed as error:
            _log.warning("A question was not answered: %s", error)
            if error.is_damaged and self.copy is not None:
                self.copy.distrust()
            raise FiguresUnavailable(
                "The columnar copy failed and is being repaired. Ask again in a minute."
            ) from error

    def _seen(self) -> _State:
        if self._state is None:
            if self.copy is None:
                raise FiguresUnavailable(
                    "This server keeps no columnar copy. Switch columnar_copy on, or ask the server that keeps one."
                )
            newest = last_seq(self.scope.connection)
            is_current = self.copy.is_fresh(newest)
            cursor = self._opened.enter_context(self.copy.transaction())
            self._state = _state(cursor, newest, is_current=is_current)
        return self._state


class Asking:
    """A selection in a snapshot, as conditions on `runs r`. window, freshness: what answers state about themselves."""

    def __init__(self, snapshot: Snapshot, runs: Conditions, window: Window, freshness: Freshness) -> None:
        self.snapshot = snapshot
        self.runs = runs
        self.window = window
        self.freshness = freshness

    @property
    def span(self) -> CalendarSpan:
        """The span in which all selected runs start: the window, within the times that `domain.runs.clock` allows."""
        first, last = self.window.started_after, self.window.started_before
        newest = datetime.now(UTC) + MOST_AHEAD
        return CalendarSpan(
            EARLIEST if first is None else max(first, EARLIEST).astimezone(UTC),
            newest if last is None else min(last, newest).astimezone(UTC),
        )

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows that a query finds. values: its parameters; None: those of `runs`."""
        with self.snapshot.cursor() as cursor:
            return cursor.execute(sql, self.runs.values if values is None else values).fetchall()

    def arrays(self, sql: str, values: Sequence[Any] | None = None) -> Mapping[str, Any]:
        """The columns that a query finds, as NumPy arrays, masked if they have NULLs. values: as in `rows`."""
        with self.snapshot.cursor() as cursor:
            found: Mapping[str, Any] = cursor.execute(
                sql, self.runs.values if values is None else values
            ).fetchnumpy()
        return found

    def one(self, sql: str, values: Sequence[Any] | None = None) -> tuple[Any, ...]:
        """The only row that a query finds. values: as in `rows`."""
        [row] = self.rows(sql, values)
        return row


def _state(cursor: CopyCursor, newest: int, *, is_current: bool) -> _State:
    # Where no run is voided, the statistics of the column say so, and no row is read.
    [(seen, seen_at, has_voided)] = cursor.execute(
        "SELECT seq, changed_at, EXISTS (SELECT 1 FROM runs WHERE voided_at IS NOT NULL) FROM copy_state"
    ).fetchall()
    moment: datetime | None = None if seen_at is None else seen_at.replace(tzinfo=UTC)
    freshness = Freshness(is_current or seen >= newest, seen, moment, max(newest - seen, 0))
    return _State(cursor, freshness, has_voided)
