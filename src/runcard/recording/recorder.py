"""The only way of a run from the API into the database: through a separate process, which commits runs.

The server reads, checks and packs runs, which takes all of one processor; the recording process resolves and commits
them at the same time (ADR 28). If that process dies or falls silent, a new one is started and records the runs that
were not answered. No request waits longer than `wait_s`: then its run is withdrawn (ADR 30).
"""

import asyncio
import logging
import signal
import time
from asyncio import Future, Task
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from runcard.auth.admission import Admission
from runcard.domain.errors import OutcomeUnknown, Unauthenticated, WriteTimedOut
from runcard.ingest.record_run import PreparedRun
from runcard.log_lines import LogFormat
from runcard.recording.child import Child
from runcard.recording.counts import RecordingCounts
from runcard.recording.orders import (
    BEAT_S,
    Answers,
    OrderAnswer,
    RecordingFailed,
    RunOrder,
    Start,
    message_of,
    unpickled,
)
from runcard.store.engine.database import Database
from runcard.store.engine.locks import await_commits
from runcard.store.engine.scope import Scope
from runcard.store.runs.rows import is_recorded

_log = logging.getLogger(__name__)

# A run is tried in at most this many processes: a run that crashes one would crash the next one too.
_TRIES = 3
# The pause before the next process is started; it doubles with each process that cannot begin.
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
# How long a process may take to begin: it loads its program first.
_BEGIN_S = 60.0
# How long a process may be silent, or take to end, once it is told to end.
_CLOSE_S = 8.0
# A process that does not end even by SIGKILL is given up after this time.
_LAST_S = 120.0
_decoder = msgspec.msgpack.Decoder(Answers)


class RecorderFailed(Exception):
    """The recording process did not run to the end, so the server must not report a clean exit."""

    def __init__(self) -> None:
        super().__init__("The recording process failed before the server ended. The log says why.")


