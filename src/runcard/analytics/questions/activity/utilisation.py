"""Utilisation: the share of the time in which a station was running something."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from runcard.analytics.answers import Answer
from runcard.analytics.groups import Group, references
from runcard.analytics.snapshot import Asking, Selection, Snapshot

# Each run takes about 50 bytes of memory during a query.
MAX_RUNS = 4_000_000
MAX_STATIONS = 500

_DEFINITION = (
    "n: selected runs; the figures are of {made_from} that stations reported. busy_s: time in which at least one of a "
    "station's runs was under way; what ran side by side in several slots counts once. span_s: from the start of the "
    "first of these runs to the end of the last. utilisation: busy_s / span_s."
)


class StationUse(Struct, frozen=True):
    """runs: number of runs behind the figures. busy_s, span_s: seconds.

    utilisation: from 0 to 1; None if span_s is 0.
    """

    station: Group
    runs: int
    busy_s: float
    span_s: float
    utilisation: float | None


class UtilisationAnswer(Answer, frozen=True, kw_only=True):
    """stations: by name; of more than 500, those with the most runs. stations_count: all with a selected run."""

    table: ClassVar[str] = "stations"

    stations_count: int
    stations: Sequence[StationUse]


def utilisation(snapshot: Snapshot, selection: Selection) -> UtilisationAnswer:
    """How busy stations were with the runs of a selection. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(selection)
    n, reported, stations_count = asking.one(
        "SELECT count(*), count(r.created_by_station), count(DISTINCT r.created_by_station) FROM runs r "
        f"WHERE {asking.runs.sql}"
    )
    is_exact = reported <= MAX_RUNS
    made_from = "all those" if is_exact else f"the newest {MAX_RUNS}"
    return UtilisationAnswer(
        n=n,
        definition=_DEFINITION.format(made_from=made_from),
        window=asking.window,
        is_exact=is_exact,
        freshness=asking.freshness,
        stations_count=stations_count,
        stations=_stations(asking, "" if is_exact else f"ORDER BY r.run DESC LIMIT {MAX_RUNS}"),
    )


def _stations(asking: Asking, bound: str) -> Sequence[StationUse]:
    runs = (
        "(SELECT r.created_by_station AS station, epoch_us(r.started_at) AS starts, epoch_us(r.ended_at) AS ends "
        f"FROM runs r WHERE r.created_by_station IS NOT NULL AND {asking.runs.sql} {bound})"
    )
    counts = asking.rows(
        f"SELECT station, count(*) AS n FROM {runs} GROUP BY station ORDER BY n DESC, station "
        f"LIMIT {MAX_STATIONS}"
    )
    if not counts:
        return []
    stations = [station for station, _ in counts]
    places = ", ".join(f"(?::UUID, {place}::SMALLINT)" for place in range(len(stations)))
    spans = asking.arrays(
        f"SELECT place, starts, ends FROM {runs} JOIN (VALUES {places}) AS placed (station, place) USING (station)",
        [*asking.runs.values, *stations],
    )
    # NumPy sorts numbers several times as fast as the engine sorts rows.
    order = np.lexsort((spans["starts"], spans["place"]))
    after = np.cumsum([count for _, count in counts])
    starts, ends = (np.split(spans[name][order], after) for name in ("starts", "ends"))
    found = {station: (starts[place], ends[place]) for place, station in enumerate(stations)}
    groups = references(asking, "station", found)
    return [_use(group, *found[station]) for station, group in groups.items()]


def _use(station: Group, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> StationUse:
    """The use of a station. starts, ends: of at least one run, in microseconds, in the order of the starts."""
    busy_us = length_of_union(starts, ends)
    span_us = int(np.max(ends)) - int(starts[0])
    return StationUse(
        station, len(starts), busy_us / 1e6, span_us / 1e6, busy_us / span_us if span_us else None
    )


def length_of_union(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    """The length covered by at least one of these spans. They are in the order of their starts; one or more."""
    reached = np.maximum.accumulate(ends)
    fresh = ends[1:] - np.maximum(starts[1:], reached[:-1])
    return int(ends[0] - starts[0] + np.maximum(fresh, 0).sum())
