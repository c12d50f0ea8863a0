"""A thread that writes for whoever asks: what waits is committed together, then everyone is answered."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from runcard.domain.errors import WriteTimedOut
from runcard.store.commit.group_commit import MAX_GROUP, GroupCommit, Outcome, Write
from runcard.store.commit.lookups import UnitKey
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.database import Database

_log = logging.getLogger(__name__)

T = TypeVar("T")

# How long the thread may take to end.
_CLOSE_S = 10.0


class _WaitingWrite(NamedTuple):
    write: Write
    answer: "Future[Any] | asyncio.Future[Any]"


class Writer:
    """Owns the thread that commits. `close` ends it after everything that was submitted.

    wait_s: how long a write may wait for its turn.
    """

    def __init__(self, database: Database, wait_s: float = 30.0) -> None:
        self._wait_s = wait_s
        self._commits = GroupCommit(database, wait_s)
        self._queue: SimpleQueue[_WaitingWrite | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="runcard-writer", daemon=True)
        self._thread.start()

    async def record(self, apply: Callable[[Transaction], T], units: Sequence[UnitKey] = ()) -> T:
        """As `write`, for an event loop. units: as of a `Write`."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_WaitingWrite(Write(apply, units, changes_catalog=False), answer))
        return await answer

    def write(self, apply: Callable[[Transaction], T]) -> T:
        """What `apply` returns, once it is durable; whatever `apply` raises is raised here and leaves nothing.

        For what leaves those records as they are that catalogs remember: keys, procedures, links, versions, parts,
        revisions, batches, units. It may add such records. Raises WriteTimedOut where it has not had its turn in time;
        then it is withdrawn.
        """
        return self._run(apply, changes_catalog=False)

    def write_catalog(self, apply: Callable[[Transaction], T]) -> T:
        """As `write`, for what may change, move or delete records that catalogs remember: all forget what they know."""
        return self._run(apply, changes_catalog=True)

    def _run(self, apply: Callable[[Transaction], T], *, changes_catalog: bool) -> T:
        answer: Future[T] = Future()

        def begin(tx: Transaction) -> T:
            # Begun twice where others spoilt the transaction of its group.
            if answer.cancelled() or not (answer.running() or answer.set_running_or_notify_cancel()):
                raise WriteTimedOut
            return apply(tx)

        self._queue.put(_WaitingWrite(Write(begin, changes_catalog=changes_catalog), answer))
        try:
            return answer.result(self._wait_s)
        except TimeoutError as error:
            if answer.cancel():
                raise WriteTimedOut from error
            return answer.result()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(_CLOSE_S)
        if self._thread.is_alive():
            _log.error("another process has been writing for %g s: what waits for it is dropped", _CLOSE_S)

    def _loop(self) -> None:
        while (group := self._next_group()) is not None:
            _answer(group, self._commits.commit([waiting.write for waiting in group]))
            self._commits.rest()
        self._commits.close()

    def _next_group(self) -> list[_WaitingWrite] | None:
        first = self._queue.get()
        if first is None:
            return None
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                break
            if waiting is None:
                self._queue.put(None)
                break
            group.append(waiting)
        return group


def _answer(group: list[_WaitingWrite], outcomes: list[Outcome]) -> None:
    """Tell everyone who waits; one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Outcome]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        if isinstance(waiting.answer, asyncio.Future):
            by_loop.setdefault(waiting.answer.get_loop(), []).append((waiting.answer, outcome))
        else:
            _settle(waiting.answer, outcome)
    for loop, answers in by_loop.items():
        loop.call_soon_threadsafe(_settle_all, answers)


def _settle_all(answers: list[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, outcome in answers:
        _settle(future, outcome)


def _settle(future: "Future[Any] | asyncio.Future[Any]", outcome: Outcome) -> None:
    if future.done():  # the caller has gone away; the write stands
        return
    # A caller may go away right now, where the write could not even begin.
    with suppress(InvalidStateError):
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.value)
