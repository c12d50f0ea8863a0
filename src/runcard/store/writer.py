"""The only commit. Writes that wait are run together in one transaction and one durable commit, then answered.

Each write is whole or absent: a write that fails is undone alone, and one that makes the shared transaction fail
(a constraint, a lost connection) is run again by itself, so that it fails alone.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from runcard.store.catalog import Catalog
from runcard.store.database import DATABASE_ERRORS, Database
from runcard.store.lookups import UnitKey
from runcard.store.transaction import Transaction

_log = logging.getLogger(__name__)

# More writes in one commit gain nothing measurable and make the first of them wait.
MAX_GROUP = 256
# Between two looks at how the tables have grown; the last is at the end.
_GROUPS_PER_LOOK = 1000

T = TypeVar("T")


class _Write(NamedTuple):
    apply: Callable[[Transaction], Any]
    units: Sequence[UnitKey]
    changes_catalog: bool
    answer: "Future[Any] | asyncio.Future[Any]"


class _Outcome(NamedTuple):
    value: Any
    error: BaseException | None


class Writer:
    """A thread that owns the writing connection. `close` ends it after everything that was submitted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._catalog = Catalog()
        self._connection: Connection | None = None
        self._groups = 0
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="runcard-writer", daemon=True)
        self._thread.start()

    async def record(self, apply: Callable[[Transaction], T], units: Sequence[UnitKey] = ()) -> T:
        """What `apply` returns, once it is durable; whatever `apply` raises is raised here and leaves nothing.

        For writes that only add, so that what the catalog remembers stays true. `units` names the units that the
        write will look up, as (organization, lookup key): the group fetches them in one query.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Write(apply, units, False, answer))
        return await answer

    def run(self, apply: Callable[[Transaction], T], *, changes_catalog: bool = True) -> T:
        """As `record`, for threads: waits for any write, such as one that renames, links, revokes or deletes."""
        answer: Future[T] = Future()
        self._queue.put(_Write(apply, (), changes_catalog, answer))
        return answer.result()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (group := self._next_group()) is not None:
            _answer(group, self._commit(group))
            if self._groups % _GROUPS_PER_LOOK == 0:
                self._look_at_growth()
            self._groups += 1
        if self._connection is not None:
            self._look_at_growth()
        self._disconnect()

    def _next_group(self) -> list[_Write] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                write = self._queue.get_nowait()
            except Empty:
                break
            if write is None:
                self._queue.put(None)
                break
            group.append(write)
        return group

    def _commit(self, group: list[_Write]) -> list[_Outcome]:
        try:
            return self._commit_together(group)
        except Exception:
            # What broke the shared transaction breaks only its own, or has passed (another process was first).
            _log.info("group of %d writes failed, running each alone", len(group), exc_info=True)
            return [self._commit_alone(write) for write in group]

    def _commit_alone(self, write: _Write) -> _Outcome:
        try:
            return self._commit_together([write])[0]
        # Not swallowed: raised again where the write was submitted.
        except Exception as error:
            return _Outcome(None, error)

    def _commit_together(self, group: list[_Write]) -> list[_Outcome]:
        connection = self._connect()
        try:
            with connection.begin():
                transaction = Transaction(connection, self._catalog)
                self._catalog.open(connection, [key for write in group for key in write.units])
                outcomes = [_apply(transaction, write) for write in group]
                transaction.finish()
        except BaseException:
            self._disconnect()
            raise
        return outcomes

    def _look_at_growth(self) -> None:
        """After the answers: nobody waits for this, and no write is run again because it failed."""
        try:
            self._database.keep_statistics(self._connect())
        except DATABASE_ERRORS:
            _log.info("statistics could not be kept", exc_info=True)
            self._disconnect()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.writing_connection()
        return self._connection

    def _disconnect(self) -> None:
        """Start the next transaction on a fresh connection, remembering nothing."""
        self._catalog.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _apply(transaction: Transaction, write: _Write) -> _Outcome:
    transaction.begin_write()
    try:
        value = write.apply(transaction)
        transaction.end_write(changes_catalog=write.changes_catalog)
    except DATABASE_ERRORS:
        raise
    # Not swallowed: raised again where the write was submitted.
    except Exception as error:
        transaction.undo_write()
        return _Outcome(None, error)
    return _Outcome(value, None)


def _answer(group: list[_Write], outcomes: list[_Outcome]) -> None:
    """Tell everyone who waits; one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Outcome]]] = {}
    for write, outcome in zip(group, outcomes, strict=True):
        if isinstance(write.answer, asyncio.Future):
            by_loop.setdefault(write.answer.get_loop(), []).append((write.answer, outcome))
        else:
            _settle(write.answer, outcome)
    for loop, answers in by_loop.items():
        loop.call_soon_threadsafe(_settle_all, answers)


def _settle_all(answers: list[tuple[asyncio.Future[Any], _Outcome]]) -> None:
    for future, outcome in answers:
        _settle(future, outcome)


def _settle(future: "Future[Any] | asyncio.Future[Any]", outcome: _Outcome) -> None:
    if future.done():  # the caller has gone away; the write stands
        return
    if outcome.error is not None:
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome.value)
