"""Which stations report, how much, and since when those that do not are silent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from runcard.analytics.answers import Answer
from runcard.analytics.asking import Selection, Snapshot
from runcard.analytics.conditions import Conditions
from runcard.store.stations import list_stations

DEFINITION = (
    "n: runs that stations reported, among those selected. runs, last_started_at: of each station in use, among "
    "these; last_started_at is when the latest started, None where none did. last_received_at: when the station's "
    "last run was received, whether it started before the end of the window or not; None where none was."
)


# A station whose last run was received longer ago is silent.
SILENT_AFTER = timedelta(hours=8)


class StationActivity(Struct, frozen=True):
    id: UUID
    name: str
    runs: int
    last_started_at: datetime | None
    last_received_at: datetime | None

    def is_active(self, now: datetime) -> bool:
        """By the clock of the server: that of a station may be ahead."""
        return self.last_received_at is not None and now - self.last_received_at < SILENT_AFTER


class StationActivityAnswer(Answer, frozen=True, kw_only=True):
    """stations: all that are in use, the latest first, those without a run last."""

    table: ClassVar[str] = "stations"

    stations: Sequence[StationActivity]


def station_activity(snapshot: Snapshot, wanted: Selection) -> StationActivityAnswer:
    """Raises as `asking` does."""
    asked = snapshot.asking(wanted._replace(runs=replace(wanted.runs, started_before=None)))
    in_window = Conditions()
    in_window.within("r.started_at", None, wanted.runs.started_before)
    rows = asked.rows(
        f"SELECT r.created_by_station, count(*) FILTER ({in_window.sql}), "
        f"max(r.started_at) FILTER ({in_window.sql}), max(r.created_at) FROM runs r "
        f"WHERE {asked.runs.sql} AND r.created_by_station IS NOT NULL GROUP BY r.created_by_station",
        [*in_window.values, *in_window.values, *asked.runs.values],
    )
    found = {station: (runs, _utc(started), _utc(received)) for station, runs, started, received in rows}
    stations = [
        StationActivity(one.id, one.name, *found.get(one.id, (0, None, None)))
        for one in list_stations(snapshot.connection, snapshot.organization_id)
    ]
    never = datetime.min.replace(tzinfo=UTC)
    stations.sort(key=lambda one: one.last_started_at or never, reverse=True)
    return StationActivityAnswer(
        n=sum(runs for runs, *_ in found.values()),
        definition=DEFINITION,
        window=replace(asked.window, started_before=wanted.runs.started_before),
        is_exact=True,
        freshness=asked.freshness,
        stations=stations,
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
