"""Slowing down guesses: a limited number of attempts per key, such as an address, in a sliding window."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from runcard.domain.errors import TooManyAttempts

_MAX_KEYS = 10_000


class AttemptCounts(Protocol):
    """Counts attempts by key: in the memory of one server here, in the database of several in `store.people`."""

    def count(self, limits: Mapping[str, int]) -> None:
        """Count an attempt for each key. Raises TooManyAttempts, and counts nothing, if a key is at its limit.

        An attempt is counted before it is known to fail, so that no more pass at once than one after another.
        """

    def note(self, key: str, most: int) -> None:
        """Count an attempt for a key that has no limit; only the newest `most` are remembered."""

    def has(self, key: str, count: int) -> bool:
        """Whether at least `count` attempts of a key are remembered."""

    def forgive(self, key: str) -> None:
        """Take back the last attempt of a key: it was no failure."""

    def forget(self, key: str) -> None:
        """Take back all attempts of a key."""


class AttemptsInMemory:
    """Counts the attempts at one server, which forgets them when it ends."""

    def __init__(self, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._made_at: dict[str, deque[float]] = {}

    def count(self, limits: Mapping[str, int]) -> None:
        with self._lock:
            now = self._clock()
            recent = {key: self._recent(key, now) for key in limits}
            if any(len(recent[key]) >= limit for key, limit in limits.items()):
                raise TooManyAttempts
            self._make_room(now)
            for key, made_at in recent.items():
                made_at.append(now)
                self._made_at[key] = made_at

    def note(self, key: str, most: int) -> None:
        with self._lock:
            now = self._clock()
            made_at = self._recent(key, now)
            self._make_room(now)
            self._made_at[key] = made_at
            made_at.append(now)
            while len(made_at) > most:
                made_at.popleft()

    def has(self, key: str, count: int) -> bool:
        with self._lock:
            return len(self._recent(key, self._clock())) >= count

    def forgive(self, key: str) -> None:
        with self._lock:
            if made_at := self._made_at.get(key):
                made_at.pop()

    def forget(self, key: str) -> None:
        with self._lock:
            self._made_at.pop(key, None)

    def _recent(self, key: str, now: float) -> deque[float]:
        made_at = self._made_at.get(key, deque())
        while made_at and made_at[0] <= now - self._window_s:
            made_at.popleft()
        return made_at

    def _make_room(self, now: float) -> None:
        """Keep the memory bounded: drop keys whose attempts are out of the window, then the keys seen first."""
        if len(self._made_at) < _MAX_KEYS:
            return
        self._made_at = {key: made_at for key in self._made_at if (made_at := self._recent(key, now))}
        while len(self._made_at) >= _MAX_KEYS:
            del self._made_at[next(iter(self._made_at))]
