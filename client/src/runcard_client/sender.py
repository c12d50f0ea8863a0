"""The thread that sends what is added to the spool, while the station goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from runcard_client.backoff import Backoff
from runcard_client.delivery import Delivered, Delivery
from runcard_client.errors import SpoolUnusable

_log = logging.getLogger(__name__)

# What another process leaves behind when it is killed is found by looking, since nobody wakes this one for it.
_LOOK_AGAIN_S = 10.0
_ELSEWHERE_S = 1.0
SENDER_THREAD = "runcard-sender"


class Sender:
    """Sends from `start` to `stop`. wait: until an event is set, or for so many seconds."""

    def __init__(
        self,
        delivery: Delivery,
        backoff: Backoff | None = None,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._delivery = delivery
        self._backoff = backoff or Backoff()
        self._wait = wait
        self._clock = clock
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._stops_at: float | None = None
        self._thread = threading.Thread(target=self._work, name=SENDER_THREAD, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to send. A server that does not answer is left alone all the same."""
        self._woken.set()

    def stop(self, timeout_s: float) -> None:
        """Send what still waits, where the server answers, for at most that long; then end."""
        self._stops_at = self._clock() + timeout_s
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _work(self) -> None:
        answers = True
        while not self._stopping.is_set():
            self._woken.clear()
            done = self._send()
            answers = done.error is None
            if answers:
                self._backoff.succeeded()
                self._wait(self._woken, _ELSEWHERE_S if done.is_elsewhere else _LOOK_AGAIN_S)
            else:
                self._wait(self._stopping, self._pause_s(done))
        if answers:
            self._send()

    def _send(self) -> Delivered:
        try:
            return self._delivery.send_all(goes_on=self._goes_on)
        except SpoolUnusable as error:
            return Delivered(error=str(error))

    def _pause_s(self, done: Delivered) -> float:
        if done.sent:
            self._backoff.succeeded()
        pause_s = self._backoff.failed(done.retry_after_s)
        _log.warning("runs wait to be sent, next attempt in %.0f s: %s", pause_s, done.error)
        return pause_s

    def _goes_on(self) -> bool:
        return self._stops_at is None or self._clock() < self._stops_at
