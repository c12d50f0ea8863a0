"""Charts: numbers that `analytics` computed, as options for ECharts and as a table for whoever reads no charts.

A colour is the name of one of the style sheet's variables, so that charts follow light and dark. A point with `url`
leads there when it is clicked.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from markupsafe import Markup

from runcard.analytics.groups import Group
from runcard.analytics.statistics.ratios import Ratio
from runcard.web.formats import count_text, percent_text

Option = Mapping[str, Any]
Size = Literal["small", "usual", "tall"]

# Of what stands side by side; the last is for whatever is left.
SERIES_COLOURS = tuple(f"--series-{number}" for number in range(1, 8))

OUTCOME_COLOURS = {
    "PASS": "--pass-fill",
    "FAIL": "--fail-fill",
    "ERROR": "--warn-fill",
    "TIMEOUT": "--warn-fill",
    "ABORTED": "--idle-fill",
}

GRID = {
    "left": 8,
    "right": 24,
    "top": 24,
    "bottom": 8,
    "outerBoundsMode": "same",
    "outerBoundsContain": "axisLabel",
}


GRID = {
    "left": 8,
    "right": 24,
    "top": 24,
    "bottom": 8,
    "outerBoundsMode": "same",
    "outerBoundsContain": "axisLabel",
}


class Cell(NamedTuple):
    text: str
    url: str = ""


class Figures(NamedTuple):
    """What a chart shows, as text: the first cell of a row says what it is about."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Chart(NamedTuple):
    """summary: what a reader who does not see it is told. note: beside the title. empty: in place of no figures.

    left_out: what is not in the figures, a sentence a reason.
    """

    id: str
    title: str
    summary: str
    option: Markup
    table: Figures
    size: Size = "usual"
    note: str = ""
    empty: str = "Nothing was recorded here in this period."
    left_out: Sequence[str] = ()


def option_json(option: Option) -> Markup:
    """An option as JSON that cannot end the element it stands in."""
    text = msgspec.json.encode(option).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 -- escaped here


class RatioPoint(NamedTuple):
    """url: where a click leads; empty: nowhere. is_aside: it is there to be compared with."""

    group: Group
    ratio: Ratio
    url: str = ""
    is_aside: bool = False


def ratio_trend(chart_id: str, title: str, points: Sequence[RatioPoint], note: str = "") -> Chart:
    """Shares over time, as a line, in a band of their intervals."""
    names = [one.group.name or "" for one in points]
    values = [
        {"value": _percent(one.ratio.ratio), "url": one.url} if one.url else _percent(one.ratio.ratio)
        for one in points
    ]
    low = [_percent(one.ratio.low) for one in points]
    width = [
        None
        if one.ratio.low is None or one.ratio.high is None
        else round(100 * (one.ratio.high - one.ratio.low), 4)
        for one in points
    ]
    band = {"type": "line", "stack": "band", "symbol": "none", "silent": True, "lineStyle": {"opacity": 0}}
    option = {
        "grid": GRID,
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": names},
        "yAxis": {"type": "value", "min": _floor(low), "max": 100, "axisLabel": {"formatter": "{value} %"}},
        "series": [
            {**band, "name": "95 % from", "data": low},
            {
                **band,
                "name": "95 % width",
                "data": width,
                "areaStyle": {"color": "--series-1", "opacity": 0.15},
            },
            {
                "type": "line",
                "name": title,
                "data": values,
                "symbolSize": 7,
                "itemStyle": {"color": "--series-1"},
            },
        ],
    }
    return Chart(chart_id, title, f"{title} over time", option_json(option), _ratio_table(points), note=note)


def ratio_bars(chart_id: str, title: str, points: Sequence[RatioPoint], note: str = "") -> Chart:
    """Shares side by side, as bars with their intervals."""
    names = [one.group.name or "without" for one in points]
    bars = [
        {
            "value": _percent(one.ratio.ratio),
            "url": one.url,
            "itemStyle": {"color": "--idle-fill" if one.is_aside else "--series-1"},
        }
        for one in points
    ]
    ends = [
        [number, _percent(one.ratio.low), _percent(one.ratio.high)]
        for number, one in enumerate(points)
        if one.ratio.low is not None
    ]
    option = {
        "grid": GRID,
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "max": 100, "axisLabel": {"formatter": "{value} %"}},
        "yAxis": {
            "type": "category",
            "data": names,
            "inverse": True,
            "axisLabel": {"width": 150, "overflow": "truncate"},
        },
        "series": [
            {
                "type": "bar",
                "name": title,
                "data": bars,
                "barMaxWidth": 22,
            },
            {
                "type": "line",
                "name": "95 %",
                "silent": True,
                "data": [],
                "markLine": {
                    "symbol": ["none", "none"],
                    "lineStyle": {"color": "--text", "type": "solid", "width": 2},
                    "label": {"show": False},
                    "data": [
                        [{"coord": [low, number]}, {"coord": [high, number]}] for number, low, high in ends
                    ],
                },
            },
        ],
    }
    return Chart(
        chart_id, title, f"{title} side by side", option_json(option), _ratio_table(points), note=note
    )


def _ratio_table(points: Sequence[RatioPoint]) -> Figures:
    rows = [
        [
            Cell(one.group.name or "without", one.url),
            Cell(percent_text(one.ratio.ratio)),
            Cell(f"{percent_text(one.ratio.low)} – {percent_text(one.ratio.high)}" if one.ratio.n else ""),
            Cell(f"{one.ratio.count} of {one.ratio.n}"),
        ]
        for one in points
    ]
    return Figures(["group", "share", "95 % interval", "of"], rows)


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else round(100 * ratio, 4)


def _floor(low: Sequence[float | None]) -> int:
    """Where an axis of percents begins, so that what happens near 100 can be told apart."""
    lowest = min((one for one in low if one is not None), default=0.0)
    return max(0, int(lowest // 10) * 10)


# More would hide the line that they lie on.
_FEW_POINTS = 100


class DrawnSeries(NamedTuple):
    """points: (x, y) in order; None leaves a gap."""

    name: str
    points: Sequence[tuple[float | None, float | None]]


def series_lines(
    chart_id: str, title: str, x_name: str, lines: Sequence[DrawnSeries], limits: Sequence[float]
) -> Chart:
    """Values that a station measured, as they came, each series a line against the same x, to be zoomed into."""
    marks = {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": "--fail", "type": "dashed"},
        "label": {"color": "--fail"},
        "data": [{"yAxis": limit} for limit in limits],
    }
    option = {
        "grid": {**GRID, "bottom": 48},
        "legend": {"show": len(lines) > 1, "type": "scroll", "top": 0},
        "tooltip": {"trigger": "axis"},
        "dataZoom": [{"type": "inside"}, {"type": "slider", "bottom": 8, "height": 20}],
        "xAxis": {"type": "value", "name": x_name, "nameLocation": "middle", "nameGap": 22, "scale": True},
        "yAxis": {"type": "value", "scale": True},
        "series": [
            {
                "type": "line",
                "name": line.name,
                "data": line.points,
                "showSymbol": len(line.points) <= _FEW_POINTS,
                "connectNulls": False,
                **({"markLine": marks} if number == len(lines) - 1 and limits else {}),
            }
            for number, line in enumerate(lines)
        ],
    }
    figures = [[Cell(line.name), Cell(count_text(len(line.points)))] for line in lines]
    names = ", ".join(line.name for line in lines)
    table = Figures(["series", "points drawn"], figures)
    return Chart(chart_id, title, f"{names} against {x_name}", option_json(option), table, size="tall")


# More would hide the line that they lie on.
_FEW_POINTS = 100
