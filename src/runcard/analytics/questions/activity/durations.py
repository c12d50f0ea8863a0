"""Durations: how long runs take, and how that changes."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.conditions import microseconds_between
from runcard.analytics.groups import Group, GroupBy, Grouping, in_order
from runcard.analytics.snapshot import Asking, Selection, Snapshot

# Exact quantiles hold all durations at once, 8 bytes each.
MAX_EXACT = 5_000_000

EXACT_QUANTILES = "quantile_cont"
APPROXIMATE_QUANTILES = "approx_quantile"
HOW_QUANTILES = {
    EXACT_QUANTILES: "Quantiles are interpolated between the two nearest durations.",
    APPROXIMATE_QUANTILES: "Quantiles are approximate (t-digest).",
}
_DEFINITION = (
    "n: selected runs. The duration of a run is from its start to its end, as recorded, in seconds. {how}"
)


class DurationFigures(Struct, frozen=True):
    """Durations in seconds. p95_s: 95 % of the durations are at most this. If n is 0, all others are None."""

    n: int
    mean_s: float | None
    median_s: float | None
    p95_s: float | None
    min_s: float | None
    max_s: float | None


class DurationRow(Struct, frozen=True):
    """The durations of a group."""

    group: Group
    figures: DurationFigures


class DurationsAnswer(Answer, frozen=True, kw_only=True):
    """total: all selected runs. rows: the same by group; empty without a grouping."""

    total: DurationFigures
    rows: Sequence[DurationRow]


def durations(
    snapshot: Snapshot,
    selection: Selection,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
) -> DurationsAnswer:
    """The durations of the runs of a selection. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(selection)
    [n] = asking.one(f"SELECT count(*) FROM runs r WHERE {asking.runs.sql}")
    quantiles = quantiles_of(n)
    columns = figure_columns(microseconds_between("r.started_at", "r.ended_at"), quantiles)
    total = asking.one(f"SELECT {columns} FROM runs r WHERE {asking.runs.sql}")
    return DurationsAnswer(
        n=n,
        definition=_DEFINITION.format(how=HOW_QUANTILES[quantiles]),
        window=asking.window,
        is_exact=quantiles == EXACT_QUANTILES,
        freshness=asking.freshness,
        total=figures_of(*total),
        rows=[] if group_by is None else _rows(asking, Grouping(asking, group_by, zone), columns),
    )


def _rows(asking: Asking, grouping: Grouping, columns: str) -> Sequence[DurationRow]:
    found = asking.rows(
        f"SELECT {grouping.sql} AS g, {columns} FROM runs r WHERE {asking.runs.sql} GROUP BY g"
    )
    groups = grouping.named([row[0] for row in found])
    return [DurationRow(group, figures_of(*figures)) for group, figures in in_order(groups, found)]


def quantiles_of(n: int) -> str:
    """The SQL aggregate that finds quantiles of n durations."""
    return EXACT_QUANTILES if n <= MAX_EXACT else APPROXIMATE_QUANTILES


def figure_columns(duration: str, quantiles: str) -> str:
    """SQL of the columns that `figures_of` takes. duration: SQL of microseconds."""
    return (
        f"count(*) AS n, avg({duration}) AS mean, {quantiles}({duration}, [0.5, 0.95]) AS quantiles, "
        f"min({duration}) AS lowest, max({duration}) AS highest"
    )


def figures_of(
    n: int, mean: float | None, quantiles: Sequence[float] | None, lowest: int | None, highest: int | None
) -> DurationFigures:
    """The figures in seconds, given microseconds."""
    median, p95 = quantiles if n and quantiles else (None, None)
    return DurationFigures(n, *map(_seconds, (mean, median, p95, lowest, highest)))


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1e6
