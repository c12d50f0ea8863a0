"""Durations of phases: which phases take the time of a run, and how that changes."""

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

# Of more runs than this, a sample of about this many is taken.
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
    """Which phases an answer covers. top: how many names, those that took the most time first.

    only_final: without attempts of a phase that were repeated in the same run. name: None: phases of any name.
    """

    only_final: bool = True
    name: str | None = None
    top: int = 20


class PhaseDurations(Struct, frozen=True):
    """time_share: from 0 to 1; None if no phase took any time. A phase whose recorded end is before its start adds
    nothing to the time, but counts in the figures as recorded. rows: by group; empty without a grouping.
    """

    procedure: Group
    sequence_path: str | None
    phase: str
    time_share: float | None
    figures: DurationFigures
    rows: Sequence[DurationRow]


class PhaseDurationsAnswer(Answer, frozen=True, kw_only=True):
    """runs: the selected runs. runs_sampled: those whose phases were read. phases_count: number of names in all."""

    table: ClassVar[str] = "phases"

    runs: int
    runs_sampled: int
    phases_count: int
    phases: Sequence[PhaseDurations]


class _Sampling(NamedTuple):
    """The runs and phases that are read. quantiles: the SQL aggregate for their quantiles."""

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
    """The durations of the phases of the runs of a selection.

    Raises as `Snapshot.asking` does, and InvalidInput for a grouping that makes more than MAX_ROWS figures.
    """
    asking = snapshot.asking(selection)
    sampling = _sampling(asking, phases)
    found = _by_name(asking, sampling, phases.top)
    n, names, total = found[0][-3:] if found else (0, 0, 0)
    rows = {} if group_by is None else _by_group(asking, sampling, found, Grouping(asking, group_by, zone))
    procedures = references(asking, "procedure", {row[0] for row in found})
    return PhaseDurationsAnswer(
        n=n,
        definition=_definition(sampling, phases),
        window=asking.window,
        is_exact=sampling.is_exact,
        freshness=asking.freshness,
        runs=sampling.runs,
        runs_sampled=sampling.runs_sampled,
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


def _definition(sampling: _Sampling, phases: TimedPhases) -> str:
    everything = sampling.runs_sampled == sampling.runs
    return _DEFINITION.format(
        runs="the selected runs"
        if everything
        else f"a sample of {sampling.runs_sampled} of the {sampling.runs} selected runs",
        attempts=_FINAL if phases.only_final else _EVERY,
        how=HOW_QUANTILES[sampling.quantiles],
    )


def _sampling(asking: Asking, phases: TimedPhases) -> _Sampling:
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
        return _Sampling(runs, runs, conditions, quantiles_of(count))
    # The numbers of runs follow patterns, their hashes do not. The same runs are taken each time.
    in_sample = f"hash(r.run) % {-(-runs // MAX_RUNS)} = 0"
    conditions.add(in_sample)
    [sampled] = asking.one(f"SELECT count(*) FROM runs r WHERE {asking.runs.sql} AND {in_sample}")
    return _Sampling(runs, sampled, conditions, APPROXIMATE_QUANTILES)


def _by_name(asking: Asking, sampling: _Sampling, top: int) -> Sequence[tuple[Any, ...]]:
    """Rows of procedure, path, name, time taken and figures; then, the same in each, all phases, names and time."""
    return asking.rows(
        f"WITH timed AS (SELECT {_NAME}, sum(greatest({_DURATION}, 0))::BIGINT AS took, {sampling.columns} "
        f"FROM phases x JOIN runs r USING (run) WHERE {sampling.conditions.sql} GROUP BY {_NAME}) "
        "SELECT timed.*, (sum(n) OVER ())::BIGINT, count(*) OVER (), (sum(took) OVER ())::BIGINT "
        f"FROM timed JOIN {asking.snapshot.places} USING (procedure) "
        f"ORDER BY took DESC, name, sequence_path NULLS FIRST, places.place LIMIT ?",
        [*sampling.conditions.values, top],
    )


def _by_group(
    asking: Asking, sampling: _Sampling, found: Sequence[tuple[Any, ...]], grouping: Grouping
) -> Mapping[tuple[Any, ...], Sequence[DurationRow]]:
    """The durations by group of each phase that was found, by its procedure, path and name."""
    rows: dict[tuple[Any, ...], dict[Any, DurationFigures]] = {row[:3]: {} for row in found}
    conditions = Conditions()
    conditions.one_of("x.name", {name for _, _, name in rows})
    conditions = conditions.and_of(sampling.conditions)
    cells = asking.rows(
        f"SELECT {_NAME}, {grouping.sql} AS g, {sampling.columns} FROM phases x JOIN runs r USING (run) "
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
