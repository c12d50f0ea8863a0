"""Make the points of a control chart from values in order of time, with segments, limit changes and broken rules."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runcard.analytics.answers import finite
from runcard.analytics.measured import SpecRow
from runcard.analytics.questions.values.newest import Value
from runcard.analytics.specified import Specified, specified
from runcard.analytics.statistics.control_limits import ChartKind, ControlLimits, Fitted, fit
from runcard.analytics.statistics.control_rules import RULES, RuleName, marks_by_rule
from runcard.analytics.statistics.subgroups import subgroups_of
from runcard.domain.runs.outcome import MeasurementOutcome


class ControlPoint(Struct, frozen=True):
    """A value, or the mean of `size` values. run_id, started_at: the run and phase start of the first value.

    outcome: FAIL if any failed, else PASS if any passed. spread: None if there is none. segment, group: places in the
    answer's lists; group is None without a grouping.
    """

    run_id: UUID
    started_at: datetime
    value: float | None
    size: int
    spread: float | None
    outcome: MeasurementOutcome
    segment: int
    group: int | None


class ChartSegment(Struct, frozen=True):
    """The points of one phase under one pair of limits. If the same limits return, they continue the same segment.

    n: number of values. centre, sigma: see the definition; None if unknown. control: control limits by size of a
    point. first, last: places of its first and last point.
    """

    spec: Specified
    n: int
    centre: float | None
    sigma: float | None
    control: Sequence[ControlLimits]
    first: int
    last: int


class BrokenRule(Struct, frozen=True):
    """says: the rule in words. points: the points that it marks."""

    rule: RuleName
    says: str
    points: Sequence[int]


class Charted(NamedTuple):
    """points: in order of time. limit_changes: points whose limits differ from those before in the same phase.

    rules: those that are broken. spreads_beyond: points whose spread is beyond its control limits.
    """

    points: Sequence[ControlPoint]
    segments: Sequence[ChartSegment]
    limit_changes: Sequence[int]
    rules: Sequence[BrokenRule]
    spreads_beyond: Sequence[int]


class _Stretch(NamedTuple):
    """A segment. places: of its points among all points. fitted: what is computed from them."""

    spec: SpecRow
    places: npt.NDArray[np.int64]
    fitted: Fitted


def charted(
    values: Sequence[Value],
    specs: Sequence[SpecRow],
    group_keys: Sequence[Any],
    kind: ChartKind,
    subgroup_size: int,
) -> Charted:
    """The chart of these values, which are in order of time.

    For i_mr each value is a point, else `subgroup_size` values of one group and segment; the last point may have fewer.
    """
    members = _members(values, 1 if kind == "i_mr" else subgroup_size)
    # A figure that is too large for a double becomes infinite, and then None.
    with np.errstate(all="ignore"):
        stretches = _stretches(values, members, {spec.spec: spec for spec in specs}, kind)
        points = _points(values, members, stretches, group_keys)
        return Charted(
            points,
            [_segment(stretch) for stretch in stretches],
            _limit_changes(points, stretches),
            _rules(stretches),
            _spreads_beyond(stretches),
        )


def _members(values: Sequence[Value], size: int) -> Sequence[Sequence[int]]:
    """The places of the values of each point. Points are in the order of their first values."""
    counts: Counter[Any] = Counter()
    members: dict[Any, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        together = (value.spec, value.group)
        members[together, counts[together] // size].append(place)
        counts[together] += 1
    return list(members.values())


def _stretches(
    values: Sequence[Value], members: Sequence[Sequence[int]], specs: Mapping[int, SpecRow], kind: ChartKind
) -> Sequence[_Stretch]:
    """The segments, in the order of their first points."""
    numbers = np.array([value.number for value in values], np.float64)
    stations = {key: number for number, key in enumerate({value.station for value in values})}
    places: dict[int, list[int]] = defaultdict(list)
    for place, point in enumerate(members):
        places[values[point[0]].spec].append(place)
    return [
        _Stretch(
            specs[spec],
            np.array(places_of_spec),
            fit(
                kind,
                subgroups_of(numbers, [members[place] for place in places_of_spec]),
                np.array([stations[values[members[place][0]].station] for place in places_of_spec]),
            ),
        )
        for spec, places_of_spec in places.items()
    ]


def _points(
    values: Sequence[Value],
    members: Sequence[Sequence[int]],
    stretches: Sequence[_Stretch],
    group_keys: Sequence[Any],
) -> Sequence[ControlPoint]:
    groups = {key: place for place, key in enumerate(group_keys)}
    points: dict[int, ControlPoint] = {}
    for number, (_, places, fitted) in enumerate(stretches):
        figures = zip(places.tolist(), fitted.means.tolist(), fitted.spreads.tolist(), strict=True)
        for place, mean, spread in figures:
            of_point = [values[member] for member in members[place]]
            first = of_point[0]
            points[place] = ControlPoint(
                run_id=first.run_id,
                started_at=first.measured_at.replace(tzinfo=UTC),
                value=finite(mean),
                size=len(of_point),
                spread=finite(spread),
                outcome=_outcome({value.outcome for value in of_point}),
                segment=number,
                group=groups.get(first.group),
            )
    return [points[place] for place in range(len(members))]


def _outcome(outcomes: Collection[MeasurementOutcome]) -> MeasurementOutcome:
    if "FAIL" in outcomes:
        return "FAIL"
    return "PASS" if "PASS" in outcomes else "UNSET"


def _segment(stretch: _Stretch) -> ChartSegment:
    spec, places, fitted = stretch
    return ChartSegment(
        spec=specified(spec),
        n=int(fitted.sizes.sum()),
        centre=finite(fitted.centre),
        sigma=finite(fitted.sigma),
        control=fitted.limits(),
        first=int(places[0]),
        last=int(places[-1]),
    )


def _limit_changes(points: Sequence[ControlPoint], stretches: Sequence[_Stretch]) -> Sequence[int]:
    changes: list[int] = []
    before: dict[tuple[str, str | None], int] = {}
    for place, point in enumerate(points):
        spec = stretches[point.segment].spec
        phase = (spec.phase, spec.sequence_path)
        if before.get(phase, point.segment) != point.segment:
            changes.append(place)
        before[phase] = point.segment
    return changes


def _rules(stretches: Sequence[_Stretch]) -> Sequence[BrokenRule]:
    marked: dict[RuleName, list[int]] = defaultdict(list)
    for _, places, fitted in stretches:
        if finite(fitted.sigma):
            for name, points in marks_by_rule(fitted.means, fitted.z).items():
                marked[name] += places[points].tolist()
    return [
        BrokenRule(name, rule.says, sorted(marked[name])) for name, rule in RULES.items() if name in marked
    ]


def _spreads_beyond(stretches: Sequence[_Stretch]) -> Sequence[int]:
    return sorted(
        place for stretch in stretches for place in stretch.places[stretch.fitted.beyond_in_spread()].tolist()
    )
