"""Which stations report, how much, and since when those that do not are silent."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.asking import Selection, Snapshot
from runcard.store.stations import list_stations

DEFINITION = (
    "n: runs that stations reported, among those selected. runs, last_started_at: of each station in use, among "
    "these; last_started_at is when the latest started, None where none did."
)


# A station whose latest run started longer ago is silent.
SILENT_AFTER = timedelta(hours=8)


class StationActivity(Struct, frozen=True):
    id: UUID
    name: str
    runs: int
    last_started_at: datetime | None

    def is_active(self, now: datetime) -> bool:
        return self.last_started_at is not None and now - self.last_started_at < SILENT_AFTER


class StationActivityAnswer(Answer, frozen=True, kw_only=True):
    """stations: all that are in use, the latest first, those without a run last."""

    table: ClassVar[str] = "stations"

    stations: Sequence[StationActivity]


def station_activity(snapshot: Snapshot, wanted: Selection) -> StationActivityAnswer:
    """Raises as `asking` does."""
    asked = snapshot.asking(wanted)
    rows = asked.rows(
        "SELECT r.created_by_station, count(*), max(r.started_at) FROM runs r "
        f"WHERE {asked.runs.sql} AND r.created_by_station IS NOT NULL GROUP BY r.created_by_station"
    )
    found = {station: (runs, last.replace(tzinfo=UTC)) for station, runs, last in rows}
    stations = [
        StationActivity(one.id, one.name, *found.get(one.id, (0, None)))
        for one in list_stations(snapshot.connection, snapshot.organization_id)
    ]
    never = datetime.min.replace(tzinfo=UTC)
    stations.sort(key=lambda one: one.last_started_at or never, reverse=True)
    return StationActivityAnswer(
        n=sum(runs for runs, _ in found.values()),
        definition=DEFINITION,
        window=asked.window,
        is_exact=True,
        freshness=asked.freshness,
        stations=stations,
    )
