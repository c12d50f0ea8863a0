"""Which stations report, how much, since when those that do not are silent, and which are new."""

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
    "these; last_started_at is when the latest started, None where none did. last_received_at: when the station's "
    "last run was received, whether it started before the end of the window or not; None where none was. "
    "has_reported: whether any run of it is there, selected or not."
)


# A station whose last run was received longer ago is silent.
SILENT_AFTER = timedelta(hours=8)

# new: it has never reported, so there is nothing to wonder about.
StationState = Literal["active", "silent", "new"]


class StationActivity(Struct, frozen=True):
    id: UUID
    name: str
    runs: int
    last_started_at: datetime | None
    last_received_at: datetime | None
    has_reported: bool

    def state(self, now: datetime) -> StationState:
        """By the clock of the server: that of a station may be ahead."""
        if not self.has_reported:
            return "new"
        is_active = self.last_received_at is not None and now - self.last_received_at < SILENT_AFTER
        return "active" if is_active else "silent"


class StationActivityAnswer(Answer, frozen=True, kw_only=True):
    """stations: all that are in use, the latest first, those without a run last."""

    table: ClassVar[str] = "stations"

    stations: Sequence[StationActivity]


def station_activity(snapshot: Snapshot, selection: Selection) -> StationActivityAnswer:
    """Raises as `asking` does."""
    asking = snapshot.asking(selection._replace(runs=replace(selection.runs, started_before=None)))
    in_window = Conditions()
    in_window.within("r.started_at", None, selection.runs.started_before)
    rows = asking.rows(
        f"SELECT r.created_by_station, count(*) FILTER ({in_window.sql}), "
        f"max(r.started_at) FILTER ({in_window.sql}), max(r.created_at) FROM runs r "
        f"WHERE {asking.runs.sql} AND r.created_by_station IS NOT NULL GROUP BY r.created_by_station",
        [*in_window.values, *in_window.values, *asking.runs.values],
    )
    found = {station: (runs, _utc(started), _utc(received)) for station, runs, started, received in rows}
    in_use = list_stations(snapshot.scope)
    reported = {*found} | _reported(asking, [one.id for one in in_use if one.id not in found])
    stations = [
        StationActivity(one.id, one.name, *found.get(one.id, (0, None, None)), one.id in reported)
        for one in in_use
    ]
    never = datetime.min.replace(tzinfo=UTC)
    stations.sort(key=lambda one: one.last_started_at or never, reverse=True)
    return StationActivityAnswer(
        n=sum(runs for runs, *_ in found.values()),
        definition=DEFINITION,
        window=replace(asking.window, started_before=selection.runs.started_before),
        is_exact=True,
        freshness=asking.freshness,
        stations=stations,
    )


def _reported(asking: Asking, station_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these stations that any run is there of."""
    if not station_ids:
        return set()
    anything = Conditions()
    anything.one_of("created_by_station", station_ids, "UUID")
    sql = f"SELECT DISTINCT created_by_station FROM runs WHERE {anything.sql}"
    return {station for (station,) in asking.rows(sql, anything.values)}


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
