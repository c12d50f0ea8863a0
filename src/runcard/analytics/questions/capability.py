"""Capability: how the values of a measurement fit between its limits."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.asking import Selection, Snapshot
from runcard.analytics.groups import MAX_GROUPS, Group, GroupBy, Grouping
from runcard.analytics.measured import Measured, SpecRow, find_specs
from runcard.analytics.measured_values import Keys, Values, by_cell, find_values, moment_of
from runcard.analytics.specified import Specified, specified
from runcard.analytics.statistics.capability_indices import (
    Index,
    PartsPerMillion,
    expected_outside,
    indices_of,
    observed_outside,
)
from runcard.analytics.statistics.dispersion import by_moving_range, mean_of, overall, pooled
from runcard.analytics.statistics.value_shape import (
    Normality,
    PercentileIndices,
    count_outliers,
    normality_of,
    percentile_indices,
    skewness_of,
)
from runcard.domain.errors import InvalidInput

MAX_VALUES = 3_000_000

DEFINITION = (
    "n: finite values. One row for each specification (limits, unit of measure, phase) that they were judged by, and "
    "for each group. Cp, Cpl, Cpu, Cpk: of sigma_within. Pp, Ppl, Ppu, Ppk: of sigma_overall, the sample standard "
    "deviation; what TofuPilot calls Cpk is this Ppk. Cpk and Ppk are the lesser of the one-sided indices, or the one "
    "that there is. Intervals: 95 %, for normal values. expected: what a normal distribution with this mean and "
    "sigma_overall has outside of the limits; observed: what of the values is. failed: by the station's own verdict. "
    "{within}"
)
_MOVING_RANGE = (
    "sigma_within: the mean moving range of two values that follow each other in time, by d2 = 1.128."
)
_POOLED = "sigma_within: the standard deviation inside of subgroups by {by}, pooled."
_SAMPLED = " More than {most} values: those of some slices of time, chosen by a hash, stand for all."


class CapabilityRow(Struct, frozen=True):
    """The values of one specification in one group, at least one; figures in its unit of measure.

    first_at, last_at: when the first and the last were measured. failed: values whose outcome is FAIL.
    mean, sigma_overall, sigma_within, skewness: None where there are too few values to tell, or too large ones.
    outliers: values beyond Tukey's fences, 1.5 distances between the quartiles outside of these.
    normality, percentiles: None where there are too few values, or where they do not differ.
    """

    group: Group
    spec: Specified
    first_at: datetime
    last_at: datetime
    n: int
    failed: int
    mean: float | None
    sigma_overall: float | None
    sigma_within: float | None
    cp: Index
    cpl: Index
    cpu: Index
    cpk: Index
    pp: Index
    ppl: Index
    ppu: Index
    ppk: Index
    expected: PartsPerMillion
    observed: PartsPerMillion
    normality: Normality | None
    percentiles: PercentileIndices | None
    skewness: float | None
    outliers: int


class CapabilityAnswer(Answer, frozen=True, kw_only=True):
    """rows: by phase, name, unit of measure and limits, then by group."""

    rows: Sequence[CapabilityRow]


def capability(
    snapshot: Snapshot,
    wanted: Selection,
    measured: Measured,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
    subgroup_by: GroupBy | None = None,
    most_values: int = MAX_VALUES,
) -> CapabilityAnswer:
    """Capability of a measurement; sigma_within is pooled over subgroups where a way to form them is given.

    Raises as `asking` does, and InvalidInput for more groups or specifications than can be shown.
    """
    asked = snapshot.asking(measured.among(wanted))
    specs = find_specs(asked, measured)
    grouping = Grouping(asked, group_by, zone)
    groups = Keys(asked, group_by and grouping.sql, "g")
    named = grouping.named(groups.keys)
    subgroups = Keys(asked, subgroup_by and Grouping(asked, subgroup_by, zone).sql, "s")
    values, is_exact = find_values(
        asked, specs, groups, subgroups, most_values, only_final=measured.only_final
    )
    cells = by_cell(values, len(groups.keys))
    if len(cells) > MAX_GROUPS:
        raise InvalidInput.at(
            "group_by",
            f"makes {len(cells)} rows, more than {MAX_GROUPS}; choose a longer period or filter",
        )
    places = {key: place for place, key in enumerate(groups.keys)}
    return CapabilityAnswer(
        n=len(values.number),
        definition=_definition(subgroup_by, None if is_exact else most_values),
        window=asked.window,
        is_exact=is_exact,
        freshness=asked.freshness,
        rows=[
            _row(group, spec, cells[cell], is_pooled=subgroup_by is not None)
            for place, spec in enumerate(specs)
            for key, group in named.items()
            if (cell := (place, places[key])) in cells
        ],
    )


def _definition(subgroup_by: GroupBy | None, most: int | None) -> str:
    within = _MOVING_RANGE if subgroup_by is None else _POOLED.format(by=subgroup_by)
    return DEFINITION.format(within=within) + ("" if most is None else _SAMPLED.format(most=most))


def _row(group: Group, spec: SpecRow, values: Values, *, is_pooled: bool) -> CapabilityRow:
    told, numbers = specified(spec), values.number
    limits, n = told.limits, len(values.number)
    within = pooled(numbers, values.subgroup) if is_pooled else by_moving_range(numbers)
    over_all, mean = overall(numbers), mean_of(numbers)
    potential, performance = (indices_of(n, mean, one, limits) for one in (within, over_all))
    ordered = np.sort(numbers)
    return CapabilityRow(
        group=group,
        spec=told,
        first_at=moment_of(values.at[0]),
        last_at=moment_of(values.at[-1]),
        n=n,
        failed=int(values.failed.sum()),
        mean=mean,
        sigma_overall=over_all.sigma,
        sigma_within=within.sigma,
        cp=potential.both,
        cpl=potential.lower,
        cpu=potential.upper,
        cpk=potential.worst,
        pp=performance.both,
        ppl=performance.lower,
        ppu=performance.upper,
        ppk=performance.worst,
        expected=expected_outside(mean, over_all.sigma, limits),
        observed=observed_outside(
            n,
            0 if limits.lower is None else int(np.searchsorted(ordered, limits.lower, "left")),
            0 if limits.upper is None else n - int(np.searchsorted(ordered, limits.upper, "right")),
            limits,
        ),
        normality=normality_of(numbers),
        percentiles=percentile_indices(ordered, limits),
        skewness=skewness_of(numbers),
        outliers=count_outliers(ordered),
    )
