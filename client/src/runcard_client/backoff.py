"""How long to leave a server alone that does not answer."""

from __future__ import annotations

import random
from collections.abc import Callable

_FIRST_S = 1.0
_LONGEST_S = 60.0


class Backoff:
    """Twice as long after each failure, up to a minute, and less by chance, so that stations do not come back as one.

    chance: numbers from 0 to 1.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next_s = _FIRST_S

    def failed(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait after one more failure: from half of the interval to all of it, or what the server asks for.

        The server is believed up to the longest interval, and never waited for less than asked below that.
        """
        interval_s = self._next_s
        self._next_s = min(2 * interval_s, _LONGEST_S)
        delay_s = interval_s * (0.5 + 0.5 * self._chance())
        return max(delay_s, min(retry_after_s or 0.0, _LONGEST_S))

    def succeeded(self) -> None:
        self._next_s = _FIRST_S
