"""Which stations report and how much, which are silent and since when, and which are new."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from runcard.analytics.answers import Answer
from runcard.analytics.conditions import Conditions
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.store.stations.rows import list_stations

DEFINITION = (
    "n: runs that stations reported, among those selected. runs, last_started_at: of each station in use, among "
    "these; last_started_at is when the latest started, None if there is none. last_received_at: when the station's "
    "last run was received, whether or not it started before the end of the window; None if there is none. "
    "has_reported: whether the station has any run, selected or not."
)


# A station whose last run was received longer ago is silent.
SILENT_AFTER = timedelta(hours=8)

# new: the station has never reported, so its silence is no cause for concern.
StationState = Literal["active", "silent", "new"]


class StationActivity(Struct, frozen=True):
    id: UUID
    name: str
    runs: int
    last_started_at: datetime | None
    last_received_at: datetime | None
    has_reported: bool

    def state(self, now: datetime) -> StationState:
        """The state by the clock of the server, because that of a station may be ahead."""
        if not self.has_reported:
            return "new"
        is_active = self.last_received_at is not None and now - self.last_received_at < SILENT_AFTER
        return "active" if is_active else "silent"


class StationActivityAnswer(Answer, frozen=True, kw_only=True):
    """stations: all that are in use, latest run first, those without a run last."""

    table: ClassVar[str] = "stations"

    stations: Sequence[StationActivity]


def station_activity(snapshot: Snapshot, selection: Selection) -> StationActivityAnswer:
    """The activity of the stations in use. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(selection._replace(runs=replace(selection.runs, started_before=None)))
    in_window = Conditions()
    in_window.within("r.started_at", None, selection.runs.started_before)
    rows = asking.rows(
        f"SELECT r.created_by_station, count(*) FILTER (WHERE {in_window.sql}), "
        f"max(r.started_at) FILTER (WHERE {in_window.sql}), max(r.created_at) FROM runs r "
        f"WHERE {asking.runs.sql} AND r.created_by_station IS NOT NULL GROUP BY r.created_by_station",
        [*in_window.values, *in_window.values, *asking.runs.values],
    )
    found = {station: (runs, _utc(started), _utc(received)) for station, runs, started, received in rows}
    in_use = list_stations(snapshot.scope)
    reported = {*found} | _reported(asking, [station.id for station in in_use if station.id not in found])
    nothing = (0, None, None)
    stations = [
        StationActivity(station.id, station.name, *found.get(station.id, nothing), station.id in reported)
        for station in in_use
    ]
    never = datetime.min.replace(tzinfo=UTC)
    stations.sort(key=lambda station: station.last_started_at or never, reverse=True)
    return StationActivityAnswer(
        n=sum(runs for runs, *_ in found.values()),
        definition=DEFINITION,
        window=replace(asking.window, started_before=selection.runs.started_before),
        is_exact=True,
        freshness=asking.freshness,
        stations=stations,
    )


def _reported(asking: Asking, station_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these stations that have any run."""
    if not station_ids:
        return set()
    anything = Conditions()
    anything.one_of("created_by_station", station_ids, "UUID")
    sql = f"SELECT DISTINCT created_by_station FROM runs WHERE {anything.sql}"
    return {station for (station,) in asking.rows(sql, anything.values)}


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
