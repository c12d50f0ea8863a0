"""Throughput: how many runs were made and how many units were tested, by outcome."""

from collections.abc import Sequence
from typing import Any, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.groups import ALL, Group, GroupBy, Grouping, in_order
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.domain.runs.outcome import RunOutcome

DEFINITION = (
    "n: selected runs. units: units with a selected run, counted once on each procedure. A unit counts once in each "
    "group in which it has a run, and there once for each outcome that it had."
)
_OUTCOMES: tuple[RunOutcome, ...] = get_args(RunOutcome)


class OutcomeCount(Struct, frozen=True):
    """units: those with a run of this outcome."""

    outcome: RunOutcome
    runs: int
    units: int


class ThroughputRow(Struct, frozen=True):
    """outcomes: every outcome, even if it did not occur. Their runs add up to `runs`; their units need not."""

    group: Group
    runs: int
    units: int
    outcomes: Sequence[OutcomeCount]


class ThroughputAnswer(Answer, frozen=True, kw_only=True):
    """total: all selected runs. rows: the same by group; empty without a grouping."""

    total: ThroughputRow
    rows: Sequence[ThroughputRow]


def throughput(
    snapshot: Snapshot,
    selection: Selection,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
) -> ThroughputAnswer:
    """The numbers of runs and units of a selection. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(selection)
    [(_, *figures)] = asking.rows(_query(asking, "NULL"), 2 * asking.runs.values) or [
        (None, *[0] * (2 + 2 * len(_OUTCOMES)))
    ]
    total = _row(ALL, figures)
    return ThroughputAnswer(
        n=total.runs,
        definition=DEFINITION,
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        total=total,
        rows=[] if group_by is None else _rows(asking, Grouping(asking, group_by, zone)),
    )


def count_runs(snapshot: Snapshot, selection: Selection) -> int:
    """How many runs are selected. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(selection)
    [count] = asking.one(f"SELECT count(*) FROM runs r WHERE {asking.runs.sql}")
    return int(count)


def _rows(asking: Asking, grouping: Grouping) -> Sequence[ThroughputRow]:
    found = asking.rows(_query(asking, grouping.sql), 2 * asking.runs.values)
    groups = grouping.named([row[0] for row in found])
    return [_row(group, figures) for group, figures in in_order(groups, found)]


def _query(asking: Asking, group: str) -> str:
    """The query of runs and units by group. Only units that were tested again, which are few, are told apart."""
    per_outcome = ", ".join(f"count(*) FILTER (WHERE r.outcome = '{name}') AS {name}" for name in _OUTCOMES)
    counts = ", ".join(f"sum({name})::BIGINT, sum(least({name}, most))::BIGINT" for name in _OUTCOMES)
    chosen = f"{per_outcome} FROM runs r WHERE {asking.runs.sql} AND r.attempts"
    return f"""
        WITH counted AS (
            SELECT {group} AS g, count(*) AS runs, count(*) AS most, {chosen} <= 1 GROUP BY g
            UNION ALL
            SELECT {group} AS g, count(*) AS runs, 1 AS most, {chosen} > 1 GROUP BY g, r.unit, r.procedure
        )
        SELECT g, sum(runs)::BIGINT, sum(most)::BIGINT, {counts} FROM counted GROUP BY g
    """


def _row(group: Group, figures: Sequence[Any]) -> ThroughputRow:
    runs, units, *counts = figures
    outcomes = [
        OutcomeCount(outcome, counts[2 * place], counts[2 * place + 1])
        for place, outcome in enumerate(_OUTCOMES)
    ]
    return ThroughputRow(group, runs, units, outcomes)
