"""Control chart: whether a measurement is as steady as its own short-term spread suggests, and where it is not."""

from collections.abc import Sequence
from datetime import UTC
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from runcard.analytics.groups import Group, GroupBy, Grouping
from runcard.analytics.left_out import MeasuredAnswer, count_left_out, left_out_of
from runcard.analytics.measured import MeasurementSelection, find_specs
from runcard.analytics.quantity import Quantity
from runcard.analytics.questions.values.control_points import BrokenRule, ChartSegment, ControlPoint, charted
from runcard.analytics.questions.values.newest import newest_values
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.control_limits import ChartKind
from runcard.domain.errors import InvalidInput

MAX_LAST = 5000
MAX_SUBGROUP_SIZE = 100
_SUBGROUP_SIZE = 5

_SPREADS = {
    "i_mr": "Each value is a point, its spread the difference to the one before of the same station "
    "(moving range of two).",
    "xbar_r": "Each subgroup is a point: its mean, and as spread its range.",
    "xbar_s": "Each subgroup is a point: its mean, and as spread its standard deviation.",
}
_DEFINITION = (
    "n: finite numbers of the selected runs that started last, in the order in which they were measured; left_out "
    "counts the other values since the first of them. {spreads} "
    "Each segment has its own centre line, sigma and control limits (three sigma). A segment is the values of a phase "
    "that had the same limits and unit of measure. sigma: mean spread over the mean spread of a normal sample of "
    "sigma 1 (d2, c4); where sizes differ, weighted by the inverse of the variance. Rules look at the points of a "
    "segment in order and mark those that complete a pattern; there are none where sigma is 0 or unknown."
)


class ChartSettings(NamedTuple):
    """last: how many values the chart shows, from 1 to MAX_LAST.

    subgroup_size: how many values of one group and segment make a point, at least 2; None: all values of a group, or
    five without groups. The last point may have fewer.
    """

    kind: ChartKind = "i_mr"
    last: int = 500
    subgroup_size: int | None = None


class ControlChartAnswer(MeasuredAnswer, frozen=True, kw_only=True):
    """points: in order of time. limit_changes: points whose limits differ from those before in the same phase.

    rules: those that are broken. spreads_beyond: points whose spread is beyond its control limits. has_older: the
    selection has older values, which the chart does not show.
    """

    table: ClassVar[str] = "points"

    kind: ChartKind
    points: Sequence[ControlPoint]
    groups: Sequence[Group]
    segments: Sequence[ChartSegment]
    limit_changes: Sequence[int]
    rules: Sequence[BrokenRule]
    spreads_beyond: Sequence[int]
    has_older: bool


def control_chart(
    snapshot: Snapshot,
    selection: Selection,
    measured: MeasurementSelection,
    settings: ChartSettings,
    zone: ZoneInfo,
    group_by: GroupBy | None = None,
) -> ControlChartAnswer:
    """The newest values of a measurement as a control chart. Raises as `Snapshot.asking` does, and InvalidInput."""
    if settings.kind == "i_mr" and settings.subgroup_size is not None:
        mend = "leave it out, or ask for the chart xbar_r or xbar_s"
        raise InvalidInput.at("subgroup_size", f"an i_mr chart has no subgroups; {mend}")
    asking = snapshot.asking(measured.among(selection))
    specs = find_specs(asking, measured)
    grouping = Grouping(asking, group_by, zone)
    values, has_older = newest_values(
        asking, specs, settings.last, grouping.sql, only_final=measured.only_final
    )
    groups = {} if group_by is None else grouping.named({value.group for value in values})
    size = settings.subgroup_size or (_SUBGROUP_SIZE if group_by is None else settings.last)
    chart = charted(values, specs, list(groups), settings.kind, size)
    return ControlChartAnswer(
        n=len(values),
        definition=_DEFINITION.format(spreads=_SPREADS[settings.kind]),
        window=asking.window,
        is_exact=True,
        freshness=asking.freshness,
        left_out=left_out_of(
            count_left_out(
                asking,
                Quantity(specs),
                values[0].measured_at.replace(tzinfo=UTC) if has_older else None,
                only_final=measured.only_final,
            )
        ),
        kind=settings.kind,
        points=chart.points,
        groups=list(groups.values()),
        segments=chart.segments,
        limit_changes=chart.limit_changes,
        rules=chart.rules,
        spreads_beyond=chart.spreads_beyond,
        has_older=has_older,
    )
