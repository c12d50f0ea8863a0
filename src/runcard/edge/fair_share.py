"""A fair share for each caller: a few things at once, fewer of one caller; the others wait, for a bounded time."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from runcard.domain.errors import TooMuchAtOnce

# The longest rest of work that stands back for stations.
LONGEST_REST_S = 1.0


def rest_while(is_busy: Callable[[], bool], took_s: float) -> None:
    """Rest after a piece of work for as long as it took, while something is more urgent; for threads."""
    if is_busy():
        time.sleep(min(took_s, LONGEST_REST_S))


class ShareLimits(NamedTuple):
    """at_once: of all callers together; each: of one caller. In turns, or in what their weights count."""

    at_once: int
    each: int


class ShareQueue(NamedTuple):
    """most: how many of one caller may wait; wait_s: for how long. refusal: what is raised beyond that."""

    most: int
    wait_s: float
    refusal: type[TooMuchAtOnce]


class _WaitingCaller(NamedTuple):
    turn: asyncio.Future[None]
    weight: int


class FairShare:
    """Belongs to one event loop. Whoever waits has no thread.

    Callers that wait are served in turn, however many of their requests wait. While `is_busy` says that something is
    more urgent, the limits are those of `while_busy`. The limits of a caller who has no turn yet let one in, whatever
    its weight.
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
        """How much of the limits is taken."""
        return self._taken.total()

    @asynccontextmanager
    async def taken(self, caller: str, weight: int = 1) -> AsyncIterator[None]:
        """The turn of a caller, from when it comes to the end of the block.

        Raises the refusal where it does not come in time, or where too many of this caller wait already.
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
        one = _WaitingCaller(asyncio.get_running_loop().create_future(), weight)
        waiting.append(one)
        try:
            async with asyncio.timeout(self._queue.wait_s):
                await one.turn
        except BaseException as error:
            self._leave(caller, one)
            if isinstance(error, TimeoutError):
                raise self._queue.refusal(self._queue.wait_s) from error
            raise

    def _leave(self, caller: str, one: _WaitingCaller) -> None:
        """Wait no longer."""
        if not one.turn.cancelled():  # its turn came at the same moment
            self._give_back(caller, one.weight)
            return
        waiting = self._waiting[caller]
        waiting.remove(one)
        if not waiting:
            del self._waiting[caller]
        self._start_those_who_may()  # what was too heavy may have been in the way

    def _give_back(self, caller: str, weight: int) -> None:
        self._taken[caller] -= weight
        if not self._taken[caller]:
            del self._taken[caller]
        self._start_those_who_may()

    def _start_those_who_may(self) -> None:
        while (caller := self._next()) is not None:
            waiting = self._waiting[caller]
            one = waiting.popleft()
            self._taken[caller] += one.weight
            one.turn.set_result(None)
            self._waiting.move_to_end(caller)
            if not waiting:
                del self._waiting[caller]

    def _next(self) -> str | None:
        """The first of the callers that wait who may have a turn."""
        for caller, waiting in self._waiting.items():
            # Somebody who is cancelled leaves in a moment.
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
    """Of those who read; of those whose password is hashed; of those who send large bodies, in bytes."""

    reading: FairShare
    hashing: FairShare
    large_bodies: FairShare
