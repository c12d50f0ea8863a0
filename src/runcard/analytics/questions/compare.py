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
from runcard.analytics.measured import Measured, SpecRow, find_specs, of_latest_uom, on_values, one_of_numbers
from runcard.analytics.specified import specified
from runcard.analytics.statistics.capability_indices import indices_of
from runcard.analytics.statistics.differences import Difference, differences_of
from runcard.analytics.statistics.dispersion import Dispersion, Floats, are_equal
from runcard.domain.errors import InvalidInput

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


class _Sample(NamedTuple):
    """The values of a group, or those of them that are tested; all else of all."""

    key: Any
    n: int
    mean: float
    s: float | None
    specs: int
    spec: int
    values: Floats


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
    samples = _samples(asked, specs, grouping, only_final=measured.only_final)
    if len(samples) > MAX_COMPARED:
        mend = "choose a longer period or filter"
        raise InvalidInput.at("group_by", f"makes {len(samples)} groups, more than {MAX_COMPARED}; {mend}")
    n = sum(one.n for one in samples)
    groups = grouping.named([one.key for one in samples])
    differences = differences_of([one.values for one in samples])
    compared = {
        one.key: _compared(groups[one.key], one, specs, difference)
        for one, difference in zip(samples, differences, strict=True)
    }
    spread = [one.values for one in samples if len(one.values) > 1]
    return CompareAnswer(
        n=n,
        definition=DEFINITION + (SAMPLED if n > MAX_TESTED else ""),
        window=asked.window,
        is_exact=n <= MAX_TESTED,
        freshness=asked.freshness,
        uom=specs[0].uom if specs else None,
        groups=[compared[key] for key in groups],
        anova=None if all(map(are_equal, spread)) else _test(scipy.stats.f_oneway, spread),
        kruskal=_test(scipy.stats.kruskal, spread),
    )


def _samples(
    asked: Asking, specs: Sequence[SpecRow], grouping: Grouping, *, only_final: bool
) -> Sequence[_Sample]:
    """The groups with all their values or, where these are more than are tested, some, drawn evenly."""
    keep = on_values(asked, specs, only_final=only_final)
    keep.add("x.num IS NOT NULL")
    step = one_of_numbers(asked, specs, keep, MAX_TESTED)
    are_tested = "TRUE" if step == 1 else f"hash(x.run, x.position) % {step} = 0"
    found = asked.arrays(
        f"SELECT {grouping.sql} AS g, count(*) AS n, avg(x.num) AS mean, stddev_samp(x.num) AS s, "
        "count(DISTINCT x.spec) AS specs, any_value(x.spec) AS spec, "
        f"coalesce(list(x.num) FILTER ({are_tested}), []) AS tested "
        f"FROM measurements x JOIN runs r USING (run) WHERE {keep.sql} GROUP BY g",
        keep.values,
    )
    *columns, tested = found.values()
    figures = zip(*(column.tolist() for column in columns), strict=True)
    return [
        _Sample._make((*row, np.asarray(values, np.float64)))
        for row, values in zip(figures, tested, strict=True)
    ]


def _compared(
    group: Group, one: _Sample, specs: Sequence[SpecRow], difference: Difference | None
) -> ComparedGroup:
    s = None if one.s is None else finite(one.s)
    ppk = None
    if one.specs == 1:
        [limits] = [specified(spec).limits for spec in specs if spec.spec == one.spec]
        ppk = indices_of(one.n, one.mean, Dispersion(s, one.n - 1), limits).worst.value
    low, high = _interval(one.n, one.mean, s)
    return ComparedGroup(group, one.n, one.mean, low, high, s, ppk, difference)


def _interval(n: int, mean: float, s: float | None) -> tuple[float | None, float | None]:
    """Where the mean is with 95 % confidence. Source: NIST/SEMATECH e-Handbook 1.3.5.2."""
    if s is None:
        return None, None
    half = float(scipy.stats.t.ppf(0.975, n - 1)) * s / n**0.5
    return mean - half, mean + half


def _test(test: Any, samples: Sequence[Any]) -> TestResult | None:
    if len(samples) < 2 or are_equal(np.concatenate(samples)):
        return None
    with np.errstate(all="ignore"):
        found = test(*samples)
    figures = (float(found.statistic), float(found.pvalue))
    return TestResult(*figures) if np.isfinite(figures).all() else None
