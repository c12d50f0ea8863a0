"""The thread that writes for all callers: it commits waiting writes together, then answers every caller."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from runcard.counted_values import CountedValues
from runcard.domain.actor import Author
from runcard.domain.errors import WriteTimedOut
from runcard.store.commit.group_commit import GROUP_SIZES, MAX_GROUP, GroupCommit, Outcome, Write
from runcard.store.commit.lookups import UnitKey
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.engine.database import Database

_log = logging.getLogger(__name__)

T = TypeVar("T")

# How long `close` waits for the thread to end.
_CLOSE_S = 10.0


class _WaitingWrite(NamedTuple):
    write: Write
    answer: "Future[Any]"


class Writer:
    """Owns the thread that commits. `close` ends it after every write that was submitted.

    wait_s: how long a write may wait for its turn. groups: the sizes of the groups that were committed.
    """

    def __init__(self, database: Database, wait_s: float = 30.0) -> None:
        self.groups = CountedValues(GROUP_SIZES)
        self._wait_s = wait_s
        self._commits = GroupCommit(database, wait_s)
        self._queue: SimpleQueue[_WaitingWrite | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="runcard-writer", daemon=True)
        self._thread.start()

    def write(self, author: Author, apply: Callable[[Transaction], T]) -> T:
        """Return what `apply` returns, once it is durable. An error that it raises is raised here; nothing is left.

        For writes to the organization of the author. They may add records that catalogs remember (keys, procedures,
        links, versions, parts, revisions, batches, units) but change none. Raises WriteTimedOut if the write did not
        get its turn in time; the write is then withdrawn.
        """
        return self._run(lambda shared: apply(shared.of(author)), changes_catalog=False)

    def write_catalog(self, author: Author, apply: Callable[[Transaction], T]) -> T:
        """As `write`, but may change, move or delete records that catalogs remember; all catalogs forget."""
        return self._run(lambda shared: apply(shared.of(author)), changes_catalog=True)

    def write_shared(self, apply: Callable[[SharedTransaction], T]) -> T:
        """As `write_catalog`, for rows that belong to no organization, or to one that `apply` makes."""
        return self._run(apply, changes_catalog=True)

    def submit(
        self,
        apply: Callable[[SharedTransaction], T],
        units: Sequence[UnitKey] = (),
        *,
        changes_catalog: bool = False,
    ) -> "Future[T]":
        """Queue a write without waiting for it: the future gets what `apply` returns, once it is durable.

        Cancel the future before the write begins to withdraw the write. units, changes_catalog: as in `Write`.
        """
        answer: Future[T] = Future()

        def begin(shared: SharedTransaction) -> T:
            # It begins twice if another write made the shared transaction of its group fail.
            if answer.cancelled() or not (answer.running() or answer.set_running_or_notify_cancel()):
                raise WriteTimedOut
            return apply(shared)

        self._queue.put(_WaitingWrite(Write(begin, units, changes_catalog=changes_catalog), answer))
        return answer

    def _run(self, apply: Callable[[SharedTransaction], T], *, changes_catalog: bool) -> T:
        answer = self.submit(apply, changes_catalog=changes_catalog)
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
            _log.error(
                "another process has been writing for %g s: the writes that wait are dropped", _CLOSE_S
            )

    def _loop(self) -> None:
        while (group := self._next_group()) is not None:
            outcomes = self._commits.commit([waiting.write for waiting in group])
            self.groups.add(len(group))
            for waiting, outcome in zip(group, outcomes, strict=True):
                _answer(waiting.answer, outcome)
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


def _answer(answer: "Future[Any]", outcome: Outcome) -> None:
    # The caller may withdraw a write that never began at this very moment.
    with suppress(InvalidStateError):
        if outcome.error is not None:
            answer.set_exception(outcome.error)
        else:
            answer.set_result(outcome.value)
