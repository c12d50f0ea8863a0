"""Whether two measurements of the same units are correlated."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import numpy as np
import scipy
from msgspec import Struct
from msgspec.structs import replace

from runcard.analytics.conditions import Conditions
from runcard.analytics.left_out import MeasuredAnswer, Reason, count_left_out, left_out_of
from runcard.analytics.measured import MeasurementSelection, find_specs, on_values
from runcard.analytics.quantity import Quantity, latest_quantity
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.statistics.dispersion import are_equal
from runcard.analytics.statistics.moments import Floats

MAX_POINTS = 2000
# Ranking more pairs takes longer than anyone waits, and says no more.
MAX_PAIRS = 200_000

DEFINITION = (
    "n: pairs of finite values. Each side takes the values in the phase of its latest one, in the unit of measure of "
    "that or in one that converts to it; left_out counts the values of both sides that are in no pair. Measurements of "
    "one procedure are paired in the same selected run; those of two procedures in the last runs of a unit on each, if "
    "both are selected. "
    "pearson: with the 95 % interval of Fisher. spearman: of ranks. slope, intercept: of the least squares line of y "
    "over x."
)
SAMPLED = f" Points are {MAX_POINTS} of the pairs, drawn evenly."
SAMPLED_ALL = f" All figures but n are made of about {MAX_PAIRS} pairs, drawn evenly."


class Point(Struct, frozen=True):
    """run_id: the run in which x was measured."""

    x: float
    y: float
    run_id: UUID


class Correlation(Struct, frozen=True):
    """pearson, spearman: -1 to 1. low, high: the 95 % interval of pearson; None for three pairs. p: the p-value of no
    linear correlation, 0 to 1. slope: in units of y per unit of x.
    """

    pearson: float
    low: float | None
    high: float | None
    p: float
    spearman: float
    slope: float
    intercept: float


class CorrelationAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """correlation: None for fewer than three pairs, if all x or all y are equal, or if they are too far apart for a
    double. points: at most 2 000.
    """

    table: ClassVar[str] = "points"

    x_phase: str | None
    y_phase: str | None
    x_uom: str | None
    y_uom: str | None
    correlation: Correlation | None
    points: Sequence[Point]


class _Side(NamedTuple):
    """One side of the pairs: x or y."""

    measured: MeasurementSelection
    quantity: Quantity


def correlation(
    snapshot: Snapshot,
    selection: Selection,
    x: MeasurementSelection,
    y: MeasurementSelection,
) -> CorrelationAnswer:
    """The correlation of two measurements. Raises as `Snapshot.asking` does."""
    both = replace(selection.runs, procedure_ids=list({x.procedure_id, y.procedure_id}))
    asking = snapshot.asking(selection._replace(runs=both))
    sides = [_side(asking, x, "x_measurement_name"), _side(asking, y, "y_measurement_name")]
    n, found = _found(asking, _pairs(asking, sides))
    numbers = int(found["numbers"][0]) if n else _numbers_of(asking, sides)
    has_others = bool(found["others"][0]) if n else None
    xs, ys = (np.asarray(found[name], dtype=float) for name in ("x", "y"))
    return CorrelationAnswer(
        n=n,
        definition=DEFINITION + (SAMPLED if n > MAX_POINTS else "") + (SAMPLED_ALL if n > MAX_PAIRS else ""),
        window=asking.window,
        is_exact=n <= MAX_PAIRS,
        freshness=asking.freshness,
        left_out=left_out_of(_left_out(asking, sides, numbers - 2 * n, has_others=has_others)),
        x_phase=sides[0].quantity.phase,
        y_phase=sides[1].quantity.phase,
        x_uom=sides[0].quantity.uom,
        y_uom=sides[1].quantity.uom,
        correlation=_correlation(xs, ys),
        points=_points(asking, xs, ys, np.asarray(found["run"])),
    )


def _found(asking: Asking, pairs: Conditions) -> tuple[int, Mapping[str, Any]]:
    """The number of pairs; and x, y and run of all pairs, or of a sample of them, in the order of runs."""
    found = asking.arrays(
        f"SELECT x, y, run, numbers, others FROM (SELECT * FROM ({pairs.sql}) LIMIT {MAX_PAIRS + 1}) ORDER BY run",
        pairs.values,
    )
    n = len(found["x"])
    if n > MAX_PAIRS:
        # Count the pairs only if there are too many, because that takes longer.
        [n] = asking.one(f"SELECT count(*) FROM ({pairs.sql})", pairs.values)
        found = asking.arrays(
            f"SELECT x, y, run, numbers, others FROM ({pairs.sql}) "
            f"WHERE hash(run) % {-(-n // MAX_PAIRS)} = 0 ORDER BY run",
            pairs.values,
        )
    return n, found


def _side(asking: Asking, measured: MeasurementSelection, field: str) -> _Side:
    specs = find_specs(asking, measured, field)
    return _Side(measured, latest_quantity(asking, specs, measured.uom, only_final=measured.only_final))


def _pairs(asking: Asking, sides: Sequence[_Side]) -> Conditions:
    """A query of run, x and y, and the counts of numbers and other values that both sides have in all; with values."""
    is_one_procedure = len({side.measured.procedure_id for side in sides}) == 1
    same = "a.run = b.run" if is_one_procedure else "a.unit = b.unit AND a.is_last AND b.is_last"
    (first, *values), (second, *others) = (_numbers_sql(asking, side) for side in sides)
    return Conditions.of(
        f"WITH a AS MATERIALIZED ({first}), b AS MATERIALIZED ({second}) SELECT a.run AS run, a.num AS x, b.num AS y, "
        "((SELECT sum(n) FROM a) + (SELECT sum(n) FROM b))::BIGINT AS numbers, "
        "((SELECT sum(others) FROM a) + (SELECT sum(others) FROM b))::BIGINT AS others "
        f"FROM a JOIN b ON {same} WHERE a.n > 0 AND b.n > 0",
        *values,
        *others,
    )


def _numbers_sql(asking: Asking, side: _Side) -> Sequence[Any]:
    """A query of the numbers of a side by run, then its values. If a run has several numbers, the last counts."""
    keep = on_values(asking, side.quantity.specs, only_final=False)
    counts = f"{side.quantity.number} IS NOT NULL" + (" AND x.is_final" if side.measured.only_final else "")
    sql = (
        "SELECT r.run AS run, any_value(r.unit) AS unit, any_value(r.attempt = r.attempts) AS is_last, "
        f"count(*) FILTER (WHERE {counts}) AS n, count(*) FILTER (WHERE NOT ({counts})) AS others, "
        f"arg_max({side.quantity.number}, x.position) FILTER (WHERE {counts}) AS num "
        f"FROM measurements x JOIN runs r USING (run) WHERE {keep.sql} GROUP BY r.run"
    )
    return [sql, *keep.values]


def _numbers_of(asking: Asking, sides: Sequence[_Side]) -> int:
    """How many numbers both sides have together. Without a pair, the query of pairs does not say."""
    total = 0
    for side in sides:
        sql, *values = _numbers_sql(asking, side)
        total += asking.one(f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({sql})", values)[0]
    return total


def _left_out(
    asking: Asking, sides: Sequence[_Side], alone: int, *, has_others: bool | None
) -> Counter[Reason]:
    """What both sides together leave out. alone: how many numbers are in no pair."""
    counts: Counter[Reason] = Counter({"no_partner": alone})
    for side in sides:
        finals = side.measured.only_final
        counts += count_left_out(asking, side.quantity, only_final=finals, has_others=has_others)
    return counts


def _points(asking: Asking, xs: Any, ys: Any, runs: Any) -> Sequence[Point]:
    """The pairs to show. Only their run ids are looked up, because that takes longer than everything else."""
    if len(xs) > MAX_POINTS:
        shown = np.unique(np.linspace(0, len(xs) - 1, MAX_POINTS).astype(int))
        xs, ys, runs = xs[shown], ys[shown], runs[shown]
    numbers = runs.tolist()
    ids = dict(asking.rows("SELECT run, id FROM runs WHERE run IN (SELECT unnest(?::BIGINT[]))", [numbers]))
    return [Point(x, y, ids[run]) for x, y, run in zip(xs.tolist(), ys.tolist(), numbers, strict=True)]


def _correlation(xs: Any, ys: Any) -> Correlation | None:
    if len(xs) < 3 or are_equal(xs) or are_equal(ys):
        return None
    # A figure that is too large for a double becomes infinite or NaN. Then there is no correlation to show.
    with np.errstate(all="ignore"):
        pearson = scipy.stats.pearsonr(xs, ys)
        interval = pearson.confidence_interval(0.95) if len(xs) > 3 else None
        slope, intercept = _line(xs, ys)
        spearman = scipy.stats.spearmanr(xs, ys)
    figures = (pearson.statistic, pearson.pvalue, spearman.statistic, slope, intercept)
    if not np.isfinite(figures).all():
        return None
    return Correlation(
        float(pearson.statistic),
        None if interval is None else float(interval.low),
        None if interval is None else float(interval.high),
        *map(float, figures[1:]),
    )


def _line(xs: Floats, ys: Floats) -> tuple[float, float]:
    """Slope and intercept of the least squares line of y over x. Source: NIST/SEMATECH e-Handbook 4.1.4.1.

    SciPy's `linregress` uses a matrix product, which waits for all cores: 20 ms if another thread has them.
    """
    x = xs - xs.mean()
    slope = float((x * (ys - ys.mean())).sum() / np.square(x).sum())
    return slope, float(ys.mean() - slope * xs.mean())
