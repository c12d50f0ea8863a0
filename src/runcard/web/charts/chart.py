"""Charts: numbers that `analytics` computed, as options for ECharts, and as a table for readers who see no charts.

A colour is the name of one of the style sheet's variables, so that charts follow light and dark. A point with `url`
leads there when it is clicked.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from markupsafe import Markup

from runcard.analytics.calendar import Period
from runcard.analytics.groups import Group
from runcard.analytics.statistics.ratios import Ratio
from runcard.web.charts.time_axis import places_in_time, time_axis
from runcard.web.frame.formats import count_text, percent_text
from runcard.web.lists.table_files import TableFiles

Option = Mapping[str, Any]
Size = Literal["small", "usual", "tall", "taller", "tallest"]

# The colours of series side by side; the last is for all that are left.
SERIES_COLOURS = tuple(f"--series-{number}" for number in range(1, 8))

OUTCOME_COLOURS = {
    "PASS": "--pass-fill",
    "FAIL": "--fail-fill",
    "ERROR": "--warn-fill",
    "TIMEOUT": "--late-fill",
    "ABORTED": "--idle-fill",
}
# Stripes, for eyes and printers that cannot tell the colours apart.
OUTCOME_PATTERNS = {
    "TIMEOUT": {
        "dashArrayX": [1, 0],
        "dashArrayY": [2, 5],
        "rotation": 0.785,
        "color": "rgba(255, 255, 255, 0.6)",
    }
}

GRID = {
    "left": 8,
    "right": 24,
    "top": 24,
    "bottom": 8,
    "outerBoundsMode": "same",
    "outerBoundsContain": "axisLabel",
}


# The icons of lines in a legend: without dots, because these lines have no points.
LINE_ICONS = {"solid": "path://M0,4H24V6H0Z", "dashed": "path://M0,4H7V6H0ZM9,4H16V6H9ZM18,4H24V6H18Z"}

# How many names are drawn below each other; the table has them all.
MOST_ROWS = 40
PERCENT = "{value} %"
CONFIDENCE = "95 % confidence interval"


def size_for_rows(count: int) -> Size:
    """The height at which this many names can be read below each other."""
    heights: Sequence[tuple[int, Size]] = ((10, "usual"), (16, "tall"), (26, "taller"))
    return next((size for most, size in heights if count <= most), "tallest")


def name_axis(names: Sequence[str]) -> Option:
    """Names below each other, the first on top, none of them left out."""
    label = {"width": 150, "overflow": "truncate", "interval": 0, "hideOverlap": False}
    return {"type": "category", "inverse": True, "data": names, "axisLabel": label}


class Cell(NamedTuple):
    text: str
    url: str = ""


class Figures(NamedTuple):
    """What a chart shows, as a table of texts. The first cell of a row names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Chart(NamedTuple):
    """summary: for readers who do not see the chart. note: beside the title. empty: shown if there are no figures.

    left_out: what is not in the figures, a sentence for each reason. files: the figures for spreadsheets, if any.
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
    files: TableFiles | None = None


def linked(value: float | None, url: str) -> object:
    """A value for ECharts that leads to `url` when it is clicked; the bare value if the URL is empty."""
    return {"value": value, "url": url} if url else value


def option_json(option: Option) -> Markup:
    """An option as JSON that cannot close the HTML element around it."""
    text = msgspec.json.encode(option).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 -- escaped here


class RatioPoint(NamedTuple):
    """url: where a click leads; empty: nowhere. is_aside: it only stands there for comparison."""

    group: Group
    ratio: Ratio
    url: str = ""
    is_aside: bool = False


def ratio_trend(
    chart_id: str, title: str, points: Sequence[RatioPoint], step: Period, note: str = ""
) -> Chart:
    """Shares over time, as a line in the band of their intervals. The line breaks where nothing happened."""
    places = places_in_time([one.group for one in points], step)
    shown = [None if place is None else points[place] for place in places.values()]
    values = [linked(_percent(one.ratio.ratio), one.url) if one else None for one in shown]
    low, high = (
        [_percent(getattr(one.ratio, end)) if one else None for one in shown] for end in ("low", "high")
    )
    width = [
        None if bottom is None or top is None else round(top - bottom, 2)
        for bottom, top in zip(low, high, strict=True)
    ]
    unseen = {
        "type": "line",
        "symbol": "none",
        "silent": True,
        "itemStyle": {"color": "--series-1"},
        "lineStyle": {"opacity": 0},
    }
    ground = {"color": "--series-1", "opacity": 0.15}
    option = {
        "grid": GRID,
        "tooltip": {"trigger": "axis", "valueFormatter": PERCENT},
        "xAxis": time_axis(list(places)),
        "yAxis": {"type": "value", "min": _floor(low), "max": 100, "axisLabel": {"formatter": PERCENT}},
        "series": [
            {
                "type": "line",
                "name": title,
                "data": values,
                "symbolSize": 7,
                "itemStyle": {"color": "--series-1"},
            },
            {**unseen, "name": f"{CONFIDENCE}, from", "stack": "band", "data": low},
            {**unseen, "name": f"{CONFIDENCE}, to", "data": high},
            {**unseen, "stack": "band", "data": width, "areaStyle": ground, "tooltip": {"show": False}},
        ],
    }
    return Chart(chart_id, title, f"{title} over time", option_json(option), _ratio_table(points), note=note)


def ratio_bars(
    chart_id: str, title: str, points: Sequence[RatioPoint], note: str = "", most: int = MOST_ROWS
) -> Chart:
    """Shares side by side, as bars with their intervals, the lowest on top. most: how many of the lowest are drawn."""
    ranked = sorted(points, key=lambda one: math.inf if one.ratio.ratio is None else one.ratio.ratio)
    shown = ranked[:most]
    bars = [
        {
            "value": _percent(one.ratio.ratio),
            "url": one.url,
            "itemStyle": {"color": "--idle-fill" if one.is_aside else "--series-1"},
        }
        for one in shown
    ]
    ends = [
        (number, _percent(one.ratio.low), _percent(one.ratio.high))
        for number, one in enumerate(shown)
        if one.ratio.low is not None
    ]
    option = {
        "grid": GRID,
        "tooltip": {"trigger": "axis", "valueFormatter": PERCENT},
        "xAxis": {"type": "value", "max": 100, "axisLabel": {"formatter": PERCENT}},
        "yAxis": name_axis([one.group.name or "none" for one in shown]),
        "series": [
            {
                "type": "bar",
                "name": title,
                "data": bars,
                "barMaxWidth": 22,
                "markLine": {
                    "silent": True,
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
    cut = f"the {most} lowest of {count_text(len(points))}" if len(points) > most else ""
    return Chart(
        chart_id,
        title,
        f"{title} side by side, the lowest first",
        option_json(option),
        _ratio_table(ranked),
        size=size_for_rows(len(shown)),
        note=", ".join(filter(None, (note, cut))),
    )


def _ratio_table(points: Sequence[RatioPoint]) -> Figures:
    rows = [
        [
            Cell(one.group.name or "none", one.url),
            Cell(percent_text(one.ratio.ratio)),
            Cell(f"{percent_text(one.ratio.low)} – {percent_text(one.ratio.high)}" if one.ratio.n else ""),
            Cell(f"{one.ratio.count} of {one.ratio.n}"),
        ]
        for one in points
    ]
    return Figures(["name", "share", CONFIDENCE, "counted"], rows)


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else round(100 * ratio, 2)


def _floor(low: Sequence[float | None]) -> int:
    """Where an axis of percents begins, so that values near 100 can be told apart."""
    lowest = min((one for one in low if one is not None), default=0.0)
    return max(0, int(lowest // 10) * 10)


# More points than this would hide the line that they lie on.
_FEW_POINTS = 100


class DrawnSeries(NamedTuple):
    """points: (x, y) in order; None leaves a gap."""

    name: str
    points: Sequence[tuple[float | None, float | None]]


def series_lines(
    chart_id: str, title: str, x_name: str, lines: Sequence[DrawnSeries], limits: Sequence[float]
) -> Chart:
    """Values as a station measured them. Each series is a line against the same x, and a reader can zoom in."""
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
