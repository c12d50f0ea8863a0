"""Charts of API calls."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from runcard.store.calls.lists import StatusClass
from runcard.web.charts.chart import GRID, Cell, Chart, Figures, linked, option_json
from runcard.web.frame.formats import count_text, duration_text

_NOTHING = "No call was made in this period."
_COLOURS: Mapping[StatusClass, str] = {
    "2xx": "--pass-fill",
    "3xx": "--idle-fill",
    "4xx": "--warn-fill",
    "5xx": "--fail-fill",
}


class SlotPoint(NamedTuple):
    """How many calls of each status class began in a slot of time. url: of all of them. urls: of each class."""

    name: str
    counts: Mapping[StatusClass, int]
    url: str
    urls: Mapping[StatusClass, str]


class RoutePoint(NamedTuple):
    """url: where a click leads."""

    name: str
    url: str
    calls: int
    failed: int
    mean: timedelta
    longest: timedelta


def calls_over_time(points: Sequence[SlotPoint]) -> Chart:
    """Calls in each slot of time, stacked by the status classes that occur."""
    shown = [status for status in _COLOURS if any(point.counts.get(status) for point in points)]
    option = {
        "grid": {**GRID, "top": 40},
        "legend": {"top": 4, "itemWidth": 14, "itemHeight": 10},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [point.name for point in points]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "bar",
                "name": status,
                "stack": "calls",
                "data": [linked(point.counts.get(status, 0), point.urls.get(status, "")) for point in points],
                "itemStyle": {"color": _COLOURS[status]},
            }
            for status in shown
        ],
    }
    rows = [
        [
            Cell(point.name, point.url),
            *(Cell(count_text(point.counts.get(one, 0)), point.urls.get(one, "")) for one in shown),
        ]
        for point in points
        if point.counts
    ]
    summary = "Calls over time by class of status"
    return Chart("calls", "Calls", summary, option_json(option), Figures(["", *shown], rows), empty=_NOTHING)


def slowest_bars(points: Sequence[RoutePoint]) -> Chart:
    """The routes that take longest, as bars of the mean."""
    option = {
        "grid": GRID,
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "axisLabel": {"formatter": "{value} ms"}},
        "yAxis": {
            "type": "category",
            "data": [point.name for point in points],
            "inverse": True,
            "axisLabel": {"width": 220, "overflow": "truncate"},
        },
        "series": [
            {
                "type": "bar",
                "name": "mean in ms",
                "data": [
                    {"value": round(point.mean / timedelta(milliseconds=1), 2), "url": point.url}
                    for point in points
                ],
                "barMaxWidth": 22,
                "itemStyle": {"color": "--series-1"},
            }
        ],
    }
    rows = [
        [
            Cell(point.name, point.url),
            Cell(count_text(point.calls)),
            Cell(count_text(point.failed)),
            Cell(duration_text(point.mean)),
            Cell(duration_text(point.longest)),
        ]
        for point in points
    ]
    table = Figures(["", "calls", "failed", "mean", "longest"], rows)
    return Chart(
        "slowest",
        "Slowest paths",
        "Mean duration of the slowest paths",
        option_json(option),
        table,
        note="by mean duration",
        empty=_NOTHING,
    )
