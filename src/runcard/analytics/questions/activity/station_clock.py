"""Whether the clock of a station is wrong."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from runcard.analytics.snapshot import Selection, Snapshot


class WrongClock(NamedTuple):
    """The start of a run by the station's clock, and when the run was received by the server's."""

    said_at: datetime
    received_at: datetime

    @property
    def ahead(self) -> timedelta:
        """How far the clock is ahead; negative if it is behind."""
        return self.said_at - self.received_at


def station_clock(snapshot: Snapshot, selection: Selection) -> WrongClock | None:
    """The wrong clock of a station, by the run recorded last; None if the clock was right, or there is no run.

    selection: runs of one station. Raises as `Snapshot.asking` does.
    """
    asking = snapshot.asking(selection)
    found = asking.rows(
        f"SELECT r.reported_started_at, r.created_at FROM runs r WHERE {asking.runs.sql} ORDER BY r.run DESC LIMIT 1"
    )
    for said_at, received_at in found:
        if said_at is not None:
            return WrongClock(said_at.replace(tzinfo=UTC), received_at.replace(tzinfo=UTC))
    return None
