"""Durations of phases: what takes the time of a run, and how that changes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.conditions import Conditions, microseconds_between
from runcard.analytics.groups import Group, GroupBy, Grouping, references
from runcard.analytics.questions.activity.durations import (
    APPROXIMATE_QUANTILES,
    EXACT_QUANTILES,
    HOW_QUANTILES,
    DurationFigures,
    DurationRow,
    figure_columns,
    figures_of,
    quantiles_of,
)
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.domain.errors import InvalidInput

# Of more, a sample of about so many is looked at.
MAX_RUNS = 100_000
MAX_ROWS = 10_000

_DEFINITION = (
    "n: phases of {runs}. The duration of a phase is from its start to its end, as recorded, in seconds; phases that "
    "were skipped do not count. {attempts} time_share: of the time of all these phases. {how}"
)
_FINAL = "Attempts of phases that were repeated in the same run are left out."
_EVERY = "Each attempt of a phase counts."
_DURATION = microseconds_between("x.started_at", "x.ended_at")
_NAME = "x.procedure, x.sequence_path, x.name"


class TimedPhases(NamedTuple):
    """Which phases, and how many names, those that took the most time first.

    only_final: not attempts of a phase that were repeated in the same run. name: None: whichever.
    """

    only_final: bool = True
    name: str | None = None
    top: int = 20


class PhaseDurations(Struct, frozen=True):
    """time_share: from 0 to 1; None where no phase took any time. A phase that is recorded as having ended before it
    started took none, and stands in the figures as it is recorded. rows: by group, where a grouping was asked for."""

    procedure: Group
    sequence_path: str | None
    phase: str
    time_share: float | None
    figures: DurationFigures
    rows: Sequence[DurationRow]


class PhaseDurationsAnswer(Answer, frozen=True, kw_only=True):
    """runs: selected ones; runs_sampled: those of them whose phases were looked at. phases_count: of all names."""

    table: ClassVar[str] = "phases"

    runs: int
    runs_sampled: int
    phases_count: int
    phases: Sequence[PhaseDurations]


class _Way(NamedTuple):
    """Which phases are looked at, those of how many runs, and the aggregate that finds their quantiles."""

    runs: int
    runs_sampled: int
    conditions: Conditions
    quantiles: str

    @property
    def is_exact(self) -> bool:
        return self.runs_sampled == self.runs and self.quantiles == EXACT_QUANTILES

    @property
    def columns(self) -> str:
        return figure_columns(_DURATION, self.quantiles)


def phase_durations(
    snapshot: Snapshot,
    selection: Selection,
    phases: TimedPhases,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
) -> PhaseDurationsAnswer:
    """How long the phases of the runs of a selection took.

    Raises as `asking` does, and InvalidInput for a grouping that makes too many figures.
    """
    asking = snapshot.asking(selection)
    way = _way(asking, phases)
    found = _by_name(asking, way, phases.top)
    n, names, total = found[0][-3:] if found else (0, 0, 0)
    rows = {} if group_by is None else _by_group(asking, way, found, Grouping(asking, group_by, zone))
    procedures = references(asking, "procedure", {row[0] for row in found})
    return PhaseDurationsAnswer(
        n=n,
        definition=_definition(way, phases),
        window=asking.window,
        is_exact=way.is_exact,
        freshness=asking.freshness,
        runs=way.runs,
        runs_sampled=way.runs_sampled,
        phases_count=names,
        phases=[
            PhaseDurations(
                procedures[procedure],
                path,
                name,
                took / total if total else None,
                figures_of(*figures),
                rows.get((procedure, path, name), []),
            )
            for procedure, path, name, took, *figures, _, _, _ in found
        ],
    )


def _definition(way: _Way, phases: TimedPhases) -> str:
    everything = way.runs_sampled == way.runs
    return _DEFINITION.format(
        runs="the selected runs"
        if everything
        else f"a sample of {way.runs_sampled} of the {way.runs} selected runs",
        attempts=_FINAL if phases.only_final else _EVERY,
        how=HOW_QUANTILES[way.quantiles],
    )


def _way(asking: Asking, phases: TimedPhases) -> _Way:
    [runs] = asking.one(f"SELECT count(*) FROM runs r WHERE {asking.runs.sql}")
    conditions = Conditions()
    conditions.add("x.outcome <> 'SKIP'")
    conditions.one_of("x.name", None if phases.name is None else [phases.name])
    if phases.only_final:
        conditions.add("x.is_final")
    conditions = conditions.and_of(asking.runs)
    if runs <= MAX_RUNS:
        [count] = asking.one(
            f"SELECT count(*) FROM phases x JOIN runs r USING (run) WHERE {conditions.sql}", conditions.values
        )
        return _Way(runs, runs, conditions, quantiles_of(count))
    # Numbers of runs follow patterns, their hashes do not; the same runs are taken each time.
    in_sample = f"hash(r.run) % {-(-runs // MAX_RUNS)} = 0"
    conditions.add(in_sample)
    [sampled] = asking.one(f"SELECT count(*) FROM runs r WHERE {asking.runs.sql} AND {in_sample}")
    return _Way(runs, sampled, conditions, APPROXIMATE_QUANTILES)


def _by_name(asking: Asking, way: _Way, top: int) -> Sequence[tuple[Any, ...]]:
    """Procedure, path and name of the phases, the time they took, their figures; then of all: phases, names, time."""
    return asking.rows(
        f"WITH timed AS (SELECT {_NAME}, sum(greatest({_DURATION}, 0))::BIGINT AS took, {way.columns} "
        f"FROM phases x JOIN runs r USING (run) WHERE {way.conditions.sql} GROUP BY {_NAME}) "
        "SELECT timed.*, (sum(n) OVER ())::BIGINT, count(*) OVER (), (sum(took) OVER ())::BIGINT "
        f"FROM timed JOIN {asking.snapshot.places} USING (procedure) "
        f"ORDER BY took DESC, name, sequence_path NULLS FIRST, places.place LIMIT ?",
        [*way.conditions.values, top],
    )


def _by_group(
    asking: Asking, way: _Way, found: Sequence[tuple[Any, ...]], grouping: Grouping
) -> Mapping[tuple[Any, ...], Sequence[DurationRow]]:
    """By procedure, path and name of phases that were found, their durations by group."""
    rows: dict[tuple[Any, ...], dict[Any, DurationFigures]] = {row[:3]: {} for row in found}
    conditions = Conditions()
    conditions.one_of("x.name", {name for _, _, name in rows})
    conditions = conditions.and_of(way.conditions)
    cells = asking.rows(
        f"SELECT {_NAME}, {grouping.sql} AS g, {way.columns} FROM phases x JOIN runs r USING (run) "
        f"WHERE {conditions.sql} GROUP BY {_NAME}, g LIMIT {MAX_ROWS + 1}",
        conditions.values,
    )
    if len(cells) > MAX_ROWS:
        raise InvalidInput.at(
            "group_by",
            f"makes more than {MAX_ROWS} figures; choose a longer period, or fewer phases by top or phase_name",
        )
    for procedure, path, name, key, *figures in cells:
        if (procedure, path, name) in rows:
            rows[procedure, path, name][key] = figures_of(*figures)
    groups = grouping.named({key for by_key in rows.values() for key in by_key})
    return {
        phase: [DurationRow(group, by_key[key]) for key, group in groups.items() if key in by_key]
        for phase, by_key in rows.items()
    }
