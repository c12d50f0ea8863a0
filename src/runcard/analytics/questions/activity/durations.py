"""Durations: how long runs take, and how that changes."""

from collections.abc import Callable, Sequence
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
_HOW_BARS = "Quantiles are approximate, to 0.1 %."
_DURATION = microseconds_between("r.started_at", "r.ended_at")
# The place of a quantile among the durations in order, whether it is in a bar, and its duration there.
_PLACE = "{share} * (n - 1)"
_IS_IN_BAR = f"before <= {_PLACE} AND {_PLACE} < before + number"
_IN_BAR = f"lowest + (highest - lowest) * least(({_PLACE} - before) / greatest(number - 1, 1), 1)"
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


_NONE = DurationFigures(0, None, None, None, None, None)


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
    is_exact = n <= MAX_EXACT
    query = _query if is_exact else _query_of_bars
    found = asking.rows(query(asking, "NULL"))
    return DurationsAnswer(
        n=n,
        definition=_DEFINITION.format(how=HOW_QUANTILES[EXACT_QUANTILES] if is_exact else _HOW_BARS),
        window=asking.window,
        is_exact=is_exact,
        freshness=asking.freshness,
        total=figures_of(*found[0][1:]) if found else _NONE,
        rows=[] if group_by is None else _rows(asking, Grouping(asking, group_by, zone), query),
    )


def _rows(asking: Asking, grouping: Grouping, query: Callable[[Asking, str], str]) -> Sequence[DurationRow]:
    found = asking.rows(query(asking, grouping.sql))
    groups = grouping.named([row[0] for row in found])
    return [DurationRow(group, figures_of(*figures)) for group, figures in in_order(groups, found)]


def _query(asking: Asking, group: str) -> str:
    """The figures by group."""
    columns = figure_columns(_DURATION, EXACT_QUANTILES)
    return f"SELECT {group} AS g, {columns} FROM runs r WHERE {asking.runs.sql} GROUP BY g"


def _query_of_bars(asking: Asking, group: str) -> str:
    """The same, of durations that are counted in bars 0.1 % wide, which takes a quarter of the time of a t-digest.

    Within a bar they count as evenly spread.
    """
    median, p95 = (
        f"max(CASE WHEN {_IS_IN_BAR} THEN {_IN_BAR} END)".format(share=share) for share in (0.5, 0.95)
    )
    return f"""
        WITH bars AS (
            SELECT g, sign(d) * floor(ln(abs(d) + 1) * 1000) AS bar, count(*) AS number, avg(d) AS mean,
                min(d) AS lowest, max(d) AS highest
            FROM (SELECT {group} AS g, {_DURATION} AS d FROM runs r WHERE {asking.runs.sql}) GROUP BY g, bar
        ), placed AS (
            SELECT *, sum(number) OVER (PARTITION BY g ORDER BY bar) - number AS before,
                sum(number) OVER (PARTITION BY g) AS n
            FROM bars
        )
        SELECT g, sum(number)::BIGINT, sum(mean * number) / sum(number), [{median}, {p95}], min(lowest), max(highest)
        FROM placed GROUP BY g
    """


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
