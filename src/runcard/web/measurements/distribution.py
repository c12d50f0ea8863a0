"""Charts of how values are distributed: a histogram with limits and the normal curve, and bars of texts."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from runcard.analytics.groups import Group
from runcard.analytics.questions.values.distributions import Distribution
from runcard.analytics.questions.values.histogram import HistogramAnswer
from runcard.analytics.questions.values.text_bars import TextBars
from runcard.web.charts.chart import (
    GRID,
    LINE_ICONS,
    SERIES_COLOURS,
    Cell,
    Chart,
    Figures,
    name_axis,
    option_json,
    size_for_rows,
)
from runcard.web.charts.group_colours import OTHERS_COLOUR, GroupColours
from runcard.web.frame.formats import count_text, number_text, rounded_text
from runcard.web.frame.left_out import lines_of_one

# How many empty bins an axis may add on each side to reach a limit, as a ratio of the bins with values.
_REACH = 1.5
_CURVE = "Normal curve"
_COLOURED = len(SERIES_COLOURS) - 1


def histogram_plot(answer: HistogramAnswer, colours: GroupColours) -> Chart:
    """Bins with the normal curve and the limits. If there are groups, they are stacked in each bin."""
    limits = sorted({one for row in answer.limits for one in row.spec.limits.bounds})
    before, after = _padding(answer.edges, limits)
    edges = _padded(answer.edges, before, after)
    ends = {"min": edges[0], "max": edges[-1]} if edges else {}
    shown = [one for one in limits if edges and edges[0] <= one <= edges[-1]]
    bars = _bars(answer, before, after, colours)
    curve_name = {"name": _CURVE, "icon": LINE_ICONS["solid"]}
    legend = [*({"name": one["name"]} for one in bars), curve_name]
    option = {
        "grid": {**GRID, "top": 48, "bottom": 28},
        "legend": {"type": "scroll", "top": 0, "data": legend},
        "tooltip": {"trigger": "axis"},
        "xAxis": [
            {
                "type": "category",
                "data": [f"{rounded_text(low)} – {rounded_text(high)}" for low, high in pairwise(edges)],
                "show": False,
            },
            # The same stretch as a scale, for the curve and the limits.
            {
                "type": "value",
                "position": "bottom",
                "name": _uom(answer),
                "nameLocation": "middle",
                "nameGap": 26,
                **ends,
                "axisLabel": {"hideOverlap": True, "showMaxLabel": False, "showMinLabel": False},
                "splitLine": {"show": False},
            },
        ],
        "yAxis": {"type": "value"},
        "series": [*bars, _curve(answer, shown)],
    }
    is_cut = len(shown) < len(limits)
    return Chart(
        "histogram",
        "Histogram",
        f"Histogram of {answer.total.n} values in {len(answer.edges)} bins",
        option_json(option),
        _table(answer, colours),
        note="Limits far away from the values are not drawn." if is_cut else "",
        empty="No numbers were measured here in this period.",
        left_out=lines_of_one(answer),
    )


def text_bars_plot(bars: TextBars) -> Chart:
    """How often each text was measured, the most frequent first."""
    rows = [(row.group.name or "none", row) for row in bars.rows[:_COLOURED]] or [("Values", bars.total)]
    option = {
        "grid": {**GRID, "top": 40},
        "legend": {"type": "scroll", "top": 0, "show": len(rows) > 1},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": name_axis(list(bars.texts)),
        "series": [
            {
                "type": "bar",
                "stack": "values",
                "name": name,
                "barMaxWidth": 22,
                "data": row.counts,
                "itemStyle": {"color": SERIES_COLOURS[place]},
            }
            for place, (name, row) in enumerate(rows)
        ],
    }
    table = [
        [Cell(text), Cell(count_text(count))]
        for text, count in zip(bars.texts, bars.total.counts, strict=True)
    ]
    if bars.total.others:
        table.append(
            [Cell(f"{bars.distinct - len(bars.texts)} other values"), Cell(count_text(bars.total.others))]
        )
    return Chart(
        "texts",
        "Values",
        f"How often each of {bars.distinct} values was measured",
        option_json(option),
        Figures(["value", "count"], table),
        size=size_for_rows(len(bars.texts)),
    )


def _uom(answer: HistogramAnswer) -> str:
    return answer.uom or ""


def _padding(edges: Sequence[float], limits: Sequence[float]) -> tuple[int, int]:
    """How many empty bins to add on each side to bring the limits into view; 0 for a limit that is too far away."""
    if len(edges) < 2:
        return 0, 0
    width, most = (edges[-1] - edges[0]) / (len(edges) - 1), int(_REACH * len(edges)) + 1
    if not width:
        return 0, 0
    before = [int((edges[0] - one) / width) + 1 for one in limits if edges[0] - one < most * width]
    after = [int((one - edges[-1]) / width) + 1 for one in limits if one - edges[-1] < most * width]
    return max([0, *before]), max([0, *after])


def _padded(edges: Sequence[float], before: int, after: int) -> Sequence[float]:
    if len(edges) < 2:
        return edges
    width = (edges[-1] - edges[0]) / (len(edges) - 1)
    return [
        *(edges[0] - width * step for step in range(before, 0, -1)),
        *edges,
        *(edges[-1] + width * step for step in range(1, after + 1)),
    ]


def _bars(
    answer: HistogramAnswer, before: int, after: int, colours: GroupColours
) -> Sequence[Mapping[str, Any]]:
    """The bars of each group in its colour, and on top those of all other groups; one series if there are no groups."""
    if not answer.rows:
        return [_bar("Values", answer.total.counts, SERIES_COLOURS[0], before, after)]
    rows = _coloured(answer, colours)
    series = [
        _bar(_group_name(one.group), one.counts, colours.by_key[one.group.key], before, after) for one in rows
    ]
    if len(answer.rows) > len(rows):
        of_groups = zip(*(one.counts for one in rows), strict=True)
        rest = [total - sum(some) for total, some in zip(answer.total.counts, of_groups, strict=True)]
        series.append(_bar(colours.others_name, rest, OTHERS_COLOUR, before, after))
    return series


def _coloured(answer: HistogramAnswer, colours: GroupColours) -> Sequence[Distribution]:
    return [one for one in answer.rows if colours.has_own(one.group)]


def _bar(name: str, counts: Sequence[int], colour: str, before: int, after: int) -> Mapping[str, Any]:
    return {
        "type": "bar",
        "stack": "values",
        "name": name,
        "barCategoryGap": "4%",
        "data": [*[0] * before, *counts, *[0] * after],
        "itemStyle": {"color": colour},
    }


def _curve(answer: HistogramAnswer, limits: Sequence[float]) -> Mapping[str, Any]:
    return {
        "type": "line",
        "name": _CURVE,
        "xAxisIndex": 1,
        "symbol": "none",
        "silent": True,
        "tooltip": {"show": False},
        "itemStyle": {"color": "--text"},
        "lineStyle": {"color": "--text", "width": 1.5},
        "data": [[one.x, one.y] for one in answer.curve] or [[0, "-"]],
        "markLine": {
            "symbol": ["none", "none"],
            "silent": True,
            "lineStyle": {"color": "--fail-fill", "type": "solid", "width": 2},
            "label": {"color": "--soft", "formatter": "{b}", "position": "end"},
            "data": [{"xAxis": one, "name": number_text(one)} for one in limits],
        },
    }


def _table(answer: HistogramAnswer, colours: GroupColours) -> Figures:
    """The table of the histogram, with a column for each group that has a colour of its own."""
    rows = _coloured(answer, colours)
    names = [_group_name(one.group) for one in rows]
    return Figures(
        ["From – to", "count", *names],
        [
            [
                Cell(f"{rounded_text(low)} – {rounded_text(high)}"),
                Cell(count_text(answer.total.counts[place])),
                *(Cell(count_text(one.counts[place])) for one in rows),
            ]
            for place, (low, high) in enumerate(pairwise(answer.edges))
        ],
    )


def _group_name(group: Group) -> str:
    return group.name or "none"
