"""Charts that compare groups, and one measurement against another."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from runcard.analytics.questions.values.compare import CompareAnswer, ComparedGroup
from runcard.analytics.questions.values.correlation import CorrelationAnswer
from runcard.analytics.questions.values.distributions import Distribution
from runcard.web.charts.chart import (
    CONFIDENCE,
    GRID,
    MOST_ROWS,
    Cell,
    Chart,
    Figures,
    name_axis,
    option_json,
    size_for_rows,
)
from runcard.web.frame.formats import chance_text, count_text, figure_text, index_text, mean_text, number_text
from runcard.web.frame.left_out import left_out_lines

_LISTED = 200
# So few groups keep the order of their names, because a reader finds each at a glance.
_UNRANKED = 7

T = TypeVar("T")


def means_plot(answer: CompareAnswer, by: str) -> Chart:
    """The mean of each group with its 95 % confidence interval."""
    groups, cut = _ranked(answer.groups, lambda one: one.n, lambda one: one.mean)
    intervals = [
        [{"coord": [one.mean_low, place]}, {"coord": [one.mean_high, place]}]
        for place, one in enumerate(groups)
        if one.mean_low is not None
    ]
    ends = [end for one in groups for end in (one.mean, one.mean_low, one.mean_high) if end is not None]
    margin = (max(ends) - min(ends)) / 20 if ends else 0.0
    option = {
        "grid": {**GRID, "bottom": 28},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "value",
            "scale": True,
            "name": answer.uom or "",
            "nameLocation": "middle",
            "nameGap": 26,
            "axisLabel": {"hideOverlap": True, "showMinLabel": False, "showMaxLabel": False},
            "min": _round(min(ends) - margin) if margin else None,
            "max": _round(max(ends) + margin) if margin else None,
        },
        "yAxis": name_axis([_name(one) for one in groups]),
        "series": [
            {
                "type": "scatter",
                "name": "mean",
                "symbolSize": 11,
                "itemStyle": {"color": "--series-1"},
                "data": [[one.mean, place] for place, one in enumerate(groups)],
                "markLine": {
                    "symbol": ["none", "none"],
                    "silent": True,
                    "lineStyle": {"color": "--series-1", "type": "solid", "width": 2},
                    "label": {"show": False},
                    "data": intervals,
                },
            }
        ],
    }
    return Chart(
        "means",
        f"Means by {by}",
        f"Mean of each {by} with its 95 % confidence interval",
        option_json(option),
        _means_table(answer),
        size=size_for_rows(len(groups)),
        note=f"with 95 % confidence intervals{cut}",
    )


def boxes_plot(rows: Sequence[Distribution], by: str) -> Chart:
    """The quartiles and whiskers of each group, as boxes."""
    with_boxes = [(one, one.box) for one in rows if one.box is not None]
    boxed, cut = _ranked(with_boxes, lambda one: one[0].n, lambda one: one[1].median)
    option = {
        "grid": GRID,
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "value", "scale": True, "axisLabel": {"hideOverlap": True}},
        "yAxis": name_axis([one.group.name or "none" for one, _ in boxed]),
        "series": [
            {
                "type": "boxplot",
                "boxWidth": [6, 22],
                "itemStyle": {"color": "--accent-ground", "borderColor": "--series-1"},
                "data": [[box.whisker_low, box.q1, box.median, box.q3, box.whisker_high] for _, box in boxed],
            }
        ],
    }
    table = [
        [
            Cell(one.group.name or "none"),
            Cell(count_text(one.n)),
            *(
                Cell(figure_text(figure))
                for figure in (box.whisker_low, box.q1, box.median, box.q3, box.whisker_high)
            ),
            Cell(count_text(box.outliers)),
        ]
        for one, box in with_boxes
    ]
    columns = ["group", "n", "whisker", "1st quartile", "median", "3rd quartile", "whisker", "beyond"]
    return Chart(
        "boxes",
        f"Spread by {by}",
        f"Quartiles and whiskers of each {by}",
        option_json(option),
        Figures(columns, table),
        size=size_for_rows(len(boxed)),
        note=f"quartiles, whiskers within 1.5 of their distance{cut}",
    )


def scatter_plot(answer: CorrelationAnswer, x_name: str, y_name: str) -> Chart:
    """One measurement against another, each point leading to its run, with the least squares line."""
    found = answer.correlation
    xs = [one.x for one in answer.points]
    line = []
    if found is not None:
        line = [[x, found.intercept + found.slope * x] for x in (min(xs), max(xs))]
    option = {
        "grid": {**GRID, "bottom": 28},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "value",
            "scale": True,
            "name": _axis_name(x_name, answer.x_uom),
            "nameLocation": "middle",
            "nameGap": 28,
        },
        "yAxis": {"type": "value", "scale": True, "name": _axis_name(y_name, answer.y_uom)},
        "series": [
            {
                "type": "scatter",
                "name": "Units",
                "symbolSize": 6,
                "itemStyle": {"color": "--series-1", "opacity": 0.6},
                "data": [{"value": [one.x, one.y], "url": f"/runs/{one.run_id}"} for one in answer.points],
            },
            {
                "type": "line",
                "name": "Least squares",
                "symbol": "none",
                "silent": True,
                "lineStyle": {"color": "--series-2", "width": 2},
                "data": line,
            },
        ],
    }
    rows = [
        [Cell(number_text(one.x), f"/runs/{one.run_id}"), Cell(number_text(one.y))]
        for one in answer.points[:_LISTED]
    ]
    return Chart(
        "correlation",
        f"{y_name} against {x_name}",
        f"{y_name} against {x_name} in {answer.n} runs",
        option_json(option),
        Figures([x_name, y_name], rows),
        size="tall",
        note=_correlation_note(answer),
        empty="No run of this selection measured both.",
        left_out=left_out_lines(answer.left_out),
    )


def _correlation_note(answer: CorrelationAnswer) -> str:
    found = answer.correlation
    if found is None:
        return f"n = {count_text(answer.n)}; too few values, or no spread, for a correlation"
    interval = "" if found.low is None or found.high is None else f" ({found.low:.2f} … {found.high:.2f})"
    return (
        f"n = {count_text(answer.n)}, Pearson {found.pearson:.2f}{interval}, p {chance_text(found.p)}, "
        f"Spearman {found.spearman:.2f}"
    )


def _axis_name(name: str, uom: str | None) -> str:
    return f"{name} ({uom})" if uom else name


def _means_table(answer: CompareAnswer) -> Figures:
    rows = [
        [
            Cell(_name(one)),
            Cell(count_text(one.n)),
            Cell(mean_text(one.mean, one.s, answer.uom)),
            Cell(_between(one)),
            Cell(figure_text(one.s)),
            Cell(index_text(one.ppk)),
            *_difference_cells(one),
        ]
        for one in answer.groups
    ]
    columns = ["group", "n", "mean", CONFIDENCE, "s", "Ppk", "from all others", CONFIDENCE, "p"]
    return Figures(columns, rows)


def _between(compared: ComparedGroup) -> str:
    if compared.mean_low is None:
        return "–"
    return f"{mean_text(compared.mean_low, compared.s)} … {mean_text(compared.mean_high, compared.s)}"


def _difference_cells(compared: ComparedGroup) -> Sequence[Cell]:
    found = compared.difference
    if found is None:
        return [Cell("–"), Cell("–"), Cell("–")]
    return [
        Cell(f"{found.difference:+.4g}"),
        Cell(f"{found.low:+.4g} … {found.high:+.4g}"),
        Cell(chance_text(found.p)),
    ]


def _name(compared: ComparedGroup) -> str:
    return compared.group.name or "none"


def _ranked(
    groups: Sequence[T], n_of: Callable[[T], int], place_of: Callable[[T], float]
) -> tuple[Sequence[T], str]:
    """The groups to draw, and an addition to the note if some are left out.

    A few groups keep their order, more are sorted by `place_of`, and of very many only those with the most values stay.
    """
    if len(groups) <= _UNRANKED:
        return groups, ""
    most = sorted(groups, key=n_of, reverse=True)[:MOST_ROWS]
    cut = (
        ""
        if len(most) == len(groups)
        else f"; {MOST_ROWS} of {count_text(len(groups))}, with the most values"
    )
    return sorted(most, key=place_of), cut


def _round(number: float) -> float:
    return float(f"{number:.5g}")
