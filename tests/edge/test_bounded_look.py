"""A look at something that may never answer: whoever asks is answered in time, and few threads look."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from itertools import count
from typing import Any

import pytest

from runcard.domain.errors import DatabaseUnavailable
from runcard.edge.monitoring.bounded_look import BoundedLook, NotAnswered

LONG_S, NOT_S = 60.0, 0.0


class Watching:
    """Looks that wait until they are let go; each sees the next number."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0
        self._numbers = count(1)

    def look(self) -> int:
        self.begun += 1
        assert self.go.wait(LONG_S)
        return next(self._numbers)


@pytest.fixture
def watching() -> Iterator[Watching]:
    made = Watching()
    yield made
    made.go.set()


def play(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_all_who_ask_share_one_look(watching: Watching) -> None:
    async def work() -> None:
        look = BoundedLook(watching.look, LONG_S)
        for _ in range(50):
            with pytest.raises(NotAnswered):
                await look.answer(NOT_S)
        asked = [asyncio.create_task(look.answer(LONG_S)) for _ in range(50)]
        await asyncio.sleep(0)  # each has asked
        watching.go.set()
        assert {await one for one in asked} == {1}
        assert await look.answer(LONG_S) == look.latest == 1
        assert watching.begun == 1

    play(work())


def test_an_answer_is_new_for_a_while(watching: Watching) -> None:
    watching.go.set()

    async def work() -> None:
        kept, fresh = BoundedLook(watching.look, LONG_S), BoundedLook(watching.look, NOT_S)
        assert [await kept.answer(LONG_S) for _ in range(3)] == [1, 1, 1]
        assert [await fresh.answer(LONG_S) for _ in range(3)] == [2, 3, 4]

    play(work())


def test_a_look_that_fails_has_no_answer_and_leaves_the_last(recwarn: pytest.WarningsRecorder) -> None:
    fails = False

    def look() -> int:
        if fails:
            raise DatabaseUnavailable("x")
        return 1

    async def work() -> None:
        nonlocal fails
        looking = BoundedLook(look, NOT_S)
        assert await looking.answer(LONG_S) == 1
        fails = True
        with pytest.raises(NotAnswered):
            await looking.answer(LONG_S)
        assert looking.latest == 1

    play(work())
    assert not recwarn.list
