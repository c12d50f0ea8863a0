"""The stop of a server, which is announced before it happens, so that a load balancer sends its requests elsewhere."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether this server has been told to stop. It answers as before until `delay_s` is over, and then stops."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self.has_begun = False

    @contextmanager
    def announced(self) -> Iterator[None]:
        """A block in which SIGINT and SIGTERM begin the stop. Whoever handled them before does so after the delay.

        The second signal is passed on at once. Use it in an event loop; it does nothing outside the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, partial(self._begin, loop, handler))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _begin(
        self, loop: asyncio.AbstractEventLoop, stop: Any, number: int, frame: FrameType | None
    ) -> None:
        is_announced = self._delay_s > 0 and not self.has_begun
        self.has_begun = True
        if is_announced:
            loop.call_soon_threadsafe(loop.call_later, self._delay_s, stop, number, None)
        else:
            stop(number, frame)
