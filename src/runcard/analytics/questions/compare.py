"""One measurement between groups: does it differ from station to station, batch to batch, week to week?"""

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.answers import Answer, finite
from runcard.analytics.asking import Asking, Selection, Snapshot
from runcard.analytics.groups import Group, GroupBy, Grouping
from runcard.analytics.measured import Measured, SpecRow, find_specs, of_latest_uom, on_values
from runcard.analytics.statistics.capability_indices import indices_of
from runcard.analytics.statistics.dispersion import Dispersion, are_equal
from runcard.domain.errors import InvalidInput
from runcard.domain.limit import Limits

MAX_COMPARED = 50
# Ranking more takes longer than anyone waits, and tells no more.
MAX_TESTED = 100_000

DEFINITION = (
    "n: finite values in the unit of measure of the latest one. mean, s: of each group, all its values. "
    "mean_low, mean_high: the 95 % interval of the mean, for normal values. ppk: by the "
    "overall s, where all values of the group had the same limits. difference: of the group's mean from that of all "
    "other values together, with the 95 % interval of Welch. anova: one-way, equal means. kruskal: Kruskal-Wallis, "
    "equal places."
)
SAMPLED = f" Tests and intervals are made of {MAX_TESTED} values, drawn evenly; n, mean, s and ppk of all."


class Difference(Struct, frozen=True):
    """In the measurement's unit of measure. low, high: the 95 % interval. p: of no difference (0..1)."""

    difference: float
    low: float
    high: float
    p: float


class ComparedGroup(Struct, frozen=True):
    """mean_low, mean_high: the 95 % interval of the mean. s: sample standard deviation. All None for one value. ppk:
    None without limits, without spread, or with several limits. difference: None where the group or all others
    together have fewer than two values, or no spread. Each is None also where values are too far apart for a double.
    """

    group: Group
    n: int
    mean: float
    mean_low: float | None
    mean_high: float | None
    s: float | None
    ppk: float | None
    difference: Difference | None


class TestResult(Struct, frozen=True):
    """statistic: F, or H. p: how likely so much is by chance, were the groups alike (0..1)."""

    statistic: float
    p: float


class CompareAnswer(Answer, frozen=True, kw_only=True):
    """anova, kruskal: None where fewer than two groups have two values, or all values are equal; anova also without
    spread in any group, where F has no end. Each also where values are too far apart for a double."""

    table: ClassVar[str] = "groups"

    uom: str | None
    groups: Sequence[ComparedGroup]
    anova: TestResult | None
    kruskal: TestResult | None


class _Row(NamedTuple):
    key: Any
    n: int
    mean: float
    s: float | None
    specs: int
    spec: int


def compare(
    snapshot: Snapshot,
    wanted: Selection,
    measured: Measured,
    zone: ZoneInfo,
    group_by: GroupBy,
) -> CompareAnswer:
    """Raises as `asking` does, and InvalidInput for more than 50 groups."""
    asked = snapshot.asking(measured.among(wanted))
    specs = of_latest_uom(asked, find_specs(asked, measured), only_final=measured.only_final)
    grouping = Grouping(asked, group_by, zone)
    rows = _rows(asked, specs, grouping, only_final=measured.only_final)
    if len(rows) > MAX_COMPARED:
        mend = "choose a longer period or filter"
        raise InvalidInput.at("group_by", f"makes {len(rows)} groups, more than {MAX_COMPARED}; {mend}")
    n = sum(row.n for row in rows)
    codes, values = _values(asked, specs, grouping, rows, only_final=measured.only_final)
    groups = grouping.named([row.key for row in rows])
    places = {row.key: place for place, row in enumerate(rows)}
    samples = [values[codes == place] for place in range(len(rows))]
    spread = [one for one in samples if len(one) > 1]
    return CompareAnswer(
        n=n,
        definition=DEFINITION + (SAMPLED if n > MAX_TESTED else ""),
        window=asked.window,
        is_exact=n <= MAX_TESTED,
        freshness=asked.freshness,
        uom=specs[0].uom if specs else None,
        groups=[
            _compared(group, rows[place], specs, samples[place], values[codes != place])
            for group, place in ((group, places[key]) for key, group in groups.items())
        ],
        anova=None if all(map(are_equal, spread)) else _test(scipy.stats.f_oneway, spread),
        kruskal=_test(scipy.stats.kruskal, spread),
    )


