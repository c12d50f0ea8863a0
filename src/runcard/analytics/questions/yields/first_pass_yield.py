"""Yield: the share of the units that passed in the first run, by the second run, and in the end."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.attempts import First, first_of
from runcard.analytics.groups import ALL, Group, GroupBy, Grouping, in_order, sums_of
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of

DEFINITION = (
    "n: units, counted once on each procedure, whose first run there (by start, over all time) is selected. "
    "first_pass: that run passed. second_pass: it or the second run passed. final: the last run passed, whenever it "
    "was. Every outcome but PASS counts as not passed. final may be below second_pass, because a unit that passed may "
    "fail its last run. dpmo: measurements that failed in the selected first runs, in each attempt of a phase, per "
    "million judged there. A run that was voided or deleted counts nowhere and keeps its number, so that no retest "
    "becomes a first run."
)

COMPLETED_ONLY = " Only runs that ended PASS or FAIL count as runs; all others are ignored."


class YieldRow(Struct, frozen=True):
    """units: those whose first run is selected. opportunities: measurements judged in these runs, in each attempt of
    a phase. defects: those that failed.

    dpmo: defects per million opportunities; None without opportunities.
    """

    group: Group
    units: int
    first_pass: Ratio
    second_pass: Ratio
    final: Ratio
    opportunities: int
    defects: int
    dpmo: float | None


class YieldAnswer(Answer, frozen=True, kw_only=True):
    """total: all selected units. rows: the same by group; empty without a grouping."""

    total: YieldRow
    rows: Sequence[YieldRow]


# The first and second run are known by the number of the run that passed. The last run may have any number.
_FIGURES = """count(*), count(*) FILTER (WHERE r.{passed} = 1), count(*) FILTER (WHERE r.{passed} <= 2),
    count(*) FILTER (WHERE r.{last} = 'PASS'), coalesce(sum(r.judged), 0)::BIGINT, coalesce(sum(r.failed), 0)::BIGINT"""
_FIGURES_OF: Mapping[First, str] = {
    "first": _FIGURES.format(passed="passed_at", last="last_outcome"),
    "first_completed": _FIGURES.format(passed="passed_completed", last="last_completed"),
}


class _Counts(NamedTuple):
    """What `_FIGURES` counts. first, by_second, in_the_end: units that passed in that run: the first, second, last."""

    units: int
    first: int
    by_second: int
    in_the_end: int
    opportunities: int
    defects: int


def first_pass_yield(
    snapshot: Snapshot,
    selection: Selection,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
) -> YieldAnswer:
    """The yield of the units whose first run is selected, or first completed run if `selection.attempts` says so.

    Raises as `Snapshot.asking` does.
    """
    first = first_of(selection.attempts)
    figures = _FIGURES_OF[first]
    asking = snapshot.asking(selection._replace(attempts=first))
    rows, total = _rows(asking, Grouping(asking, group_by, zone), figures)
    return YieldAnswer(
        n=total.units,
        definition=DEFINITION + (COMPLETED_ONLY if first == "first_completed" else ""),
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        total=total,
        rows=[] if group_by is None else rows,
    )


def _rows(asking: Asking, grouping: Grouping, figures: str) -> tuple[Sequence[YieldRow], YieldRow]:
    """The row of each group, and that of all together."""
    found = asking.rows(
        f"SELECT {grouping.sql} AS g, {figures} FROM runs r WHERE {asking.runs.sql} GROUP BY g"
    )
    groups = grouping.named([row[0] for row in found])
    rows = [_row(group, _Counts(*counts)) for group, counts in in_order(groups, found)]
    return rows, _row(ALL, _Counts(*sums_of(found, len(_Counts._fields))))


def _row(group: Group, counts: _Counts) -> YieldRow:
    units, opportunities, defects = counts.units, counts.opportunities, counts.defects
    return YieldRow(
        group,
        units,
        ratio_of(counts.first, units),
        ratio_of(counts.by_second, units),
        ratio_of(counts.in_the_end, units),
        opportunities,
        defects,
        1e6 * defects / opportunities if opportunities else None,
    )
