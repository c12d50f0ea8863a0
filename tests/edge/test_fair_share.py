"""A few things at once, fewer of one caller, and nobody waits behind somebody who asks a lot."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from runcard.domain.errors import TooManyReads
from runcard.edge.fair_share import FairShare, ShareLimits, ShareQueue

PATIENT = ShareQueue(most=100, wait_s=60, refusal=TooManyReads)


class Floor:
    """Callers whose turns last until they are told to end."""

    def __init__(self, share: FairShare) -> None:
        self.share = share
        self.started: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, caller: str, weight: int = 1) -> None:
        """Ask for a turn, and go on when all that can begin has begun."""
        self._ends[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._take(name, caller, weight))
        await settled()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def _take(self, name: str, caller: str, weight: int) -> None:
        async with self.share.taken(caller, weight):
            self.started.append(name)
            await self._ends[name].wait()


async def settled() -> None:
    """Until every task waits for something that only a test does."""
    for _ in range(10):
        await asyncio.sleep(0)


def on_a_floor(share: FairShare, script: Callable[[Floor], Awaitable[None]]) -> None:
    async def play() -> None:
        floor = Floor(share)
        await script(floor)
        for name in floor.tasks:
            await floor.end(name)
        for task in floor.tasks.values():
            with suppress(TooManyReads, asyncio.CancelledError):
                await task
        assert share.taken_now == 0, "every turn was given back"

    asyncio.run(play())


def test_one_caller_has_only_its_share_and_others_go_on():
    async def script(floor: Floor) -> None:
        for number in range(5):
            await floor.ask(f"a{number}", "a")
        assert floor.started == ["a0", "a1"]
        await floor.ask("b0", "b")
        assert floor.started == ["a0", "a1", "b0"]

    on_a_floor(FairShare(ShareLimits(4, 2), PATIENT), script)


def test_those_who_wait_are_served_caller_by_caller():
    async def script(floor: Floor) -> None:
        for name, caller in [("a0", "a"), ("a1", "a"), ("a2", "a"), ("b0", "b"), ("c0", "c")]:
            await floor.ask(name, caller)
        for name in ("a0", "a1", "b0", "c0"):
            await floor.end(name)
        assert floor.started == ["a0", "a1", "b0", "c0", "a2"]

    on_a_floor(FairShare(ShareLimits(1, 1), PATIENT), script)


def test_while_something_is_more_urgent_there_are_fewer_turns():
    busy = [True]

    async def script(floor: Floor) -> None:
        for name in ("a0", "a1", "a2"):
            await floor.ask(name, "a")
        assert floor.started == ["a0"]
        busy[0] = False
        await floor.end("a0")
        assert floor.started == ["a0", "a1", "a2"]

    on_a_floor(FairShare(ShareLimits(4, 2), PATIENT, ShareLimits(2, 1), lambda: busy[0]), script)


def test_heavy_ones_add_up_to_the_limit_and_one_alone_passes_whatever_it_weighs():
    async def script(floor: Floor) -> None:
        await floor.ask("huge", "a", 1000)
        await floor.ask("small", "b", 1)
        assert floor.started == ["huge"]
        await floor.end("huge")
        await floor.ask("half", "c", 50)
        await floor.ask("more", "d", 60)
        assert floor.started == ["huge", "small", "half"]
        await floor.end("small")
        await floor.end("half")
        assert floor.started == ["huge", "small", "half", "more"]

    on_a_floor(FairShare(ShareLimits(100, 100), PATIENT), script)


def test_who_waits_too_long_is_told_when_to_ask_again():
    async def script(floor: Floor) -> None:
        await floor.ask("a0", "a")
        with pytest.raises(TooManyReads, match="stations come first") as refused:
            async with floor.share.taken("a"):
                pass
        assert refused.value.retry_after_s == 0.01
        await floor.end("a0")
        async with floor.share.taken("a"):
            pass

    on_a_floor(FairShare(ShareLimits(2, 1), ShareQueue(1, 0.01, TooManyReads)), script)


def test_a_full_queue_is_told_at_once():
    async def script(floor: Floor) -> None:
        await floor.ask("a0", "a")
        await floor.ask("a1", "a")
        with pytest.raises(TooManyReads):
            async with floor.share.taken("a"):
                pass
        await floor.ask("b0", "b")
        assert floor.started == ["a0", "b0"]

    on_a_floor(FairShare(ShareLimits(2, 1), ShareQueue(1, 60, TooManyReads)), script)


def test_who_goes_away_leaves_no_gap():
    async def script(floor: Floor) -> None:
        for name in ("a0", "a1", "a2"):
            await floor.ask(name, "a")
        floor.tasks["a1"].cancel()
        await floor.end("a0")
        assert floor.started == ["a0", "a2"]

    on_a_floor(FairShare(ShareLimits(1, 1), PATIENT), script)


def test_who_goes_away_at_the_moment_of_the_turn_gives_it_back():
    async def script(floor: Floor) -> None:
        await floor.ask("a0", "a")
        await floor.ask("a1", "a")
        await floor.ask("b0", "b")
        floor._ends["a0"].set()
        await asyncio.sleep(0)  # a0 ends in this round, and a1 has a turn that it does not know of
        floor.tasks["a1"].cancel()
        await settled()
        assert floor.started == ["a0", "b0"]

    on_a_floor(FairShare(ShareLimits(1, 1), PATIENT), script)
