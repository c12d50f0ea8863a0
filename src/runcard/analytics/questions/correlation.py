"""Whether two measurements of the same units go together."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
import scipy
from msgspec import Struct
from msgspec.structs import replace

from runcard.analytics.answers import Answer
from runcard.analytics.asking import Asking, Selection, Snapshot
from runcard.analytics.conditions import Conditions
from runcard.analytics.measured import Measured, find_specs, of_latest_uom, on_values
from runcard.analytics.statistics.dispersion import Floats, are_equal

MAX_POINTS = 2000
# Ranking more takes longer than anyone waits, and tells no more.
MAX_PAIRS = 200_000

DEFINITION = (
    "n: pairs of finite values, each in the unit of measure of the latest of its kind. Of one procedure: both measured "
    "in the same selected run. Of two: both in the last runs of the same unit on them, where these are selected. "
    "pearson: with the 95 % interval of Fisher. spearman: of ranks. slope, intercept: of the least squares line of y "
    "over x."
)
SAMPLED = f" Points are {MAX_POINTS} of the pairs, drawn evenly."
SAMPLED_ALL = f" All figures but n are made of about {MAX_PAIRS} pairs, drawn evenly."


class Point(Struct, frozen=True):
    """run_id: that of x."""

    x: float
    y: float
    run_id: UUID


class Correlation(Struct, frozen=True):
    """pearson, spearman: -1..1, with low and high the 95 % interval of the first (None for three pairs). p: of no
    linear correlation (0..1). slope: in units of y by unit of x.
    """

    pearson: float
    low: float | None
    high: float | None
    p: float
    spearman: float
    slope: float
    intercept: float


class CorrelationAnswer(Answer, frozen=True, kw_only=True):
    """correlation: None for fewer than three pairs, where x or y are all equal, or where they are too far apart for a
    double. points: at most 2 000.
    """

    table: ClassVar[str] = "points"

    x_uom: str | None
    y_uom: str | None
    correlation: Correlation | None
    points: Sequence[Point]


def correlation(
    snapshot: Snapshot,
    wanted: Selection,
    x: Measured,
    y: Measured,
) -> CorrelationAnswer:
    """Raises as `asking` does."""
    both = replace(wanted.runs, procedure_ids=list({x.procedure_id, y.procedure_id}))
    asked = snapshot.asking(wanted._replace(runs=both))
    pairs, x_uom, y_uom = _pairs(asked, x, y)
    n, found = _found(asked, pairs)
    xs, ys = (np.asarray(found[name], dtype=float) for name in ("x", "y"))
    return CorrelationAnswer(
        n=n,
        definition=DEFINITION + (SAMPLED if n > MAX_POINTS else "") + (SAMPLED_ALL if n > MAX_PAIRS else ""),
        window=asked.window,
        is_exact=n <= MAX_PAIRS,
        freshness=asked.freshness,
        x_uom=x_uom,
        y_uom=y_uom,
        correlation=_correlation(xs, ys),
        points=_points(asked, xs, ys, np.asarray(found["run"])),
    )


def _found(asked: Asking, pairs: Conditions) -> tuple[int, Mapping[str, Any]]:
    """How many pairs there are, and x, y and run of all of them or of those that are drawn, in the order of runs."""
    found = asked.arrays(
        f"SELECT x, y, run FROM (SELECT * FROM ({pairs.sql}) LIMIT {MAX_PAIRS + 1}) ORDER BY run",
        pairs.values,
    )
    n = len(found["x"])
    if n > MAX_PAIRS:
        # Only then, because it takes longer: how many there are.
        [n] = asked.one(f"SELECT count(*) FROM ({pairs.sql})", pairs.values)
        found = asked.arrays(
            f"SELECT x, y, run FROM ({pairs.sql}) WHERE hash(run) % {-(-n // MAX_PAIRS)} = 0 ORDER BY run",
            pairs.values,
        )
    return n, found


def _pairs(asked: Asking, x: Measured, y: Measured) -> tuple[Conditions, str | None, str | None]:
    """A query of run, x and y, with its values; and the units of measure."""
    sides, uoms = [], []
    is_one_procedure = x.procedure_id == y.procedure_id
    for measured, field in ((x, "x_measurement_name"), (y, "y_measurement_name")):
        found = find_specs(asked, measured, field)
        specs = of_latest_uom(asked, found, only_final=measured.only_final)
        uoms.append(specs[0].uom if specs else None)
        keep = on_values(asked, specs, only_final=measured.only_final)
        if not is_one_procedure:
            keep.add("r.attempt = r.attempts")
        keep.add("x.num IS NOT NULL")
        sides.append(keep)
    # Of a measurement that stands in a run several times, the last counts.
    side = (
        "(SELECT r.run, any_value(r.unit) AS unit, arg_max(x.num, x.position) AS num "
        "FROM measurements x JOIN runs r USING (run) WHERE {} GROUP BY r.run)"
    )
    query = Conditions()
    query.add(
        f"SELECT a.run, a.num AS x, b.num AS y FROM {side.format(sides[0].sql)} a "
        f"JOIN {side.format(sides[1].sql)} b ON {'a.run = b.run' if is_one_procedure else 'a.unit = b.unit'}",
        *sides[0].values,
        *sides[1].values,
    )
    return query, uoms[0], uoms[1]


def _points(asked: Asking, xs: Any, ys: Any, runs: Any) -> Sequence[Point]:
    """The pairs that are shown; ids are looked up of no others, because to make them takes longer than all else."""
    if len(xs) > MAX_POINTS:
        shown = np.unique(np.linspace(0, len(xs) - 1, MAX_POINTS).astype(int))
        xs, ys, runs = xs[shown], ys[shown], runs[shown]
    numbers = runs.tolist()
    ids = dict(asked.rows("SELECT run, id FROM runs WHERE run IN (SELECT unnest(?::BIGINT[]))", [numbers]))
    return [Point(x, y, ids[run]) for x, y, run in zip(xs.tolist(), ys.tolist(), numbers, strict=True)]


def _correlation(xs: Any, ys: Any) -> Correlation | None:
    if len(xs) < 3 or are_equal(xs) or are_equal(ys):
        return None
    # What is too large for a double becomes infinite, or NaN, and then nothing is told.
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

    SciPy's takes a matrix product for it, which waits for all cores, and for 20 ms where another one has them.
    """
    x = xs - xs.mean()
    slope = float((x * (ys - ys.mean())).sum() / np.square(x).sum())
    return slope, float(ys.mean() - slope * xs.mean())
