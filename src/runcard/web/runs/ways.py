"""The links from a run to its neighbours: among the runs of the same unit, and of the same procedure."""

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.runs.outcome import RunOutcome
from runcard.store.engine.scope import Scope
from runcard.store.runs.neighbours import (
    Neighbour,
    Neighbours,
    find_neighbours_of_procedure,
    find_neighbours_of_unit,
)
from runcard.store.runs.records import RunRecord
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.urls import run_url


class WayStep(NamedTuple):
    url: str
    outcome: RunOutcome
    started_at: Moment


class RunWay(NamedTuple):
    """name: what the runs share. earlier: None at the first run. later: None at the last run."""

    name: str
    earlier: WayStep | None
    later: WayStep | None


def run_ways(scope: Scope, run: RunRecord, zone: ZoneInfo) -> Sequence[RunWay]:
    """Return the way along the runs of the unit, then the way along the runs of the procedure."""
    return [
        _way("unit", find_neighbours_of_unit(scope, run), zone),
        _way("procedure", find_neighbours_of_procedure(scope, run), zone),
    ]


def _way(name: str, found: Neighbours, zone: ZoneInfo) -> RunWay:
    return RunWay(name, _step(found.earlier, zone), _step(found.later, zone))


def _step(run: Neighbour | None, zone: ZoneInfo) -> WayStep | None:
    return None if run is None else WayStep(run_url(run.id), run.outcome, moment_of(run.started_at, zone))
