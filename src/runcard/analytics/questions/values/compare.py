"""One measurement between groups: does it differ from station to station, batch to batch, week to week?"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import scipy
from msgspec import Struct

from runcard.analytics.answers import finite
from runcard.analytics.conditions import Conditions
from runcard.analytics.exact_sums import Extent, ValueSource, exact_moments
from runcard.analytics.groups import Group, GroupBy, Grouping
from runcard.analytics.left_out import MeasuredAnswer, count_left_out, left_out_of
from runcard.analytics.measured import MeasurementSelection, find_specs, on_values, survey_of
from runcard.analytics.measured_values import Keys
from runcard.analytics.quantity import Quantity, latest_quantity
from runcard.analytics.snapshot import Asking, Selection, Snapshot
from runcard.analytics.specified import specified
from runcard.analytics.statistics.capability_indices import indices_of
from runcard.analytics.statistics.differences import Difference, TestResult, anova_of, differences_of
from runcard.analytics.statistics.dispersion import are_equal, of_moments
from runcard.analytics.statistics.moments import Floats, Moments, moments_of
from runcard.domain.errors import InvalidInput
from runcard.domain.runs.limit import Interval

MAX_COMPARED = 50
# Ranking more values takes longer than anyone waits, and says no more.
MAX_TESTED = 100_000

DEFINITION = (
    "n: finite values in the phase of the latest one, in its unit of measure or in one that converts to it; left_out "
    "counts the others. mean, s: of each group, all its values. "
    "mean_low, mean_high: the 95 % interval of the mean, for normal values. ppk: by the "
    "overall s, if all values of the group had the same limits. difference: of the group's mean from that of all "
    "other values together, with the 95 % interval of Welch. anova: one-way, equal means. kruskal: Kruskal-Wallis, "
    "equal locations. Both take groups of one value too."
)
SAMPLED = f" kruskal is of about {MAX_TESTED} values, drawn evenly; all else is of all values."


class ComparedGroup(Struct, frozen=True):
    """mean_low, mean_high: the 95 % interval of the mean. s: sample standard deviation. All three are None for a single
    value. ppk: None without limits, without spread, or with several pairs of limits. difference: None if the group, or
    all other values together, have fewer than two values or no spread. Each is None too if values are too far apart
    for a double.
    """

    group: Group
    n: int
    mean: float
    mean_low: float | None
    mean_high: float | None
    s: float | None
    ppk: float | None
    difference: Difference | None


class CompareAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """phase, sequence_path, uom: of the compared values; limits in other units of measure are converted.

    anova, kruskal: None for fewer than two groups, no more values than groups, or if all values are equal. anova: None
    too if no group has spread, because F would be infinite.
    """

    table: ClassVar[str] = "groups"

    phase: str | None
    sequence_path: str | None
    uom: str | None
    groups: Sequence[ComparedGroup]
    anova: TestResult | None
    kruskal: TestResult | None


class _Sample(NamedTuple):
    """A group. values: all of them, or those that are ranked; moments and specs are of all values."""

    key: Any
    moments: Moments
    specs: Sequence[int]
    values: Floats


def compare(
    snapshot: Snapshot,
    selection: Selection,
    measured: MeasurementSelection,
    zone: ZoneInfo,
    group_by: GroupBy,
) -> CompareAnswer:
    """The comparison of a measurement between groups.

    Raises as `Snapshot.asking` does, and InvalidInput for more than 50 groups.
    """
    asking = snapshot.asking(measured.among(selection))
    finals = measured.only_final
    quantity = latest_quantity(asking, find_specs(asking, measured), measured.uom, only_final=finals)
    grouping = Grouping(asking, group_by, zone)
    keep = on_values(asking, quantity.specs, only_final=finals)
    keep.add("x.num IS NOT NULL")
    survey = survey_of(asking, quantity.specs, keep, MAX_TESTED)
    samples = _samples(asking, quantity, grouping, keep, survey.step)
    if len(samples) > MAX_COMPARED:
        mend = "choose a longer period or filter"
        raise InvalidInput.at(
            "group_by", f"{group_by} makes {len(samples)} groups, more than {MAX_COMPARED}; {mend}"
        )
    moments = [sample.moments for sample in samples]
    n = sum(of_group.n for of_group in moments)
    groups = grouping.named([sample.key for sample in samples])
    limits = {spec.spec: specified(spec).limits for spec in quantity.specs}
    compared = {
        sample.key: _compared(groups[sample.key], sample, limits, difference)
        for sample, difference in zip(samples, differences_of(moments), strict=True)
    }
    return CompareAnswer(
        n=n,
        definition=DEFINITION + (SAMPLED if n > MAX_TESTED else ""),
        window=asking.window,
        is_exact=n <= MAX_TESTED,
        freshness=asking.freshness,
        left_out=left_out_of(
            count_left_out(asking, quantity, only_final=finals, has_others=survey.has_others)
        ),
        phase=quantity.phase,
        sequence_path=quantity.sequence_path,
        uom=quantity.uom,
        groups=[compared[key] for key in groups],
        anova=anova_of(moments),
        kruskal=_kruskal([sample.values for sample in samples]),
    )


def _samples(
    asking: Asking, quantity: Quantity, grouping: Grouping, keep: Conditions, step: int
) -> Sequence[_Sample]:
    """The groups with their values: all or, if there are too many to rank, some, drawn evenly."""
    are_ranked = "TRUE" if step == 1 else f"hash((x.run, x.position)) % {step} = 0"
    found = asking.arrays(
        f"SELECT {grouping.sql} AS g, min({quantity.number}) AS lowest, max({quantity.number}) AS highest, "
        f"list(DISTINCT x.spec) AS specs, coalesce(list({quantity.number}) FILTER (WHERE {are_ranked}), []) AS ranked "
        # In order, because the last digits of sums over groups depend on it.
        f"FROM measurements x JOIN runs r USING (run) WHERE {keep.sql} GROUP BY g ORDER BY g",
        keep.values,
    )
    keys, lowest, highest = (found[name].tolist() for name in ("g", "lowest", "highest"))
    # Sorted, because each query returns them in another order.
    ranked = [np.sort(np.asarray(values, np.float64)) for values in found["ranked"]]
    moments = [moments_of(values) for values in ranked]
    if step > 1:
        extents = [
            Extent(low, high, low if of_group.mean is None else of_group.mean)
            for low, high, of_group in zip(lowest, highest, moments, strict=True)
        ]
        every = _exact(asking, quantity, grouping, keep, dict(zip(keys, extents, strict=True)))
        moments = [every[key] for key in keys]
    columns = (keys, moments, map(list, found["specs"]), ranked)
    return [_Sample(*row) for row in zip(*columns, strict=True)]


def _exact(
    asking: Asking, quantity: Quantity, grouping: Grouping, keep: Conditions, extents: Mapping[Any, Extent]
) -> Mapping[Any, Moments]:
    """The moments of all values of each group, by its key."""
    groups = Keys(asking, grouping.sql, "g")
    places = {(place,): key for place, key in enumerate(groups.keys) if key in extents}
    source = ValueSource(quantity.number, [groups.place], keep, groups.join, groups.parameters)
    found = exact_moments(asking, source, {place: extents[key] for place, key in places.items()})
    return {key: found[place] for place, key in places.items()}


def _compared(
    group: Group, sample: _Sample, limits: Mapping[int, Interval], difference: Difference | None
) -> ComparedGroup:
    n, mean, s = sample.moments.n, sample.moments.mean, sample.moments.s
    assert mean is not None  # there is no group without a value
    judged_by = {limits[spec] for spec in sample.specs}
    ppk = None
    if len(judged_by) == 1:
        ppk = indices_of(n, mean, of_moments(sample.moments), judged_by.pop()).worst.value
    low, high = _interval(n, mean, s)
    return ComparedGroup(group, n, mean, low, high, s, ppk, difference)


def _interval(n: int, mean: float, s: float | None) -> tuple[float | None, float | None]:
    """The 95 % confidence interval of the mean. Source: NIST/SEMATECH e-Handbook 1.3.5.2."""
    if s is None:
        return None, None
    half = float(scipy.special.stdtrit(n - 1, 0.975)) * s / n**0.5
    return finite(mean - half), finite(mean + half)


def _kruskal(samples: Sequence[Floats]) -> TestResult | None:
    """The Kruskal-Wallis test. It compares ranks, so groups of a single value count too."""
    values = [sample for sample in samples if len(sample)]
    if len(values) < 2 or sum(map(len, values)) <= len(values) or are_equal(np.concatenate(values)):
        return None
    found = scipy.stats.kruskal(*values)
    return TestResult(float(found.statistic), float(found.pvalue))
