"""The time within a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone


class RunClock:
    """Starts from the time of day and then counts seconds, so that a run never ends before its start, even if somebody
    sets the computer's clock meanwhile.
    """

    def __init__(
        self,
        time_of_day: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        count_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.started_at = time_of_day()
        self._count_s = count_s
        self._began_s = count_s()

    def now(self) -> datetime:
        return self.started_at + timedelta(seconds=self._count_s() - self._began_s)