def _rows(asked: Asking, specs: Sequence[SpecRow], grouping: Grouping, *, only_final: bool) -> Sequence[_Row]:
    keep = on_values(asked, specs, only_final=only_final)
    found = asked.rows(
        f"SELECT {grouping.sql} AS g, count(*), avg(x.num), stddev_samp(x.num), count(DISTINCT x.spec), "
        "any_value(x.spec) "
        f"FROM measurements x JOIN runs r USING (run) WHERE {keep.sql} AND x.num IS NOT NULL GROUP BY g",
        keep.values,
    )
    return [_Row(*row) for row in found]


def _values(
    asked: Asking, specs: Sequence[SpecRow], grouping: Grouping, rows: Sequence[_Row], *, only_final: bool
) -> tuple[Any, Any]:
    """The place of each value's group among `rows`, and the values: all, or as many as are tested, drawn evenly."""
    n = sum(row.n for row in rows)
    keep = on_values(asked, specs, only_final=only_final)
    keep.add("x.num IS NOT NULL")
    if n > MAX_TESTED:
        keep.add(f"hash(x.run, x.position) % {-(-n // MAX_TESTED)} = 0")
    found = asked.arrays(
        f"SELECT coalesce(({grouping.sql})::VARCHAR, '') AS g, x.num FROM measurements x JOIN runs r USING (run) "
        f"WHERE {keep.sql}",
        keep.values,
    )
    texts, codes = np.unique(np.asarray(found["g"], dtype=str), return_inverse=True)
    # Keys as DuckDB writes them.
    places = {"" if row.key is None else str(row.key): place for place, row in enumerate(rows)}
    return np.array([places[text] for text in texts.tolist()], dtype=int)[codes], np.asarray(
        found["num"], dtype=float
    )


def _compared(group: Group, row: _Row, specs: Sequence[SpecRow], own: Any, others: Any) -> ComparedGroup:
    s = None if row.s is None else finite(row.s)
    ppk = None
    if row.specs == 1:
        [limits] = [Limits(one.lower, one.upper) for one in specs if one.spec == row.spec]
        ppk = indices_of(row.n, row.mean, Dispersion(s, row.n - 1), limits).worst.value
    low, high = _interval(row.n, row.mean, s)
    return ComparedGroup(group, row.n, row.mean, low, high, s, ppk, _difference(own, others))


def _interval(n: int, mean: float, s: float | None) -> tuple[float | None, float | None]:
    """Where the mean is with 95 % confidence. Source: NIST/SEMATECH e-Handbook 1.3.5.2."""
    if s is None:
        return None, None
    half = float(scipy.stats.t.ppf(0.975, n - 1)) * s / n**0.5
    return mean - half, mean + half


def _difference(own: Any, others: Any) -> Difference | None:
    if min(len(own), len(others)) < 2 or (are_equal(own) and are_equal(others)):
        return None
    # What is too large for a double becomes infinite, or NaN, and then nothing is told.
    with np.errstate(all="ignore"):
        found = scipy.stats.ttest_ind(own, others, equal_var=False)
        interval = found.confidence_interval(0.95)
        figures = (own.mean() - others.mean(), interval.low, interval.high, found.pvalue)
    return Difference(*map(float, figures)) if np.isfinite(figures).all() else None


def _test(test: Any, samples: Sequence[Any]) -> TestResult | None:
    if len(samples) < 2 or are_equal(np.concatenate(samples)):
        return None
    with np.errstate(all="ignore"):
        found = test(*samples)
    figures = (float(found.statistic), float(found.pvalue))
    return TestResult(*figures) if np.isfinite(figures).all() else None
