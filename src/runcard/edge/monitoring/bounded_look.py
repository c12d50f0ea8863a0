"""A look at something that may never answer, such as a database behind a network."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from runcard.domain.errors import Outage
from runcard.store.engine.database import DATABASE_ERRORS

T = TypeVar("T")


class NotAnswered(Exception):
    """There is no answer: it did not come in time, or looking failed."""


class BoundedLook(Generic[T]):
    """Looks in a thread of its own, one look at a time, however many ask. It belongs to one event loop.

    look: raises an Outage or what the database raises. keep_s: how long an answer, or a failure, counts as new.
    """

    def __init__(self, look: Callable[[], T], keep_s: float) -> None:
        self._look = look
        self._keep_s = keep_s
        # Its result is None where the look failed.
        self._running: Future[T | None] | None = None
        self._looked_s = 0.0
        # The last answer that there was.
        self.latest: T | None = None

    async def answer(self, within_s: float) -> T:
        """A new answer. Raises NotAnswered where there is none within this time; the look goes on for the next."""
        running = self._running
        if running is None or (running.done() and time.monotonic() - self._looked_s >= self._keep_s):
            running = self._running = Future()
            self._looked_s = time.monotonic()
            threading.Thread(target=self._run, args=(running,), name="runcard-look", daemon=True).start()
        await asyncio.wait({asyncio.wrap_future(running)}, timeout=within_s)
        found = running.result() if running.done() else None
        if found is None:
            raise NotAnswered
        self.latest = found
        return found

    def _run(self, running: "Future[T | None]") -> None:
        found: T | None = None
        try:
            with suppress(*DATABASE_ERRORS, Outage):
                found = self._look()
        finally:
            running.set_result(found)
