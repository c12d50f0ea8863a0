"""Sums and counts of all values of a specification and group, however many there are, for capability."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from runcard.analytics.exact_sums import Extent, ValueSource, exact_moments
from runcard.analytics.measured import SpecRow, on_values
from runcard.analytics.measured_values import Keys, Values
from runcard.analytics.snapshot import Asking
from runcard.analytics.specified import ABOVE, BELOW, specified
from runcard.analytics.statistics.moments import Floats, Moments, moments_of
from runcard.domain.runs.limit import Interval

# The places of a specification and of a group.
Cell = tuple[int, int]


class Whole(NamedTuple):
    """moments: of the finite values. below, above: how many of these lie outside of the limits.

    failed: values that failed by the station's own verdict. first_at, last_at: microseconds since 1970. These three
    are of all values.
    """

    moments: Moments
    not_finite: int
    failed: int
    first_at: int
    last_at: int
    below: int
    above: int


def whole_of(values: Values, spec: SpecRow) -> Whole:
    """The sums and counts of values held in memory, at least one, in order of time."""
    numbers = values.finite.number
    return Whole(
        moments_of(numbers),
        len(values.number) - len(numbers),
        int(values.failed.sum()),
        int(values.at[0]),
        int(values.at[-1]),
        *_outside(np.sort(numbers), specified(spec).limits),
    )


def find_wholes(
    asking: Asking,
    specs: Sequence[SpecRow],
    groups: Keys,
    samples: Mapping[Cell, Values],
    *,
    only_final: bool,
) -> Mapping[Cell, Whole]:
    """The sums and counts of all values, made in the copy. samples: the values that are held in memory."""
    where = on_values(asking, specs, only_final=only_final)
    where.add("x.kind = 'numeric'")
    places = {spec.spec: place for place, spec in enumerate(specs)}
    rows = asking.rows(
        f"SELECT x.spec, {groups.place} AS grouped, min(x.num), max(x.num), count(*) - count(x.num), "
        "count(*) FILTER (WHERE x.outcome = 'FAIL'), epoch_us(min(x.started_at)), epoch_us(max(x.started_at)), "
        f"count(*) FILTER (WHERE {BELOW}), count(*) FILTER (WHERE {ABOVE}) "
        f"FROM measurements x JOIN runs r USING (run) {groups.join} JOIN specs s ON s.spec = x.spec "
        f"WHERE {where.sql} GROUP BY x.spec, grouped",
        [*groups.parameters, *where.values],
    )
    extents = {
        (spec, group): Extent(lowest, highest, _centre(samples.get((places[spec], group)), lowest))
        for spec, group, lowest, highest, *_ in rows
        if lowest is not None
    }
    source = ValueSource("x.num", ["x.spec", groups.place], where, groups.join, groups.parameters)
    moments = exact_moments(asking, source, extents)
    return {
        (places[spec], group): Whole(moments.get((spec, group), Moments(0)), *counts)
        for spec, group, _, _, *counts in rows
    }


def _centre(sample: Values | None, otherwise: float) -> float:
    mean = None if sample is None else moments_of(sample.finite.number).mean
    return otherwise if mean is None else mean


def _outside(ordered: Floats, limits: Interval) -> tuple[int, int]:
    """How many of the sorted values lie below and above the limits."""
    below = above = 0
    if limits.lower is not None:
        below = int(np.searchsorted(ordered, limits.lower, "right" if limits.lower_is_strict else "left"))
    if limits.upper is not None:
        side: Literal["left", "right"] = "left" if limits.upper_is_strict else "right"
        above = len(ordered) - int(np.searchsorted(ordered, limits.upper, side))
    return below, above
