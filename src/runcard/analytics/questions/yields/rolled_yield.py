"""Rolled throughput yield: the chance that a unit of a part passes each of its procedures in the first run."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.attempts import first_of
from runcard.analytics.groups import Group, references
from runcard.analytics.questions.yields.first_pass_yield import COMPLETED_ONLY
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.statistics.ratios import Ratio, ratio_of

MAX_PARTS = 200

DEFINITION = (
    "n: units, counted once on each procedure, whose first run there (by start, over all time) is selected. "
    "rolled_yield: the product of the first-pass yields of a part on its procedures, those with such a unit. A unit "
    "belongs to the part that it was of at that run. low, high: 95 % interval, from the Wilson intervals of the "
    "yields by the method of variance estimates recovery on their logarithms; the procedures are taken as "
    "independent."
)


class ProcedureYield(Struct, frozen=True):
    """The share of the units that passed a procedure in their first run."""

    procedure: Group
    first_pass: Ratio


class RolledYieldRow(Struct, frozen=True):
    """rolled_yield, low, high: from 0 to 1. low, high: None if a yield is 0, which has no logarithm.

    procedures: by name.
    """

    part: Group
    rolled_yield: float
    low: float | None
    high: float | None
    procedures: Sequence[ProcedureYield]


class RolledYieldAnswer(Answer, frozen=True, kw_only=True):
    """parts: by number; of more than 200, those with the most units. parts_count: all parts with a selected unit."""

    table: ClassVar[str] = "parts"

    parts_count: int
    parts: Sequence[RolledYieldRow]


class Estimate(NamedTuple):
    """A figure and its interval."""

    value: float
    low: float
    high: float


def rolled_yield(snapshot: Snapshot, selection: Selection) -> RolledYieldAnswer:
    """The rolled yield of the units whose first run is selected, as in `first_pass_yield`.

    Raises as `Snapshot.asking` does.
    """
    first = first_of(selection.attempts)
    asking = snapshot.asking(selection._replace(attempts=first))
    found = _parts(asking, "passed_completed" if first == "first_completed" else "passed_at")
    return RolledYieldAnswer(
        n=found.units,
        definition=DEFINITION + (COMPLETED_ONLY if first == "first_completed" else ""),
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        parts_count=found.known,
        parts=found.rows,
    )


class _Parts(NamedTuple):
    """rows: of the parts that are shown. units, known: how many units and parts there are in all."""

    rows: Sequence[RolledYieldRow]
    units: int
    known: int


def _parts(asking: Asking, passed_at: str) -> _Parts:
    rows = asking.rows(
        "WITH counted AS MATERIALIZED (SELECT r.part AS part, r.procedure AS procedure, count(*) AS units, "
        f"count(*) FILTER (WHERE r.{passed_at} = 1) AS passed FROM runs r WHERE {asking.runs.sql} "
        "GROUP BY r.part, r.procedure) "
        "SELECT part, procedure, passed, units, (SELECT sum(units) FROM counted)::BIGINT, "
        "(SELECT count(DISTINCT part) FROM counted) FROM counted WHERE part IN "
        f"(SELECT part FROM counted GROUP BY part ORDER BY sum(units) DESC, part LIMIT {MAX_PARTS})"
    )
    yields: dict[Any, dict[Any, Ratio]] = defaultdict(dict)
    for part, procedure, passed, units, *_ in rows:
        yields[part][procedure] = ratio_of(passed, units)
    procedures = references(asking, "procedure", {row[1] for row in rows})
    parts = [
        _row(
            group,
            [ProcedureYield(procedures[key], yields[part][key]) for key in procedures if key in yields[part]],
        )
        for part, group in references(asking, "part", yields).items()
    ]
    return _Parts(parts, *(rows[0][-2:] if rows else (0, 0)))


def _row(part: Group, procedures: Sequence[ProcedureYield]) -> RolledYieldRow:
    yields = [procedure.first_pass for procedure in procedures]
    interval = interval_of_product(yields)
    low, high = (None, None) if interval is None else interval
    product = math.prod(share.count / share.n for share in yields)
    return RolledYieldRow(part, product, low, high, procedures)


def interval_of_product(shares: Sequence[Ratio]) -> tuple[float, float] | None:
    """The 95 % interval of the product of independent shares; None if any share is 0, or its n is 0.

    For a single share, it is the share's own interval.
    """
    logarithms = []
    for share in shares:
        if not share.ratio or not share.low or not share.high:
            return None
        logarithms.append(Estimate(math.log(share.ratio), math.log(share.low), math.log(share.high)))
    low, high = interval_of_sum(logarithms)
    return math.exp(low), math.exp(high)


def interval_of_sum(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """The interval of the sum of independent figures, at the confidence of their own intervals, by the method of
    variance estimates recovery.

    Source: Zou and Donner, Statistics in Medicine 27 (2008), 1693-1702; Newcombe, Statistics in Medicine 17 (1998),
    873-890, method 10, is the same for a difference of two shares.
    """
    total = math.fsum(estimate.value for estimate in estimates)
    return (
        total - math.hypot(*(estimate.value - estimate.low for estimate in estimates)),
        total + math.hypot(*(estimate.high - estimate.value for estimate in estimates)),
    )
