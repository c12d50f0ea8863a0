"""Capability: how the values of a measurement fit between its limits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import MAX_GROUPS, Group, GroupBy, Grouping
from runcard.analytics.left_out import MeasuredAnswer, told
from runcard.analytics.measured import MeasurementSelection, SpecRow, find_specs
from runcard.analytics.measured_values import NO_VALUES, Keys, Values, by_cell, find_values, moment_of
from runcard.analytics.questions.values.whole import Cell, Whole, find_wholes, whole_of
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.specified import Specified, specified
from runcard.analytics.statistics.capability_indices import (
    Index,
    PartsPerMillion,
    expected_outside,
    indices_of,
    observed_outside,
    without_intervals,
)
from runcard.analytics.statistics.dispersion import by_moving_range, of_moments, pooled
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
# A unit that is measured again and again would weigh as much as many; what it was in the end counts.
USUAL_ATTEMPTS: Attempts = "last"

DEFINITION = (
    "n: finite values; left_out counts the others. One row for each specification (limits, unit of measure, phase) "
    "that they were judged by, and for each group. Cp, Cpl, Cpu, Cpk: of sigma_within. Pp, Ppl, Ppu, Ppk: of "
    "sigma_overall, the sample standard deviation; what TofuPilot calls Cpk is this Ppk. Cpk and Ppk are the lesser "
    "of the one-sided indices, or the one that there is. Intervals: 95 %, for normal values. expected: what a normal "
    "distribution with this mean and sigma_overall has outside of the limits; observed: what of the values is. "
    "failed: by the station's own verdict, of the values that are not finite too. {within}"
)
_MOVING_RANGE = (
    "sigma_within: the mean moving range of two values of one station that follow each other in time, by d2 = 1.128. "
    "What users reported is of one more station."
)
_POOLED = "sigma_within: the standard deviation inside of subgroups by {by}, pooled."
_SAMPLED = (
    " More than {most} values: n, failed, mean, sigma_overall, Pp, Ppl, Ppu, Ppk, expected and observed are of all. "
    "The others are of those of some slices of time, chosen by a hash; how near these are is not known, so they have "
    "no interval, and outliers are not counted."
)


class CapabilityRow(Struct, frozen=True):
    """The values of one specification in one group; figures in its unit of measure.

    first_at, last_at: when the first and the last were measured. failed: values whose outcome is FAIL, finite or not.
    not_finite: values that are infinite or NaN, beside the `n`. sampled: of how many values sigma_within, Cp to Cpk,
    normality, percentiles and skewness are; None: of all.
    mean, sigma_overall, sigma_within, skewness: None where there are too few values to tell, or too large ones.
    outliers: values beyond Tukey's fences, 1.5 distances between the quartiles outside of these; None of a sample.
    normality, percentiles: None where there are too few values, or where they do not differ.
    """

    group: Group
    spec: Specified
    first_at: datetime
    last_at: datetime
    n: int
    failed: int
    not_finite: int
    sampled: int | None
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
    outliers: int | None


class CapabilityAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """rows: by phase, name, unit of measure and limits, then by group."""

    rows: Sequence[CapabilityRow]


class Within(NamedTuple):
    """How the scatter within subgroups is found.

    subgroup_by: None: from moving ranges, without subgroups. most_values: of more values, so many are sampled.
    """

    subgroup_by: GroupBy | None = None
    most_values: int = MAX_VALUES


_MOVING_RANGES = Within()


def capability(
    snapshot: Snapshot,
    selection: Selection,
    measured: MeasurementSelection,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
    within: Within = _MOVING_RANGES,
) -> CapabilityAnswer:
    """Capability of a measurement; sigma_within is pooled over subgroups where a way to form them is given.

    Raises as `asking` does, and InvalidInput for more groups or specifications than can be shown.
    """
    subgroup_by, most_values = within
    asking = snapshot.asking(measured.among(selection), USUAL_ATTEMPTS)
    specs = find_specs(asking, measured)
    grouping = Grouping(asking, group_by, zone)
    groups = Keys(asking, group_by and grouping.sql, "g")
    named = grouping.named(groups.keys)
    # Ranges are taken within a station: from one to the other is no scatter within.
    subgroup = Grouping(asking, subgroup_by or "station", zone).sql
    finals = measured.only_final
    values, is_exact, left_out = find_values(asking, specs, groups, subgroup, most_values, only_final=finals)
    samples = by_cell(values, len(groups.keys))
    cells: Mapping[Cell, Whole] = {cell: whole_of(some, specs[cell[0]]) for cell, some in samples.items()}
    if not is_exact:
        cells = find_wholes(asking, specs, groups, samples, only_final=finals)
    if len(cells) > MAX_GROUPS:
        raise InvalidInput.at(
            "group_by",
            f"makes {len(cells)} rows, more than {MAX_GROUPS}; choose a longer period or filter",
        )
    places = {key: place for place, key in enumerate(groups.keys)}
    is_pooled = subgroup_by is not None
    return CapabilityAnswer(
        n=sum(one.moments.n for one in cells.values()),
        definition=_definition(subgroup_by, None if is_exact else most_values),
        window=asking.window,
        is_exact=is_exact,
        freshness=asking.freshness,
        left_out=told(left_out),
        rows=[
            _row(
                group, spec, cells[cell], samples.get(cell, NO_VALUES), is_pooled=is_pooled, is_exact=is_exact
            )
            for place, spec in enumerate(specs)
            for key, group in named.items()
            if (cell := (place, places[key])) in cells
        ],
    )


def _definition(subgroup_by: GroupBy | None, most: int | None) -> str:
    within = _MOVING_RANGE if subgroup_by is None else _POOLED.format(by=subgroup_by)
    return DEFINITION.format(within=within) + ("" if most is None else _SAMPLED.format(most=most))


def _row(
    group: Group, spec: SpecRow, whole: Whole, values: Values, *, is_pooled: bool, is_exact: bool
) -> CapabilityRow:
    """values: of the whole those that are held, in order of time."""
    told_spec = specified(spec)
    limits, values = told_spec.limits, values.finite
    numbers, n, mean = values.number, whole.moments.n, whole.moments.mean
    within = pooled(numbers, values.subgroup) if is_pooled else by_moving_range(numbers, values.subgroup)
    over_all = of_moments(whole.moments)
    potential, performance = (indices_of(n, mean, one, limits) for one in (within, over_all))
    if not is_exact:
        potential = without_intervals(potential)
    ordered = np.sort(numbers)
    return CapabilityRow(
        group=group,
        spec=told_spec,
        first_at=moment_of(whole.first_at),
        last_at=moment_of(whole.last_at),
        n=n,
        failed=whole.failed,
        not_finite=whole.not_finite,
        sampled=None if is_exact else len(numbers),
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
        observed=observed_outside(n, whole.below, whole.above, limits),
        normality=normality_of(numbers),
        percentiles=percentile_indices(ordered, limits),
        skewness=skewness_of(numbers),
        outliers=count_outliers(ordered) if is_exact else None,
    )
