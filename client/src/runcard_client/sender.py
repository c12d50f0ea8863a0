"""The thread that sends the runs of the spool, while the station's program goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from runcard_client.backoff import Backoff
from runcard_client.delivery import Delivered, Delivery
from runcard_client.errors import SpoolUnusable

_log = logging.getLogger(__name__)

# How often to look for runs of other processes: a killed process leaves runs behind and wakes nobody.
_LOOK_AGAIN_S = 10.0
_ELSEWHERE_S = 1.0
SENDER_THREAD = "runcard-sender"


class Sender:
    """Sends runs from `start` to `stop`. wait: waits until an event is set, or for a number of seconds."""

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
        """Send soon, because a run was added. The pause after a failure is not cut short."""
        self._woken.set()

    def stop(self, timeout_s: float) -> None:
        """Send waiting runs while the server answers, for at most `timeout_s`, then end the thread."""
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
