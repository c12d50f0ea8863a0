"""The time within a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone


class RunClock:
    """Begins with the time of day and then counts: a clock that is set meanwhile makes no run end before it began."""

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