class _WaitingRun:
    """since: the tick at which the run came. child: the last process that got it. deaths: how many of these died."""

    __slots__ = ("answer", "child", "deaths", "order", "since")

    def __init__(self, order: RunOrder, answer: Future[UUID], since: int) -> None:
        self.order = order
        self.answer = answer
        self.since = since
        self.child: Child | None = None
        self.deaths = 0

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Recorder:
    """Hands runs over to the recording process. It belongs to the event loop in which it is created.

    forget: called for each key that is no longer valid. silence_s: how long the process may give no sign of life.
    wait_s: how long a run may wait. log_format: of the process's log. counts: what happened so far.
    """

    def __init__(
        self,
        database: Database,
        forget: Callable[[Admission], None],
        silence_s: float = 10.0,
        wait_s: float = 30.0,
        log_format: LogFormat = "text",
    ) -> None:
        self.counts = RecordingCounts()
        self._log_format = log_format
        self._database = database
        self._forget = forget
        self._silent_ticks, self._wait_ticks = _ticks(silence_s), _ticks(wait_s)
        self._numbers = count(1)
        self._waiting: dict[int, _WaitingRun] = {}
        self._child: Child | None = None
        self._statistics_count = 0
        # The time in ticks of this event loop. While the loop is blocked, it stands still, so no process seems silent.
        self._now = 0
        self._closing = asyncio.Event()
        self._has_failed = False
        self._settling: set[Task[None]] = set()
        self._lasting = [self._last(self._follow()), self._last(self._watch())]

    async def record(self, admission: Admission, run: PreparedRun) -> UUID:
        """Record a run and return its id once the run is durable.

        Raises Unauthenticated where the key is no longer valid, WriteTimedOut, and what `record_run` raises: then the
        run is not recorded, now or later. Raises OutcomeUnknown where the server cannot find that out.
        """
        order = RunOrder(next(self._numbers), admission.digest, admission.actor.organization_id, run)
        # Encoded before the run joins those that wait: if that fails, only this run fails.
        message = message_of(order)
        began_s = time.perf_counter()
        waiting = _WaitingRun(order, asyncio.get_running_loop().create_future(), self._now)
        self._waiting[order.number] = waiting
        if self._child is not None and self._child.has_begun:
            waiting.child = self._child
            self._child.send(message)
        try:
            run_id = await waiting.answer
        except Unauthenticated:
            self._forget(admission)
            raise
        self.counts.write_s.add(time.perf_counter() - began_s)
        return run_id

    @property
    def is_busy(self) -> bool:
        """Whether a run waits to be recorded."""
        return bool(self._waiting)

    @property
    def waiting_count(self) -> int:
        """How many runs wait to be recorded."""
        return len(self._waiting)

    @property
    def process_id(self) -> int | None:
        """The id of the process that records; None: there is none that can take a run now."""
        child = self._child
        return child.process_id if child is not None and child.has_begun and not child.was_killed else None

    async def close(self) -> None:
        """Let the process end after all waiting runs are recorded. It is watched until then."""
        following, watching = self._lasting
        self._closing.set()
        self._finish_child()
        await asyncio.wait({following}, timeout=_LAST_S)
        self._has_failed |= not following.done()
        self._withdraw()
        following.cancel()
        watching.cancel()
        await asyncio.gather(following, watching, *self._settling, return_exceptions=True)

    def check_ended_well(self) -> None:
        """Check that the recording process ran and was watched to the end. Raises RecorderFailed."""
        if self._has_failed:
            raise RecorderFailed

    def _finish_child(self) -> None:
        """Let the process end, unless runs still wait for it to begin."""
        child = self._child
        if child is None:
            return
        if child.has_begun:
            child.finish()
        elif not self._waiting:  # it holds no run, so nothing is lost
            child.kill()

    def _last(self, work: Coroutine[Any, Any, None]) -> Task[None]:
        """A task that runs until `close`. No run is recorded without it, so if it ends early, the server stops."""

        def check(task: Task[None]) -> None:
            error = None if task.cancelled() else task.exception()
            if self._closing.is_set() and error is None:
                return
            _log.critical("the recording process is no longer watched: the server stops", exc_info=error)
            self._has_failed = True
            self._withdraw()
            signal.raise_signal(signal.SIGTERM)

        task = asyncio.create_task(work)
        task.add_done_callback(check)
        return task

    async def _follow(self) -> None:
        """Keep a recording process running and pass its answers on, until `close` and the last answer."""
        failures = 0
        while not self._closing.is_set() or self._waiting:
            try:
                has_begun = await self._keep_one(failures)
            # Whatever the error was, stations wait, and the next process may work.
            except Exception:
                if not failures:
                    _log.exception("no recording process can begin: the server tries until one does")
                has_begun = False
            failures = 0 if has_begun else failures + 1
            pause_s = min(_PAUSE_S * 2**failures, _LONGEST_PAUSE_S) if failures < 10 else _LONGEST_PAUSE_S
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause_s)

    async def _keep_one(self, failures: int) -> bool:
        """Run one process until it ends. Return whether it could begin."""
        start = Start(self._database.address, failures > 0, self._log_format)
        child = self._child = await Child.start(message_of(start))
        if self._closing.is_set():
            self._finish_child()
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._listen(child, failures)
        except msgspec.MsgspecError:
            _log.exception("a message of the recording process cannot be read")
        finally:
            self._child = None
            code = await child.end(_CLOSE_S)
            self._count_death(child)
        if self._closing.is_set():
            return child.has_begun
        self.counts.restarts += 1
        if child.has_begun:
            _log.error("the recording process ended with code %d: another one is started", code)
        elif not failures:
            _log.error("no recording process can begin (code %d): the server tries until one does", code)
        return child.has_begun

    async def _listen(self, child: Child, failures: int) -> None:
        while True:
            found = _decoder.decode(await child.receive())
            if not child.has_begun:
                child.has_begun = True
                if failures:
                    _log.warning("a recording process could begin again, after %d that could not", failures)
                self._hand_over(child)
            if found.answers:
                self.counts.groups.add(len(found.answers))
            for answer in found.answers:
                # A run that was withdrawn gets another answer.
                if (waiting := self._waiting.pop(answer.number, None)) is not None:
                    _pass_on(answer, waiting)
            if found.statistics_count != self._statistics_count:
                self._statistics_count = found.statistics_count
                self._database.renew_connections()

    def _hand_over(self, child: Child) -> None:
        """Send all waiting runs to a process that has begun."""
        for number, waiting in list(self._waiting.items()):
            try:
                child.send(message_of(replace(waiting.order, is_repeated=waiting.child is not None)))
            # Only this run fails, with its own error.
            except Exception as error:
                del self._waiting[number]
                waiting.fail(error)
            waiting.child = child
        if self._closing.is_set():
            child.finish()

    def _count_death(self, child: Child) -> None:
        """Refuse the runs that several processes died of. A process that this server killed did not die of a run."""
        if child.was_killed:
            return
        doomed: dict[int, _WaitingRun] = {}
        for number, waiting in list(self._waiting.items()):
            waiting.deaths += waiting.child is child
            if waiting.deaths >= _TRIES:
                doomed[number] = self._waiting.pop(number)
        if doomed:
            self._settle(
                doomed.values(), child, partial(RecordingFailed, f"{_TRIES} processes died of this run")
            )

    async def _watch(self) -> None:
        """Kill a process that has fallen silent, and withdraw runs that have waited too long."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._now += 1
            child = self._child
            if child is not None and not child.was_killed:
                child.silence += 1
                if child.silence > self._patience(child):
                    silent_s = child.silence * BEAT_S
                    _log.error("the recording process has been silent for %g s and is killed", silent_s)
                    child.kill()
                    self._has_failed |= self._closing.is_set()
            if self._closing.is_set():
                self._finish_child()
            oldest = next(iter(self._waiting.values()), None)
            if oldest is not None and self._now - oldest.since > self._wait_ticks:
                _log.error(
                    "nothing was recorded for %g s: %d runs are refused",
                    self._wait_ticks * BEAT_S,
                    len(self._waiting),
                )
                self._withdraw()

    def _patience(self, child: Child) -> int:
        """How many ticks a process may be silent."""
        if not child.has_begun:
            return _ticks(_BEGIN_S)
        return min(self._silent_ticks, _ticks(_CLOSE_S)) if self._closing.is_set() else self._silent_ticks

    def _withdraw(self) -> None:
        """Refuse all waiting runs and kill the process that holds them, so that it cannot record them later."""
        if not self._waiting:
            return
        withdrawn, self._waiting = self._waiting, {}
        is_held = any(waiting.child is self._child for waiting in withdrawn.values())
        holder = self._child if is_held else None
        if holder is not None:
            holder.kill()
        self._settle(withdrawn.values(), holder, WriteTimedOut)

    def _settle(
        self, waiting: Iterable[_WaitingRun], child: Child | None, why: Callable[[], Exception]
    ) -> None:
        task = asyncio.create_task(self._tell(list(waiting), child, why))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _tell(
        self, settled: Sequence[_WaitingRun], child: Child | None, why: Callable[[], Exception]
    ) -> None:
        """Answer the runs that no process will record any more: with their id where the database has them."""
        if child is not None:
            await child.wait()
        held = [waiting.order for waiting in settled if waiting.child is not None]
        try:
            recorded = await asyncio.to_thread(self._recorded, held)
        # Whatever the error is, the waiting requests must get an answer.
        except Exception as error:
            _log.warning("whether %d runs are recorded could not be looked up: %r", len(held), error.args[:1])
            recorded = set()
            if why is WriteTimedOut:
                why = OutcomeUnknown
        for waiting in settled:
            run_id = waiting.order.run.id
            if run_id in recorded and not waiting.answer.done():
                waiting.answer.set_result(run_id)
            waiting.fail(WriteTimedOut() if waiting.child is None else why())

    def _recorded(self, orders: Sequence[RunOrder]) -> set[UUID]:
        """The ids of those runs that are recorded. No process that held them may still be alive."""
        if not orders:
            return set()
        with self._database.read() as connection:
            await_commits(connection)
            return {
                order.run.id
                for order in orders
                if is_recorded(Scope(connection, order.organization_id), order.run.id)
            }


def _pass_on(answer: OrderAnswer, waiting: _WaitingRun) -> None:
    if waiting.answer.done():  # the caller has gone away; the run stays recorded
        return
    if answer.run_id is not None:
        waiting.answer.set_result(answer.run_id)
        return
    try:
        error = unpickled(answer.error)
    # Unpickling may raise anything.
    except Exception as unread:
        error = RecordingFailed(f"the recording process's answer about a run cannot be read: {unread!r}")
    waiting.fail(error)


def _ticks(seconds: float) -> int:
    return round(seconds / BEAT_S)
