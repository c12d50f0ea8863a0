"""The control chart: values in order of time, between their limits and control limits."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from runcard.analytics.questions.values.control_chart import ControlChartAnswer
from runcard.analytics.questions.values.control_points import BrokenRule, ChartSegment, ControlPoint
from runcard.web.charts.chart import GRID, LINE_ICONS, SERIES_COLOURS, Cell, Chart, Figures, option_json
from runcard.web.charts.group_colours import OTHERS_COLOUR, GroupColours
from runcard.web.charts.time_axis import time_axis
from runcard.web.frame.formats import figure_text, mean_text, moment_of, number_text
from runcard.web.frame.left_out import left_out_lines
from runcard.web.measurements.rows import limits_text

# Limits farther from the values than this many times their span are left out, or the values would be a flat line.
_NEAR = 2.0
_LISTED = 200
# If limits change with every value, lines across say nothing.
_MOST_CHANGES = 50
_GAP = ["-", "-"]


class _Line(NamedTuple):
    """A line that has a height of its own in each segment."""

    name: str
    colour: str
    style: str
    heights: Sequence[tuple[int, int, float]]


def control_chart_plot(
    answer: ControlChartAnswer, rules: Sequence[BrokenRule], zone: ZoneInfo, colours: GroupColours
) -> Chart:
    """Values as points in the colours of their groups, each leading to its run. Lines break where limits changed.

    rules: the broken rules whose points are marked.
    """
    moments = [moment_of(point.started_at, zone) for point in answer.points]
    low, high, is_cut = _window(answer)
    lines, groups, marked = _lines(answer), _groups(answer, colours), _marked(answer, rules)
    named = [*({"name": line.name, "icon": LINE_ICONS[line.style]} for line in lines), *groups, marked]
    option = {
        "grid": {**GRID, "top": 56},
        "legend": {"type": "scroll", "top": 0, "data": [_in_legend(one) for one in named]},
        "tooltip": {"trigger": "item"},
        "dataZoom": [{"type": "inside", "zoomOnMouseWheel": "ctrl", "moveOnMouseMove": "shift"}],
        "xAxis": time_axis([f"{one.date} {one.time}" for one in moments]),
        "yAxis": {"type": "value", "scale": True, "min": low, "max": high, "name": _uom(answer)},
        "series": [
            _connection(answer),
            *(_drawn(line) for line in lines),
            *groups,
            marked,
        ],
    }
    notes = [
        "Newest values only: there are older ones." if answer.has_older else "",
        "Limits far away from the values are not drawn." if is_cut else "",
    ]
    return Chart(
        "control-chart",
        "Control chart",
        f"Control chart of {len(answer.points)} values in order of time",
        option_json(option),
        _table(answer, rules, zone),
        size="tall",
        note=" ".join(filter(None, notes)),
        empty="No numbers were measured here in this period.",
        left_out=left_out_lines(answer.left_out),
    )


def _uom(answer: ControlChartAnswer) -> str:
    return " / ".join(sorted({one.spec.uom for one in answer.segments if one.spec.uom}))


def _window(answer: ControlChartAnswer) -> tuple[float | None, float | None, bool]:
    """The ends of the axis, and whether limits lie outside. None: ECharts chooses the end."""
    values = [one.value for one in answer.points if one.value is not None]
    values += [
        bound
        for one in answer.segments
        for control in one.control
        for bound in (control.lower, control.upper)
        if bound is not None
    ]
    limits = [bound for one in answer.segments for bound in one.spec.limits.bounds]
    if not values:
        return None, None, False
    bottom, top = min(values), max(values)
    reach = _NEAR * (top - bottom) or abs(top)
    near = [one for one in limits if bottom - reach <= one <= top + reach]
    if len(near) == len(limits):
        return None, None, False
    low, high = min([bottom, *near]), max([top, *near])
    margin = (high - low) / 20 or 1.0
    return float(f"{low - margin:.4g}"), float(f"{high + margin:.4g}"), True


def _lines(answer: ControlChartAnswer) -> Sequence[_Line]:
    control, centre, limits = [], [], []
    for segment in answer.segments:
        ends = (segment.first, segment.last)
        # If the sizes of subgroups differ, take the limits of the largest; individual values have one size.
        bounds = [(segment.control[-1].lower, segment.control[-1].upper)] if segment.control else []
        control += [(*ends, bound) for pair in bounds for bound in pair if bound is not None]
        centre += [(*ends, segment.centre)] if segment.centre is not None else []
        limits += [(*ends, bound) for bound in segment.spec.limits.bounds]
    return [
        _Line("Limits", "--fail-fill", "solid", limits),
        _Line("Control limits", "--warn-fill", "dashed", control),
        _Line("Centre line", "--pass-fill", "solid", centre),
    ]


def _connection(answer: ControlChartAnswer) -> Mapping[str, Any]:
    """A thin line from each value to the next, and a line across wherever limits changed."""
    return {
        "type": "line",
        "data": [one.value for one in answer.points],
        "symbol": "none",
        "silent": True,
        # Below the points.
        "z": 1,
        "lineStyle": {"color": "--line", "width": 1},
        "tooltip": {"show": False},
        "markLine": {
            "symbol": ["none", "none"],
            "silent": True,
            "lineStyle": {"color": "--idle-fill", "type": "dotted"},
            "label": {"show": False},
            "data": [{"xAxis": place} for place in answer.limit_changes[:_MOST_CHANGES]],
        },
    }


def _drawn(line: _Line) -> Mapping[str, Any]:
    data: list[Any] = []
    for first, last, height in line.heights:
        data += [[first, height], [last, height], _GAP]
    return {
        "type": "line",
        "name": line.name,
        "data": data,
        "symbol": "none",
        "silent": True,
        "itemStyle": {"color": line.colour},
        "lineStyle": {"color": line.colour, "type": line.style, "width": 1.5},
    }


def _in_legend(series: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: series[key] for key in ("name", "icon") if key in series}


def _groups(answer: ControlChartAnswer, colours: GroupColours) -> Sequence[Mapping[str, Any]]:
    """The points of each group in its colour, then those of all other groups; one series if there are no groups."""
    by_group: dict[int | None, list[int]] = defaultdict(list)
    others: list[int] = []
    for place, point in enumerate(answer.points):
        has_own = point.group is None or colours.has_own(answer.groups[point.group])
        (by_group[point.group] if has_own else others).append(place)
    series = [
        _scatter(answer, places, "Values", SERIES_COLOURS[0])
        if group is None
        else _scatter(
            answer, places, answer.groups[group].name or "none", colours.by_key[answer.groups[group].key]
        )
        for group, places in sorted(by_group.items(), key=lambda item: item[0] or 0)
    ]
    return [*series, _scatter(answer, others, colours.others_name, OTHERS_COLOUR)] if others else series


def _scatter(answer: ControlChartAnswer, places: Sequence[int], name: str, colour: str) -> Mapping[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "symbolSize": 7,
        "itemStyle": {"color": colour},
        "data": [_point(place, answer.points[place]) for place in places],
    }


def _point(place: int, point: ControlPoint) -> Mapping[str, Any]:
    shown: dict[str, Any] = {"value": [place, point.value], "url": f"/runs/{point.run_id}"}
    return shown if point.outcome != "FAIL" else {**shown, "symbol": "diamond", "symbolSize": 11}


def _marked(answer: ControlChartAnswer, rules: Sequence[BrokenRule]) -> Mapping[str, Any]:
    places = sorted({place for rule in rules for place in rule.points})
    return {
        "type": "scatter",
        "name": "Breaks a run rule",
        "symbolSize": 12,
        "silent": True,
        "z": 1,
        "itemStyle": {"color": "transparent", "borderColor": "--fail-fill", "borderWidth": 1},
        "data": [[place, answer.points[place].value] for place in places],
    }


def _table(answer: ControlChartAnswer, rules: Sequence[BrokenRule], zone: ZoneInfo) -> Figures:
    """The table of the chart, the newest values first."""
    broken: dict[int, list[str]] = defaultdict(list)
    for rule in rules:
        for place in rule.points:
            broken[place].append(rule.says)
    rows = []
    for place in range(len(answer.points) - 1, max(-1, len(answer.points) - 1 - _LISTED), -1):
        point = answer.points[place]
        started, segment = moment_of(point.started_at, zone), answer.segments[point.segment]
        rows.append(
            [
                Cell(f"{started.date} {started.time}", f"/runs/{point.run_id}"),
                Cell("–" if point.value is None else number_text(point.value)),
                Cell(segment.spec.uom or ""),
                Cell(limits_text(segment.spec.limits)),
                Cell(point.outcome),
                Cell("" if point.group is None else answer.groups[point.group].name or "none"),
                Cell("; ".join(broken[place])),
            ]
        )
    return Figures(["Measured", "value", "unit of measure", "limits", "outcome", "group", "breaks"], rows)


class SegmentLine(NamedTuple):
    """The figures of a stretch under the same limits, as texts."""

    phase: str
    limits: str
    n: int
    centre: str
    sigma: str
    control: str


def segment_line(segment: ChartSegment) -> SegmentLine:
    bounds = segment.control[-1] if segment.control else None
    return SegmentLine(
        segment.spec.phase,
        limits_text(segment.spec.limits),
        segment.n,
        mean_text(segment.centre, segment.sigma, segment.spec.uom),
        figure_text(segment.sigma),
        "–"
        if bounds is None or bounds.lower is None
        else f"{mean_text(bounds.lower, segment.sigma)} … {mean_text(bounds.upper, segment.sigma)}",
    )
