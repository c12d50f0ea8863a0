"""Capability: how the values of a measurement fit between its limits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from msgspec import Struct

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import MAX_GROUPS, Group, GroupBy, Grouping
from runcard.analytics.left_out import MeasuredAnswer, left_out_of
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
# A unit that is measured again and again would weigh as much as many units, so only its last run counts.
USUAL_ATTEMPTS: Attempts = "last"

DEFINITION = (
    "n: finite values; left_out counts the others. One row for each specification (limits, unit of measure, phase) "
    "that they were judged by, and for each group. Cp, Cpl, Cpu, Cpk: of sigma_within. Pp, Ppl, Ppu, Ppk: of "
    "sigma_overall, the sample standard deviation; what TofuPilot calls Cpk is this Ppk. Cpk and Ppk are the lesser "
    "of the one-sided indices; with a single limit, its own. Intervals: 95 %, for normal values. expected: the parts "
    "outside of the limits in a normal distribution with this mean and sigma_overall; observed: in the values. "
    "failed: by the station's own verdict, values that are not finite included. {within}"
)
_MOVING_RANGE = (
    "sigma_within: the mean moving range of two values of one station that follow each other in time, by d2 = 1.128. "
    "Users count as another station."
)
_POOLED = "sigma_within: the standard deviation inside of subgroups by {by}, pooled."
_SAMPLED = (
    " More than {most} values: n, failed, mean, sigma_overall, Pp, Ppl, Ppu, Ppk, expected and observed are of all. "
    "The other figures are of the values in some slices of time, chosen by a hash. Their accuracy is unknown, so they "
    "have no interval, and outliers are not counted."
)


class CapabilityRow(Struct, frozen=True):
    """The capability of one specification in one group, in its unit of measure.

    first_at, last_at: when the first and the last value were measured. failed: values whose outcome is FAIL, finite or
    not. not_finite: values that are infinite or NaN; `n` does not count them. sampled: how many values are behind
    sigma_within, Cp to Cpk, normality, percentiles and skewness; None: all.
    mean, sigma_overall, sigma_within, skewness: None if the values are too few or too large. outliers: values beyond
    Tukey's fences, more than 1.5 interquartile ranges outside of the quartiles; None for a sample.
    normality, percentiles: None if the values are too few or do not differ.
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
    """How sigma_within is found.

    subgroup_by: pooled over these subgroups; None: from moving ranges. most_values: of more values, a sample is taken.
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
    """The capability of a measurement.

    Raises as `Snapshot.asking` does, and InvalidInput for more groups or specifications than can be shown.
    """
    subgroup_by, most_values = within
    asking = snapshot.asking(measured.among(selection), USUAL_ATTEMPTS)
    specs = find_specs(asking, measured)
    grouping = Grouping(asking, group_by, zone)
    groups = Keys(asking, group_by and grouping.sql, "g")
    named = grouping.named(groups.keys)
    # Moving ranges are taken within a station: the step from one station to another is not scatter within.
    subgroup = Grouping(asking, subgroup_by or "station", zone).sql
    finals = measured.only_final
    values, is_exact, left_out = find_values(asking, specs, groups, subgroup, most_values, only_final=finals)
    samples = by_cell(values, len(groups.keys))
    cells: Mapping[Cell, Whole] = {
        cell: whole_of(values_of_cell, specs[cell[0]]) for cell, values_of_cell in samples.items()
    }
    if not is_exact:
        cells = find_wholes(asking, specs, groups, samples, only_final=finals)
    if len(cells) > MAX_GROUPS:
        raise InvalidInput.at(
            "group_by",
            f"{group_by} makes {len(cells)} rows, more than {MAX_GROUPS}; choose a longer period or filter",
        )
    places = {key: place for place, key in enumerate(groups.keys)}
    is_pooled = subgroup_by is not None
    return CapabilityAnswer(
        n=sum(whole.moments.n for whole in cells.values()),
        definition=_definition(subgroup_by, None if is_exact else most_values),
        window=asking.window,
        is_exact=is_exact,
        freshness=asking.freshness,
        left_out=left_out_of(left_out),
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
    """The row of a cell. values: all values of the whole, or a sample, in order of time."""
    of_spec = specified(spec)
    limits, values = of_spec.limits, values.finite
    numbers, n, mean = values.number, whole.moments.n, whole.moments.mean
    within = pooled(numbers, values.subgroup) if is_pooled else by_moving_range(numbers, values.subgroup)
    over_all = of_moments(whole.moments)
    potential, performance = (indices_of(n, mean, sigma, limits) for sigma in (within, over_all))
    if not is_exact:
        potential = without_intervals(potential)
    ordered = np.sort(numbers)
    return CapabilityRow(
        group=group,
        spec=of_spec,
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
