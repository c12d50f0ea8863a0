"""A fair share for each caller: a few turns at once, fewer for one caller. The others wait, for a limited time."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from runcard.domain.errors import TooMuchAtOnce

# The longest rest of work that gives way to stations.
LONGEST_REST_S = 1.0


def rest_while(is_busy: Callable[[], bool], took_s: float) -> None:
    """Sleep after a piece of work for as long as it took, if something is more urgent. Only for threads."""
    if is_busy():
        time.sleep(min(took_s, LONGEST_REST_S))


class ShareLimits(NamedTuple):
    """at_once: for all callers together. each: for one caller. Both count turns, or the unit of their weights."""

    at_once: int
    each: int


class ShareQueue(NamedTuple):
    """most: how many requests of one caller may wait. wait_s: for how long. refusal: the error beyond these limits."""

    most: int
    wait_s: float
    refusal: type[TooMuchAtOnce]


class _WaitingCaller(NamedTuple):
    turn: asyncio.Future[None]
    weight: int


class FairShare:
    """Gives turns to callers. It belongs to one event loop, and a waiting request takes no thread.

    Waiting callers are served one after another, however many requests each of them has. While `is_busy` says that
    something is more urgent, the limits are `while_busy`. A caller without a turn is not kept out by its own limit,
    whatever the weight.
    """

    def __init__(
        self,
        limits: ShareLimits,
        queue: ShareQueue,
        while_busy: ShareLimits | None = None,
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.is_busy = is_busy
        self._limits = limits
        self._while_busy = while_busy or limits
        self._queue = queue
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[_WaitingCaller]] = OrderedDict()

    @property
    def taken_now(self) -> int:
        """How much is taken now, of all callers together."""
        return self._taken.total()

    @asynccontextmanager
    async def taken(self, caller: str, weight: int = 1) -> AsyncIterator[None]:
        """Wait for a turn of a caller, and hold it to the end of the block.

        Raises the refusal if the turn does not come in time, or if too many requests of this caller wait already.
        """
        await self._take(caller, weight)
        try:
            yield
        finally:
            self._give_back(caller, weight)

    async def _take(self, caller: str, weight: int) -> None:
        if caller not in self._waiting and self._is_free_for(caller, weight):
            self._taken[caller] += weight
            return
        waiting = self._waiting.setdefault(caller, deque())
        if len(waiting) >= self._queue.most:
            raise self._queue.refusal(self._queue.wait_s)
        waiter = _WaitingCaller(asyncio.get_running_loop().create_future(), weight)
        waiting.append(waiter)
        try:
            async with asyncio.timeout(self._queue.wait_s):
                await waiter.turn
        except BaseException as error:
            self._leave(caller, waiter)
            if isinstance(error, TimeoutError):
                raise self._queue.refusal(self._queue.wait_s) from error
            raise

    def _leave(self, caller: str, waiter: _WaitingCaller) -> None:
        """Stop waiting."""
        if not waiter.turn.cancelled():  # the turn came at the same moment
            self._give_back(caller, waiter.weight)
            return
        waiting = self._waiting[caller]
        waiting.remove(waiter)
        if not waiting:
            del self._waiting[caller]
        self._start_those_who_may()  # this request may have been too heavy, and blocked others

    def _give_back(self, caller: str, weight: int) -> None:
        self._taken[caller] -= weight
        if not self._taken[caller]:
            del self._taken[caller]
        self._start_those_who_may()

    def _start_those_who_may(self) -> None:
        while (caller := self._next()) is not None:
            waiting = self._waiting[caller]
            waiter = waiting.popleft()
            self._taken[caller] += waiter.weight
            waiter.turn.set_result(None)
            self._waiting.move_to_end(caller)
            if not waiting:
                del self._waiting[caller]

    def _next(self) -> str | None:
        """The first waiting caller that may have a turn; None if none may."""
        for caller, waiting in self._waiting.items():
            # A cancelled request leaves the queue in a moment.
            if not waiting[0].turn.done() and self._is_free_for(caller, waiting[0].weight):
                return caller
        return None

    def _is_free_for(self, caller: str, weight: int) -> bool:
        limits = self._while_busy if self.is_busy() else self._limits
        everybody, mine = self._taken.total(), self._taken[caller]
        return (not everybody or everybody + weight <= limits.at_once) and (
            not mine or mine + weight <= limits.each
        )


class Shares(NamedTuple):
    """The shares of reads, of hashes of passwords, and of large bodies, which count in bytes."""

    reading: FairShare
    hashing: FairShare
    large_bodies: FairShare
