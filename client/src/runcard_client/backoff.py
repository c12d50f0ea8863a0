"""How long to wait before the next attempt at a server that does not answer."""

from __future__ import annotations

import random
from collections.abc import Callable

_FIRST_S = 1.0
_LONGEST_S = 60.0


class Backoff:
    """Doubles the interval after each failure, up to a minute. A random part is taken off, so that stations do not all
    come back at the same moment.

    chance: returns random numbers from 0 to 1.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next_s = _FIRST_S

    def failed(self, retry_after_s: float | None = None) -> float:
        """Count a failure and return the seconds to wait: from half the interval to all of it.

        retry_after_s: the server's own wish, which counts as a minimum, up to the longest interval.
        """
        interval_s = self._next_s
        self._next_s = min(2 * interval_s, _LONGEST_S)
        delay_s = interval_s * (0.5 + 0.5 * self._chance())
        return max(delay_s, min(retry_after_s or 0.0, _LONGEST_S))

    def succeeded(self) -> None:
        self._next_s = _FIRST_S
